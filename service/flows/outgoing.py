"""What a partner is sent: the referral as a transaction Bundle, made from the resources of this moment.

Every entry is a conditional create by our stable identifier, so that a delivery repeated after a crash or a lost
answer makes nothing twice. References inside the Bundle are `urn:uuid:`, all others absolute to our server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from service.fhir.json import JsonObject, decode_object
from service.fhir.meta import content
from service.fhir.references import absolute, local, rewritten
from service.fhir.row import Row
from service.kernel.ids import derived_id

OURS = "https://casebridge.example/fhir/identifier/"
URI = "urn:ietf:rfc:3986"


def full_url(reference: str) -> str:
    """A `urn:uuid:` that is always the same for the same resource."""
    return f"urn:uuid:{derived_id('full-url', reference)}"


def stable_identifier(resource: JsonObject, base: str) -> JsonObject:
    """The identifier a partner finds this resource by: ours, else the author's first, else its address here."""
    found = resource.get("identifier")
    rows = [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]
    whole = [each for each in rows if each.get("system") and each.get("value")]
    for each in whole:
        if str(each["system"]).startswith(OURS):
            return {"system": each["system"], "value": each["value"]}
    if whole:
        return {"system": whole[0]["system"], "value": whole[0]["value"]}
    return {"system": URI, "value": f"{base}/{resource['resourceType']}/{resource['id']}"}


def outgoing(rows: Sequence[Row], base: str, there: Mapping[str, str]) -> list[JsonObject]:
    """The resources as they travel: without our versions, with a stable identifier, their references resolved.

    What travels along is referred to by `urn:uuid:`, what the partner has a copy of (`there`, by our URL) by that,
    everything else by its absolute URL here.
    """
    inside = {row.reference: full_url(row.reference) for row in rows}
    inside |= {url.removeprefix(f"{base}/"): link for url, link in there.items()}
    return [_travelling(decode_object(row.body or b""), inside, base) for row in rows]


def _travelling(resource: JsonObject, inside: dict[str, str], base: str) -> JsonObject:
    copy: JsonObject = absolute(rewritten(resource, inside.get), base)
    copy = {"resourceType": copy["resourceType"], "id": copy["id"], **content(copy)}
    identifier = stable_identifier(resource, base)
    held = copy.get("identifier")
    if isinstance(held, list) or held is None:
        present = [(each.get("system"), each.get("value")) for each in held or []]
        if (identifier["system"], identifier["value"]) not in present:
            copy["identifier"] = [*(held or []), identifier]
    return copy


def creation(resources: Sequence[JsonObject], base: str) -> JsonObject:
    """The transaction that makes them at the partner, each at most once."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": full_url(f"{each['resourceType']}/{each['id']}"),
                "resource": each,
                "request": {
                    "method": "POST",
                    "url": each["resourceType"],
                    "ifNoneExist": query(stable_identifier(each, base)),
                },
            }
            for each in resources
        ],
    }


@dataclass(frozen=True, slots=True)
class Copy:
    """The partner's copy of our Task (`ours`): where it is there, its ETag, and what it says."""

    ours: str
    reference: str
    etag: str
    task: JsonObject
    base: str

    def links(self, ours: Mapping[str, str]) -> dict[str, str]:
        """`ours`: element of our Task → the absolute URL it refers to. The partner's own copies of those, by URL."""
        found = {url: self._link(name, url.split("/")[-2]) for name, url in ours.items()}
        return {url: link for url, link in found.items() if link}

    def _link(self, name: str, type_: str) -> str | None:
        member = self.task.get(name)
        text = member.get("reference") if isinstance(member, dict) else None
        found = local(text, self.base) if isinstance(text, str) else None
        return f"{self.base}/{'/'.join(found)}" if found and found[0] == type_ else None


def replacement(
    resources: Sequence[JsonObject], base: str, copy: Copy | None, there: Mapping[str, str]
) -> JsonObject:
    """The transaction that brings the partner's copies up to date.

    `copy` is the partner's Task and `there` the place of its other copies, by our URL, as far as we know them;
    the rest is found by our stable identifier (conditional update).
    """
    entries = []
    for each in resources:
        reference = f"{each['resourceType']}/{each['id']}"
        known = there.get(f"{base}/{reference}", "").rsplit("/", 2)
        url, etag = "/".join(known[-2:]), ""
        if not url:
            url = f"{each['resourceType']}?{query(stable_identifier(each, base))}"
        if copy is not None and reference == copy.ours:
            url, etag = copy.reference, copy.etag
        request = {"method": "PUT", "url": url} | ({"ifMatch": etag} if etag else {})
        entries.append({"fullUrl": full_url(reference), "resource": each, "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def query(identifier: JsonObject) -> str:
    """The search by an identifier."""
    text = f"{identifier['system']}|{identifier['value']}"
    escaped = text.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")
    return f"identifier={quote(escaped, safe=':/|._-')}"
