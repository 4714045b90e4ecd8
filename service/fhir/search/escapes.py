"""Splitting parameter values at `,` `|` `$` where these are not escaped.

https://hl7.org/fhir/R4/search.html#escaping
"""

import re
from functools import cache


@cache
def _pattern(separator: str) -> re.Pattern[str]:
    return re.compile(
        r"((?:\\.|[^\\" + re.escape(separator) + r"])*)(?:" + re.escape(separator) + r"|\Z)", re.S
    )


def split(text: str, separator: str) -> list[str]:
    """The parts of a still escaped text, themselves still escaped."""
    if "\\" not in text:
        return text.split(separator)
    parts: list[str] = []
    at = 0
    while at <= len(text):
        match = _pattern(separator).match(text, at)
        if match is None:  # a lone backslash at the end
            return [*parts, text[at:]]
        parts.append(match[1])
        at = match.end() if match.end() > match.end(1) else len(text) + 1
    return parts


def plain(text: str) -> str:
    r"""The text meant: `\,` `\|` `\$` `\\` without their backslash."""
    return re.sub(r"\\([,|$\\])", r"\1", text) if "\\" in text else text
