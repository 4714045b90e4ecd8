"""The agency's messages: what comes to its `$process-message`, and what it sends to that of Casebridge (BSeR, push).

It files what it is sent, answers every message once, and tells each move of its staff in a message of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from service.fhir.json import JsonObject, encode
from service.kernel.clock import instant, system_clock
from service.kernel.ids import new_id
from service.simulator.casebridge import Answer
from service.simulator.staff import OwnDesk
from service.simulator.store import Put, Refusal, Store, Version
from service.simulator.transaction import linked

EVENT = {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "I12"}
SAID = ("status", "statusReason", "businessStatus", "output", "note", "lastModified")
Posting = Callable[[JsonObject], Awaitable[Answer | None]]


@dataclass
class Mail:
    """`base`: the agency's FHIR endpoint. `post`: brings a message to Casebridge; None when it did not answer."""

    base: str
    store: Store
    post: Posting
    pace: Callable[[], float]
    taken: dict[str, tuple[bytes, JsonObject]] = field(default_factory=dict)
    sent: list[JsonObject] = field(default_factory=list)

    def take(self, bundle: JsonObject) -> tuple[JsonObject, list[Version]]:
        """The answer to a message, and the versions it made here; the same message again makes none."""
        rows = bundle.get("entry") or [{}]
        header = rows[0].get("resource", {})
        if bundle.get("type") != "message" or header.get("resourceType") != "MessageHeader":
            raise Refusal(400, "invalid", "a message begins with a MessageHeader")
        id_, said = str(header.get("id")), encode(rows)
        if id_ in self.taken and self.taken[id_][0] == said:
            return self.taken[id_][1], []
        try:
            if id_ in self.taken:
                raise Refusal(422, "duplicate", "another message had this id")
            if header.get("eventCoding", {}).get("code") != EVENT["code"]:
                raise Refusal(422, "value", "this event is not known here")
            made = self._filed(header, rows)
        except Refusal as refusal:
            return self._answer(id_, "fatal-error", refusal), []
        answer = self._answer(id_, "ok")
        self.taken[id_] = (said, answer)
        return answer, made

    def _filed(self, header: JsonObject, rows: list[JsonObject]) -> list[Version]:
        """Each resource known by its identifier becomes a version of that one; a Task of ours hears what was said."""
        focus = [each.get("reference") for each in header.get("focus", [])]
        tasks = [each for each in rows[1:] if each.get("fullUrl") in focus]
        if not tasks:
            raise Refusal(422, "required", "the message names no focus")
        known = {str(each["fullUrl"]): self._known(each["resource"]) for each in rows[1:]}
        ids = {url: version.id if version else new_id() for url, version in known.items()}
        links = {
            row["fullUrl"]: f"{row['resource']['resourceType']}/{ids[row['fullUrl']]}" for row in rows[1:]
        }
        puts = [
            Put(row["resource"]["resourceType"], ids[row["fullUrl"]], self._merged(row, known, links))
            for row in rows[1:]
        ]
        return self.store.keep(puts)

    def _merged(self, row: JsonObject, known: dict[str, Version | None], links: dict[str, str]) -> JsonObject:
        """Of our own Task only what the performer says is taken."""
        resource: JsonObject = linked(row["resource"], links)
        version = known[row["fullUrl"]]
        if version is None or version.resource is None or not self.ours(version.resource):
            return resource
        return {**version.resource, **{name: resource[name] for name in SAID if name in resource}}

    def ours(self, resource: JsonObject) -> bool:
        """Is it one that we asked of others? Then its first identifier is ours."""
        first = (resource.get("identifier") or [{}])[0]
        return str(first.get("system", "")).startswith(self.base)

    def _known(self, resource: JsonObject) -> Version | None:
        names = {(each.get("system"), each.get("value")) for each in resource.get("identifier", [])}
        for version in self.store.all(str(resource["resourceType"])):
            rows = (version.resource or {}).get("identifier", [])
            if names & {(each.get("system"), each.get("value")) for each in rows}:
                return version
        return None

    def _answer(self, id_: str, code: str, refusal: Refusal | None = None) -> JsonObject:
        said: JsonObject = {"identifier": id_, "code": code}
        header: JsonObject = {"resourceType": "MessageHeader", "id": new_id(), "eventCoding": EVENT}
        header |= {"source": {"endpoint": f"{self.base}/$process-message"}, "response": said}
        rows: list[JsonObject] = [{"fullUrl": f"urn:uuid:{header['id']}", "resource": header}]
        if refusal is not None:
            name = f"urn:uuid:{new_id()}"
            issue = {"severity": "error", "code": refusal.code, "diagnostics": refusal.text}
            rows.append({"fullUrl": name, "resource": {"resourceType": "OperationOutcome", "issue": [issue]}})
            said["details"] = {"reference": name}
        return {
            "resourceType": "Bundle",
            "type": "message",
            "timestamp": instant(system_clock()),
            "entry": rows,
        }

    async def send(self, resources: list[JsonObject], names: list[str]) -> JsonObject:
        """A message about the last of these resources; sent until it is answered. Refusal when it is refused.

        `names`: the fullUrl of each.
        """
        id_, now = new_id(), instant(system_clock())
        header: JsonObject = {"resourceType": "MessageHeader", "id": id_, "eventCoding": EVENT}
        header |= {
            "source": {"endpoint": f"{self.base}/$process-message"},
            "focus": [{"reference": names[-1]}],
        }
        rows: list[JsonObject] = [{"fullUrl": f"urn:uuid:{id_}", "resource": header}]
        rows += [{"fullUrl": name, "resource": each} for name, each in zip(names, resources, strict=True)]
        bundle = {"resourceType": "Bundle", "type": "message", "timestamp": now, "entry": rows}
        while True:
            answer = await self.post(bundle)
            said = _code(answer)
            if said == "ok":
                self.sent.append(bundle)
                return bundle
            if said == "fatal-error" or (answer is not None and 400 <= answer.status < 500):
                raise Refusal(
                    502, "processing", f"Casebridge answered {said or (answer and answer.sentence)}"
                )
            await asyncio.sleep(self.pace())


def _code(answer: Answer | None) -> str:
    """`ok`, `transient-error` or `fatal-error`; empty when it was no answer to a message."""
    if answer is None or not answer.ok or not isinstance(answer.body, dict):
        return ""
    header = (answer.body.get("entry") or [{}])[0].get("resource", {})
    return str(header.get("response", {}).get("code", ""))


class MailDesk(OwnDesk):
    """The agency's own store; what its staff writes into a Task is told in a message."""

    def __init__(self, store: Store, mail: Mail) -> None:
        super().__init__(store, new_id)
        self._mail = mail

    async def write(self, task: JsonObject, etag: str) -> bool:
        """As Desk."""
        if not await super().write(task, etag):
            return False
        outputs = [each.get("valueReference") for each in task.get("output", [])]
        refs = [str((each or {}).get("reference")) for each in (task.get("for"), task.get("focus"), *outputs)]
        beside = [found for ref in dict.fromkeys(refs) if (found := self._store.current(*_key(ref)))]
        names = {version.reference: f"urn:uuid:{new_id()}" for version in beside}
        told = [linked(version.resource, names) for version in beside]
        await self._mail.send([*told, linked(task, names)], [*names.values(), f"urn:uuid:{new_id()}"])
        return True


def _key(reference: str) -> tuple[str, str]:
    type_, _, id_ = reference.rpartition("/")
    return type_, id_
