"""The texts under which tokens, references and uris are found: written by `extract`, asked for by `parse`.

`Task.status=|requested`: the type is part of the key, so that a key says everything about a row that a
conjunction of keys needs. PostgreSQL keeps `hashtextextended(key, 0)`. Never write a key by hand: call here.
"""


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("$", "\\$") if _special(text) else text


def _special(text: str) -> bool:
    return "|" in text or "$" in text or "\\" in text


def name(type_: str, code: str) -> str:
    """`Task.status`: what every key of a parameter begins with."""
    return f"{type_}.{code}"


def present(parameter: str) -> str:
    """The element of the parameter has a value (`:missing`)."""
    return parameter + "?"


def code_of(code: str) -> str:
    """The form for `[code]`: in whatever system."""
    return _plain(code)


def coding_of(system: str, code: str) -> str:
    """The form for `[system]|[code]`, and for `|[code]` when the system is empty."""
    return f"{_plain(system)}|{_plain(code)}"


def system_of(system: str) -> str:
    """The form for `[system]|`: any code of the system."""
    return f"{_plain(system)}|"


def token(parameter: str, form: str) -> str:
    """A token's key."""
    return f"{parameter}={form}"


def typed(parameter: str, type_form: str, value: str) -> str:
    """The key for `:of-type`: an identifier of a type with a value."""
    return f"{parameter}:of-type={type_form}|{_plain(value)}"


def identified(parameter: str, form: str) -> str:
    """The key for `:identifier`: a logical reference."""
    return f"{parameter}:identifier={form}"


def target(parameter: str, reference: str) -> str:
    """A reference's, uri's or canonical's key."""
    return f"{parameter}={reference}"


def pair(parameter: str, *forms: str) -> str:
    """A composite's key; with one form, the name under which its dates, strings and numbers are kept."""
    return f"{parameter}=" + "$".join(forms)


def leading(type_: str, id_: str) -> str:
    """The key of whatever holds a reference to this resource, in any element: no search asks for it, a delete does."""
    return f">{type_}/{id_}"
