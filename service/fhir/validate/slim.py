"""A StructureDefinition cut down to the facts that decide validity.

Used by the build scripts for R4 and the guides we ship, and at run time for packages an operator adds, so
that all three are compiled from the same shape. A slim definition:

    {url, name, type, kind, base, abstract, derivation, version, context, where, rows: [...]}

and each row: id, path, min, max and, where present, types, reference (content; `within`: of this same
definition, so that what a profile says there holds here too), name (slice), slicing, constraints, binding,
fixed, pattern, low, high, length, attribute, modifier.
"""

from service.fhir.json import JsonObject
from service.fhir.validate.errata import corrected

NATIVE = frozenset(("ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "txt-1", "txt-2", "ref-1"))
"""Checked by hand-written code, because they occur on almost every element."""

MOST = "|max"
"""Ends the binding of a maximum value set: the codes that are given are of it, but none is demanded."""
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_MAX_VALUE_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
_SYSTEM = "http://hl7.org/fhirpath/System."


def slim(definition: JsonObject) -> JsonObject:
    """The slim form of a StructureDefinition that has a snapshot; KeyError naming what is missing."""
    name = definition["type"]
    rows = [_row(element) for element in definition["snapshot"]["element"]]
    if definition.get("derivation") != "constraint":
        for row in rows:
            row.pop("within", None)
    contexts = [[c["type"], c["expression"]] for c in definition.get("context", ())]
    slimmed: JsonObject = {
        "url": definition["url"],
        "name": definition.get("name", name),
        "type": name,
        "kind": definition["kind"],
        "base": definition.get("baseDefinition", "").rpartition("/")[2],
        "abstract": bool(definition.get("abstract")),
        "derivation": definition.get("derivation", ""),
        "rows": rows,
    }
    if "version" in definition:
        slimmed["version"] = definition["version"]
    if contexts:
        slimmed["context"] = contexts
    if definition.get("contextInvariant"):
        slimmed["where"] = definition["contextInvariant"]
    return slimmed


def _row(element: JsonObject) -> JsonObject:
    origin = element.get("base", {}).get("path", "")
    row: JsonObject = {
        "id": element.get("id", element["path"]),
        "path": element["path"],
        "min": element["min"],
        "max": element["max"],
    }
    optional = {
        "types": [_type(t, origin) for t in element.get("type", ())],
        "reference": _content(element.get("contentReference", "")),
        "within": element.get("contentReference", "").startswith("#"),
        "name": element.get("sliceName", ""),
        "slicing": _slicing(element.get("slicing")),
        "constraints": [c for c in map(_constraint, element.get("constraint", ())) if c],
        "binding": _binding(element.get("binding")),
        "length": element.get("maxLength"),
        "attribute": "xmlAttr" in element.get("representation", ()),
        "modifier": element.get("isModifier"),
    }
    row.update({key: value for key, value in optional.items() if value})
    row.update(_values(element))
    return row


def _content(reference: str) -> str:
    return reference.rpartition("#")[2]


def _type(published: JsonObject, origin: str) -> JsonObject:
    code: str = published.get("code", "")
    if code.startswith(_SYSTEM):
        code = _system_type(published, origin, code)
    slimmed: JsonObject = {"code": code}
    for key, short in (("profile", "profile"), ("targetProfile", "target"), ("aggregation", "aggregation")):
        if published.get(key):
            slimmed[short] = published[key]
    return slimmed


def _system_type(published: JsonObject, origin: str, code: str) -> str:
    # R4 publishes Resource.id as a string; every page of the standard calls it an id.
    if origin == "Resource.id":
        return "id"
    for extension in published.get("extension", ()):
        if extension["url"] == _FHIR_TYPE:
            return str(extension.get("valueUrl") or extension.get("valueUri"))
    bare = code.removeprefix(_SYSTEM)
    return bare[0].lower() + bare[1:]


def _slicing(published: JsonObject | None) -> JsonObject | None:
    if not published:
        return None
    discriminators = [[d["type"], d["path"]] for d in published.get("discriminator", ())]
    return {
        "by": discriminators,
        "rules": published.get("rules", "open"),
        "ordered": bool(published.get("ordered")),
    }


def _constraint(published: JsonObject) -> list[str] | None:
    key = published["key"]
    if key in NATIVE or "expression" not in published:
        return None
    expression = corrected(published["expression"])
    if expression is None:
        return None
    human = " ".join(published.get("human", "").split())
    return [key, published["severity"], expression, human]


def _binding(published: JsonObject | None) -> str | None:
    if not published:
        return None
    if published.get("strength") == "required":
        url: str = published.get("valueSet", "")
        return url.partition("|")[0]
    for extension in published.get("extension", ()):
        if extension.get("url") == _MAX_VALUE_SET:
            largest: str = extension.get("valueCanonical") or extension.get("valueUri") or ""
            return largest.partition("|")[0] + MOST if largest else None
    return None


_VALUED = (("fixed", "fixed"), ("pattern", "pattern"), ("minValue", "low"), ("maxValue", "high"))


def _values(element: JsonObject) -> JsonObject:
    """fixed[x], pattern[x], minValue[x], maxValue[x] under our names, each as [type, value]."""
    found: JsonObject = {}
    for key, value in element.items():
        if key[:3] in ("fix", "pat", "min", "max"):
            for prefix, name in _VALUED:
                if key.startswith(prefix) and key[len(prefix) : len(prefix) + 1].isupper():
                    found[name] = [key[len(prefix) :], value]
    return found
