"""Any element of FHIR in words, and a person's name: for pages and narratives. Pure."""

from service.fhir.json import Json, JsonObject


def said(value: Json) -> str:
    """Any element in words: a concept's text, a coding's display, a period's days, a reference's display."""
    match value:
        case str():
            return value
        case list():
            return ", ".join(text for each in value if (text := said(each)))
        case {"text": str(text)} | {"display": str(text)}:
            return text
        case {"coding": list(codings)}:
            shown = [each for each in codings if isinstance(each, dict) and each.get("display")]
            return next((text for each in (*shown, *codings) if (text := said(each))), "")
        case {"start": _} | {"end": _}:
            start, end = _day(value.get("start")), _day(value.get("end"))
            if start and end:
                return f"{start} – {end}"
            return f"since {start}" if start else f"until {end}" if end else ""
        case {"code": str(text)} | {"reference": str(text)} | {"value": str(text)}:
            return text
    return ""


def _day(value: Json) -> str:
    return value[:10] if isinstance(value, str) else ""


def name_of(patient: JsonObject) -> str:
    """A person's name as they use it: official or usual before others; the text where there is one."""
    names = objects(patient.get("name"))
    order = {"usual": 0, "official": 1}
    best = min(names, key=lambda each: order.get(str(each.get("use")), 2), default={})
    if isinstance(best.get("text"), str):
        return str(best["text"])
    listed = best.get("given")
    given = [each for each in (listed if isinstance(listed, list) else []) if isinstance(each, str)]
    return " ".join([*given, *([best["family"]] if isinstance(best.get("family"), str) else [])])


def objects(value: Json) -> list[JsonObject]:
    """The objects of what should be an array of them."""
    return [each for each in (value if isinstance(value, list) else []) if isinstance(each, dict)]
