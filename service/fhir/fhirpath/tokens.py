"""Characters to tokens, as the N1 grammar spells them (http://hl7.org/fhirpath/N1/grammar.html)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.fhir.fhirpath.errors import BadExpression

MAX_LENGTH = 20_000

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+ | //[^\r\n]* | /\*(?s:.*?)\*/)
  | (?P<moment>@(?: T[0-9:.]+ | [0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?
                   (?:T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)? ))
  | (?P<number>[0-9]+(?:\.[0-9]+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<string>'(?:[^'\\]|\\(?s:.))*')
  | (?P<external>%(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]*`|'[^']*'|"[^"]*"))
  | (?P<special>\$(?:this|index|total)\b)
  | (?P<symbol><=|>=|!=|!~|[-+*/&|<>=~().,\[\]{}])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_PLAIN = {"'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/", "r": "\r", "n": "\n", "t": "\t", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the language: its kind (a group name of the pattern, or `end`), its text and its place."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of an expression, closed by one of kind `end`; BadExpression where none fits."""
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"an expression longer than {MAX_LENGTH} characters", MAX_LENGTH)
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadExpression("nothing that FHIRPath knows", at)
        kind = found.lastgroup or ""
        if kind != "space":
            yield _token(kind, found.group(), at)
        at = found.end()
    yield Token("end", "", at)


def _token(kind: str, text: str, at: int) -> Token:
    if kind in ("string", "quoted"):
        text = unescape(text[1:-1], at)
        kind = "word" if kind == "quoted" else kind
    elif kind == "external":
        text = text[1:].strip("`'\"")
    elif kind in ("moment", "special"):
        text = text[1:]
    return Token(kind, text, at)


def unescape(text: str, at: int) -> str:
    r"""A literal's inside with `\n`, `\'`, `\u00e9` and the like replaced by what they stand for."""
    if "\\" not in text:
        return text

    def replaced(found: re.Match[str]) -> str:
        code = found.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _PLAIN:
            raise BadExpression("an unknown escape in a text", at)
        return _PLAIN[code]

    return _ESCAPE.sub(replaced, text)
