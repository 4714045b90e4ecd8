"""How strings are compared: without case, accents and surplus white space."""

import unicodedata


def fold(text: str) -> str:
    """`  José  PÉREZ` and `jose perez` fold to the same text; applied to resources and to searches alike."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(unicodedata.normalize("NFKC", bare.casefold()).split())
