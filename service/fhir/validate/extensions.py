"""Extensions: their definition, where they may stand, and what must not be ignored.

https://hl7.org/fhir/R4/extensibility.html and defining-extensions.html. An unknown extension is allowed, an
unknown modifierExtension is an error: whoever ignores it may misread the resource.
"""

import re

from service.fhir import r4
from service.fhir.fhirpath import BadExpression, EvaluationError, Scope, compile
from service.fhir.fhirpath.node import members
from service.fhir.json import JsonObject
from service.fhir.validate.apply import apply_profile
from service.fhir.validate.facts import Child
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run, shown_url

PAGE = "https://hl7.org/fhir/R4/extensibility.html"
_EXTENSIONS = ("extension", "modifierExtension")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+").fullmatch


def check_extension(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    """One extension, after its structure has been checked."""
    _value_or_children(run, value, at)
    url = value.get("url")
    if not isinstance(url, str) or not url.strip():
        return
    modifier = child.element.name == "modifierExtension"
    if _inside_extension(at) and not _ABSOLUTE(url):
        return
    if not _ABSOLUTE(url):
        finding = "the url of an extension must be absolute, unless it stands inside another extension"
        run.report((at, "url", -1), "extension", "extension-url", PAGE, finding)
    elif run.definitions.knows(url):
        _known(run, url, value, at, modifier)
    elif modifier:
        finding = (
            f"the modifierExtension {shown_url(url)} is not known here, and a modifier must not be ignored"
        )
        run.report(at, "extension", "modifier-extension", PAGE, finding)


def _value_or_children(run: Run, value: JsonObject, at: Place) -> None:
    valued = any(key.lstrip("_").startswith("value") for key in value if isinstance(key, str))
    if valued == ("extension" in value):
        found = "both" if valued else "neither"
        finding = f"an extension has either a value or extensions, found {found}"
        run.report(at, "invariant", "ext-1", PAGE, finding)


def _inside_extension(at: Place) -> bool:
    parent = at[0]
    return parent is not None and parent[1] in _EXTENSIONS


def _known(run: Run, url: str, value: JsonObject, at: Place, modifier: bool) -> None:
    found = run.definitions.find(url)
    if found is None or found["type"] != "Extension":
        finding = f"{shown_url(url)} defines {found['type'] if found else 'nothing'}, not an extension"
        run.report((at, "url", -1), "extension", "extension-url", PAGE, finding)
        return
    defined_as_modifier = bool(found["rows"][0].get("modifier"))
    if modifier != defined_as_modifier:
        proper, other = (
            ("modifierExtension", "extension") if defined_as_modifier else ("extension", "modifierExtension")
        )
        finding = f"this extension belongs under {proper}, not under {other}"
        run.report(at, "extension", "extension-modifier", url, finding)
    contexts = found.get("context")
    if contexts:
        _check_context(run, url, contexts, value, at)
    if "where" in found:
        _check_where(run, url, found["where"], value, at)
    apply_profile(run, url, value, "Extension", at)


def _check_where(run: Run, url: str, rules: list[str], value: JsonObject, at: Place) -> None:
    """`contextInvariant`: what must hold of the element the extension stands on."""
    owner = run.located(at[0]) if at[0] else None
    if not isinstance(owner, dict):
        return
    for rule in rules:
        if run.holds_for(rule, owner, _structure(run, at), {"extension": value}) is False:
            finding = f"this extension may stand only where {rule}"
            run.report(at, "extension", "extension-context", url, finding)


def _structure(run: Run, at: Place) -> str:
    live = _live(run, at)
    return live[0][1] if live else ""


def _check_context(run: Run, url: str, contexts: list[list[str]], value: JsonObject, at: Place) -> None:
    owners = owner_names(run, at)
    for kind, expression in contexts:
        if kind == "fhirpath":
            fits = _selected(run, expression, value)
        elif kind == "extension":
            fits = _inside(run, expression, at)
        else:
            fits = _fits(run, expression, owners)
        if fits:
            return
    allowed = ", ".join(expression for _, expression in contexts)
    here = ".".join([str(run.resource.get("resourceType")), *_segments(run, at)[:-1]])
    finding = f"this extension may stand on {allowed}, found it on {here}"
    run.report(at, "extension", "extension-context", url, finding)


def _selected(run: Run, expression: str, value: JsonObject) -> bool:
    """Does the expression, asked of the resource, find the element this extension stands on?"""
    try:
        found = compile(expression).nodes(run.resource, Scope(resource=run.resource, root_resource=run.root))
    except (BadExpression, EvaluationError):
        return True
    held = [each.get(key) for node in found if (each := members(node)) for key in _EXTENSIONS]
    return any(value is each for listed in held if isinstance(listed, list) for each in listed)


def _inside(run: Run, url: str, at: Place) -> bool:
    """Does the extension stand inside another one with this url?"""
    if not _inside_extension(at) or at[0] is None:
        return False
    outer = run.located(at[0])
    return not isinstance(outer, dict) or outer.get("url") == url


def _fits(run: Run, expression: str, owners: set[str]) -> bool:
    plain = expression.replace("[x]", "").partition("#")[2] or expression.replace("[x]", "")
    if plain.startswith(("http:", "https:")):
        plain = run.definitions.type_of(plain)
        return not plain or plain in owners
    return plain in owners


def owner_names(run: Run, at: Place) -> set[str]:
    """Every name an extension's context may call the element it stands on.

    For an extension on Patient.address: `Patient.address`, `Address`, `Element`.
    """
    return {name for name, _ in _live(run, at)}


def _live(run: Run, at: Place) -> list["Named"]:
    live = _start(str(run.resource.get("resourceType")))
    for segment in _segments(run, at)[:-1]:
        name, _, typed = segment.partition(".ofType(")
        live = _step(live, name, typed.rstrip(")"))
    return live


def _segments(run: Run, at: Place) -> list[str]:
    found = []
    here: Place | None = at
    while here is not None and here != run.place:
        found.append(here[1])
        here = here[0]
    return found[::-1]


Named = tuple[str, str]
"""(what the element may be called, the structure that defines its children)."""


def _start(name: str) -> list[Named]:
    # "Element" is how a definition says "anywhere", resources included
    return [(each, name) for each in (*r4.ancestors(name), "Element")] if r4.find(name) else []


def _step(live: list[Named], name: str, typed: str) -> list[Named]:
    reached: list[Named] = []
    type_ = ""
    for called, structure in live:
        element = r4.structure(structure).by_name.get(name)
        if element is None:
            continue
        type_ = typed or element.types[0]
        reached.append((f"{called}.{name}", type_))
        if "." in type_:
            reached.append((type_, type_))
    if type_ and "." in type_:
        reached += [("BackboneElement", type_), ("Element", type_)]
    elif type_ and type_ != "Resource":
        reached += _start(type_)
    return list(dict.fromkeys(reached))
