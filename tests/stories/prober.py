"""Questions by which Northside might learn of what is not its own, drawn from a seed.

Every question is one HTTP request; what it asks for is taken from what the other parties really wrote, so that a
service that leaks has something to leak.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from service.fhir.catalogue import DIRECTORY, catalogue
from service.fhir.search import extract
from service.fhir.search.parameters import parameters
from tests.stories.two_worlds import Worlds, about, person

UPSERT = {"Prefer": "return=representation"}
PARTIES = ("lakeview", "harbor")


@dataclass(frozen=True, slots=True)
class Probe:
    """One request. `kind` names the way in, for the report."""

    kind: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Prober:
    """Draws probes; the same seed draws the same ones."""

    def __init__(self, worlds: Worlds, seed: int) -> None:
        self.worlds, self.dice = worlds, random.Random(seed)
        self.clients = [each for each in worlds.foreign if each.split("/")[0] not in DIRECTORY]
        self.said = [pair for each in self.clients for pair in said(worlds.bodies[each])]
        self.by_type: dict[str, list[str]] = {}
        for each in self.clients:
            self.by_type.setdefault(each.split("/")[0], []).append(each)
        self.count = 0

    def draw(self) -> Probe:
        """The next probe."""
        self.count += 1
        way = self.dice.choice(WAYS)
        return way(self)

    # what is asked about

    def foreign(self) -> str:
        return self.dice.choice(self.clients)

    def own(self) -> str:
        return self.dice.choice(self.worlds.own)

    def type(self) -> str:
        return self.dice.choice([each for each in catalogue if each not in DIRECTORY])

    def criteria(self) -> tuple[str, str]:
        """A type and a query string that something foreign answers to."""
        type_, name, value = self.dice.choice(self.said)
        return type_, urlencode({name: value})

    def absent_or_foreign(self) -> str:
        """Mostly foreign; sometimes an id nobody has, so that both kinds are seen to be answered alike."""
        reference = self.foreign()
        return reference if self.dice.random() < 0.9 else f"{reference.split('/')[0]}/nobody-{self.count}"

    def body_of(self, type_: str, reference: str = "") -> dict[str, Any]:
        """A valid body of Northside's own that may point to a foreign resource."""
        whose = reference or self.foreign_patient()
        if type_ == "Patient":
            return person("northside", "Rivera")
        bodies = {each["resourceType"]: each for each in about(whose, "northside")}
        return bodies.get(type_, {"resourceType": type_})

    def foreign_patient(self) -> str:
        return self.dice.choice(self.by_type["Patient"])


def said(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(type, parameter, value) for everything a search could find this resource by."""
    type_ = body["resourceType"]
    if len(body) <= 2:
        return []
    found = extract(body, "http://nowhere.example/fhir")
    pairs = []
    for key in found.keys:
        name, mark, value = key.partition("=")
        code = name.partition(".")[2]
        if mark and code in parameters(type_):
            pairs.append((type_, code, value))
    pairs += [(type_, code, exact) for code, _, exact in found.strings if code in parameters(type_)]
    pairs += [
        (type_, code, low.date().isoformat()) for code, low, _ in found.dates if code in parameters(type_)
    ]
    pairs += [(type_, code, str(low)) for code, low, *_ in found.numbers if code in parameters(type_)]
    return [*pairs, (type_, "_id", body["id"])]


def _read(p: Prober) -> Probe:
    return Probe("read", p.dice.choice(["GET", "GET", "HEAD"]), f"/fhir/{p.absent_or_foreign()}")


def _read_if(p: Prober) -> Probe:
    name, value = p.dice.choice(
        [("If-None-Match", 'W/"1"'), ("If-Modified-Since", "Sun, 22 Nov 2099 00:00:00 GMT")]
    )
    return Probe("conditional read", "GET", f"/fhir/{p.foreign()}", headers={name: value})


def _vread(p: Prober) -> Probe:
    return Probe("vread", "GET", f"/fhir/{p.absent_or_foreign()}/_history/{p.dice.choice([1, 2, 3])}")


def _history(p: Prober) -> Probe:
    where = p.dice.choice([p.absent_or_foreign(), p.type(), p.own(), ""])
    query = p.dice.choice(["", "?_count=2", "?_since=2020-01-01", "?_at=2026", "?_count=1000"])
    return Probe("history", "GET", f"/fhir/{where}/_history{query}".replace("//", "/"))


def _search(p: Prober) -> Probe:
    type_, query = p.criteria()
    more = p.dice.choice(["", "&_total=accurate", "&_total=estimate", "&_summary=count", "&_count=1", "&_sort=_id",
                          "&_sort=-_lastUpdated", "&_elements=id", "&_include=*", "&_summary=data"])  # fmt: skip
    return Probe("search", "GET", f"/fhir/{type_}?{query}{more}")


def _modified(p: Prober) -> Probe:
    type_, name, value = p.dice.choice(p.said)
    modifier = p.dice.choice(
        ["not", "missing", "text", "contains", "exact", "above", "below", "identifier", "in"]
    )
    value = p.dice.choice(["true", "false"]) if modifier == "missing" else value
    more = p.dice.choice(["", "&_summary=count", "&_total=accurate", "&_count=1"])
    return Probe(
        "search with a modifier", "GET", f"/fhir/{type_}?{urlencode({f'{name}:{modifier}': value})}{more}"
    )


def _search_by_post(p: Prober) -> Probe:
    type_, query = p.criteria()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return Probe("POST _search", "POST", f"/fhir/{type_}/_search", query, form)


def _everywhere(p: Prober) -> Probe:
    query = p.dice.choice([f"_id={p.foreign().split('/')[1]}", "_lastUpdated=ge2020&_summary=count", "_count=3",
                           f"_type={p.type()}", f"_type={p.type()}&_total=accurate"])  # fmt: skip
    return Probe("search of the system", "GET", f"/fhir?{query}")


def _sorted(p: Prober) -> Probe:
    type_ = p.type()
    code = p.dice.choice(
        [c for c, each in parameters(type_).items() if each.type in ("date", "string", "token")]
    )
    sign = p.dice.choice(["", "-"])
    return Probe(
        "sort", "GET", f"/fhir/{type_}?_sort={sign}{code}&_count={p.dice.choice([1, 2, 50])}&_total=accurate"
    )


def _references(type_: str) -> list[Any]:
    return [each for each in parameters(type_).values() if each.type == "reference"]


def _include(p: Prober) -> Probe:
    type_ = p.type()
    code = p.dice.choice(["*", *(each.code for each in _references(type_))])
    value = quote(f"{type_}:{code}", safe=":*")
    iterate = p.dice.choice(["", ":iterate"])
    return Probe("include", "GET", f"/fhir/{type_}?_include{iterate}={value}&_count={p.dice.choice([3, 50])}")


def _revinclude(p: Prober) -> Probe:
    own, source = p.own(), p.type()
    code = p.dice.choice(["*", *(each.code for each in _references(source))])
    type_, _, id_ = own.partition("/")
    iterate = p.dice.choice(["", ":iterate"])
    return Probe("revinclude", "GET", f"/fhir/{type_}?_id={id_}&_revinclude{iterate}={source}:{code}")


def _chain(p: Prober) -> Probe:
    target, name, value = p.dice.choice(p.said)
    ways = [
        (t, each.code)
        for t in catalogue
        for each in _references(t)
        if not each.targets or target in each.targets
    ]
    type_, code = p.dice.choice(ways)
    pair = urlencode({f"{code}:{target}.{name}": value})
    return Probe("chain", "GET", f"/fhir/{type_}?{pair}{p.dice.choice(['', '&_summary=count'])}")


def _has(p: Prober) -> Probe:
    source, name, value = p.dice.choice(p.said)
    found = _references(source)
    if not found:
        return _search(p)
    link = p.dice.choice(found)
    type_ = p.dice.choice([t for t in link.targets if t in catalogue] or ["Patient"])
    pair = urlencode({f"_has:{source}:{link.code}:{name}": value})
    return Probe("_has", "GET", f"/fhir/{type_}?{pair}{p.dice.choice(['', '&_summary=count'])}")


def _in_list(p: Prober) -> Probe:
    lists = p.by_type.get("List", [])
    return Probe(
        "_list",
        "GET",
        f"/fhir/{p.dice.choice(['Patient', p.type()])}?_list={p.dice.choice(lists).split('/')[1]}",
    )


def _compartment(p: Prober) -> Probe:
    home = p.dice.choice(
        [p.foreign_patient(), p.dice.choice([o for o in p.worlds.own if o.startswith("Patient/")])]
    )
    member = p.dice.choice(["*", p.type(), p.type()])
    return Probe(
        "compartment", "GET", f"/fhir/{home}/{member}?_count={p.dice.choice([1, 50])}&_total=accurate"
    )


def _everything(p: Prober) -> Probe:
    home = p.dice.choice(
        [p.foreign_patient(), p.dice.choice([o for o in p.worlds.own if o.startswith("Patient/")])]
    )
    return Probe(
        "$everything",
        "GET",
        f"/fhir/{home}/$everything{p.dice.choice(['', '?_count=2', '?_type=Goal,Task'])}",
    )


def _match(p: Prober) -> Probe:
    body = p.worlds.bodies[p.foreign_patient()]
    wanted = {
        key: body[key] for key in ("name", "birthDate", "identifier", "telecom", "gender") if key in body
    }
    if not wanted:
        wanted = person("lakeview", "Rivera")
    keys = p.dice.sample(sorted(wanted), k=p.dice.randint(1, len(wanted)))
    patient = {"resourceType": "Patient", **{key: wanted[key] for key in keys if key != "resourceType"}}
    parts = [{"name": "resource", "resource": patient}]
    return Probe("$match", "POST", "/fhir/Patient/$match", {"resourceType": "Parameters", "parameter": parts})


def _operation(p: Prober) -> Probe:
    reference = p.absent_or_foreign()
    meta = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "x"}]}}],
    }
    method, tail, body = p.dice.choice([
        ("GET", "$meta", None), ("POST", "$meta-add", meta), ("POST", "$meta-delete", meta), ("GET", "$validate", None),
        ("POST", "$validate", {"resourceType": "Parameters", "parameter": [{"name": "mode", "valueCode": "delete"}]}),
        ("GET", "_history/1/$meta", None),
    ])  # fmt: skip
    return Probe(f"{tail}", method, f"/fhir/{reference}/{tail}", body)


def _answers(p: Prober) -> Probe:
    reference = p.dice.choice(p.by_type.get("QuestionnaireResponse", [p.foreign()]))
    tail = p.dice.choice([f"{reference}/$extract", f"Questionnaire/phq-9/$populate?subject={p.foreign_patient()}",
                          f"{p.foreign_patient()}/$disclosures"])  # fmt: skip
    return Probe("operation on foreign answers", "GET", f"/fhir/{tail}")


def _decide(p: Prober) -> Probe:
    parts = [{"name": "patient", "valueReference": {"reference": p.foreign_patient()}}]
    return Probe(
        "$decide", "POST", "/fhir/Consent/$decide", {"resourceType": "Parameters", "parameter": parts}
    )


def _put(p: Prober) -> Probe:
    reference = p.absent_or_foreign()
    type_, _, id_ = reference.partition("/")
    body = p.dice.choice(
        [{**p.body_of(type_), "id": id_}, p.worlds.bodies.get(reference) or {**p.body_of(type_), "id": id_}]
    )
    tags = p.dice.choice([{}, {}, {"If-Match": 'W/"1"'}, {"If-Match": 'W/"9"'}, {"If-None-Match": "*"}])
    return Probe("PUT on a foreign id", "PUT", f"/fhir/{reference}", body, tags)


def _patch(p: Prober) -> Probe:
    reference = p.absent_or_foreign()
    body = [
        {
            "op": p.dice.choice(["test", "replace", "remove", "add"]),
            "path": "/id",
            "value": reference.split("/")[1],
        }
    ]
    tags = p.dice.choice([{}, {"If-Match": 'W/"1"'}, {"If-Match": 'W/"9"'}])
    return Probe(
        "PATCH on a foreign id",
        "PATCH",
        f"/fhir/{reference}",
        body,
        {"Content-Type": "application/json-patch+json", **tags},
    )


def _delete(p: Prober) -> Probe:
    tags = p.dice.choice([{}, {"If-Match": 'W/"1"'}, {"If-Match": 'W/"9"'}])
    return Probe("DELETE on a foreign id", "DELETE", f"/fhir/{p.absent_or_foreign()}", headers=tags)


def _delete_own(p: Prober) -> Probe:
    """What is here may hold it back; what Northside does not know of may not."""
    return Probe(
        "DELETE of what others refer to", "DELETE", f"/fhir/{p.own()}", headers={"If-Match": 'W/"99"'}
    )


def _validate_delete_own(p: Prober) -> Probe:
    body = {"resourceType": "Parameters", "parameter": [{"name": "mode", "valueCode": "delete"}]}
    return Probe("$validate a deletion", "POST", f"/fhir/{p.own()}/$validate", body)


def _conditional(p: Prober) -> Probe:
    type_, query = p.criteria()
    method = p.dice.choice(["PUT", "DELETE", "PATCH", "POST"])
    if method == "POST":
        return Probe(
            "conditional create", "POST", f"/fhir/{type_}", p.body_of(type_), {"If-None-Exist": query}
        )
    if method == "PATCH":
        return Probe("conditional PATCH", "PATCH", f"/fhir/{type_}?{query}", [{"op": "remove", "path": "/language"}],
                     {"Content-Type": "application/json-patch+json"})  # fmt: skip
    if method == "DELETE":
        query += "&_id=" + p.foreign().split("/")[1]
    return Probe(
        f"conditional {method}",
        method,
        f"/fhir/{type_}?{query}",
        p.body_of(type_) if method == "PUT" else None,
    )


def _pointing(p: Prober) -> Probe:
    type_ = p.dice.choice(
        ["Goal", "Condition", "Task", "Observation", "List", "Group", "Provenance", "Binary"]
    )
    return Probe(
        "create that points to a foreign client", "POST", f"/fhir/{type_}", p.body_of(type_, p.foreign())
    )


def _entry(p: Prober) -> dict[str, Any]:
    probe = p.dice.choice([_read, _vread, _history, _search, _put, _delete, _conditional, _chain, _has])(p)
    method = "GET" if probe.method == "HEAD" else probe.method
    if method == "PATCH":
        return _entry(p)
    request = {"method": method, "url": probe.path.removeprefix("/fhir").lstrip("/") or "Patient"}
    names = {"If-Match": "ifMatch", "If-None-Match": "ifNoneMatch", "If-None-Exist": "ifNoneExist"}
    request |= {names[name]: value for name, value in probe.headers.items() if name in names}
    return {"request": request, **({"resource": probe.body} if isinstance(probe.body, dict) else {})}


def _bundle(p: Prober) -> Probe:
    kind = p.dice.choice(["batch", "transaction"])
    entries = [_entry(p) for _ in range(p.dice.randint(1, 3) if kind == "batch" else 1)]
    return Probe(kind, "POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": entries})


def _conditional_reference(p: Prober) -> Probe:
    type_, query = p.criteria()
    body = {**p.body_of("Goal"), "subject": {"reference": f"{type_}?{query}"}}
    entries = [{"resource": body, "request": {"method": "POST", "url": "Goal"}}]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return Probe("conditional reference", "POST", "/fhir", bundle)


def _cursor(p: Prober) -> Probe:
    return Probe("cursor of another", "GET", f"/fhir/{p.dice.choice(p.worlds.cursors)}")


def _casework(p: Prober) -> Probe:
    record = p.dice.choice(p.worlds.records)
    path = p.dice.choice(
        [record, f"{record}/_history", f"{record}/_history/1", "events", f"{record.split('/')[0]}"]
    )
    return Probe("casework door", p.dice.choice(["GET", "DELETE"]), f"/casework/v1/{path}")


def _trail(p: Prober) -> Probe:
    path = p.dice.choice([f"AuditEvent?patient={p.foreign_patient()}", "AuditEvent", "AuditEvent?type=rest",
                          f"Provenance?target={p.foreign()}", f"Consent?patient={p.foreign_patient()}",
                          f"Provenance?target={p.own()}", f"Consent?patient={p.own()}"])  # fmt: skip
    return Probe("audit, provenance, consent", "GET", f"/fhir/{path}")


def _binary(p: Prober) -> Probe:
    accept = p.dice.choice(["*/*", "text/plain", "application/fhir+json"])
    return Probe("Binary", "GET", f"/fhir/{p.dice.choice(p.by_type['Binary'])}", headers={"Accept": accept})


def _introspect(p: Prober) -> Probe:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path = p.dice.choice(["/auth/introspect", "/auth/revoke"])
    return Probe("another's token", "POST", path, urlencode({"token": p.worlds.token}), form)


WAYS: list[Callable[[Prober], Probe]] = [
    _read, _read_if, _vread, _history, _search, _search, _modified, _search_by_post, _everywhere, _sorted, _include,
    _revinclude, _chain, _chain, _has, _has, _in_list, _compartment, _everything, _match, _operation, _answers, _decide,
    _put, _put, _patch, _delete, _delete_own, _validate_delete_own, _conditional, _conditional, _pointing, _bundle,
    _bundle, _conditional_reference, _cursor, _casework, _trail, _binary, _introspect,
]  # fmt: skip

_STAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)|\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT"
)
_CURSOR = re.compile(r"_cursor=[\w%=-]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PLAIN = ("content-type", "etag", "last-modified", "location", "allow", "www-authenticate", "retry-after")


class Alike:
    """Answers of one world without what two worlds cannot have in common: addresses, moments, new ids."""

    def __init__(self, url: str, known: set[str]) -> None:
        self._url, self._known = url, known
        self._new: dict[str, str] = {}

    def __call__(self, status: int, headers: Any, body: str) -> str:
        """Status, headers that matter and body, comparable with those of the other world."""
        kept = [f"{name}: {headers[name]}" for name in _PLAIN if name in headers]
        text = "\n".join([str(status), *kept, body]).replace(self._url, "<here>")
        text = _CURSOR.sub("_cursor=<cursor>", _STAMP.sub("<when>", text))
        return _UUID.sub(self._id, text)

    def _id(self, found: re.Match[str]) -> str:
        id_ = found[0]
        return id_ if id_ in self._known else self._new.setdefault(id_, f"<new {len(self._new)}>")
