"""One answer to one question of an instrument, refusals and not-asked included: a refusal is an answer,
not a no."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from service.casework.records.words import Coding, PartialDay, RecordId, Several, Text, Written, one_of

Missing = Literal["refused", "unknown", "not-asked", "not-applicable"]


def _decimal(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Amount = Annotated[Decimal, BeforeValidator(_decimal), Field(max_digits=18, decimal_places=6)]
"""A decimal number, its digits kept."""


class Answer(Written):
    """The answer to one question: exactly one of choices, yes, number, amount, words, day or missing."""

    question: RecordId
    """The question's linkId in the instrument: `audit-c.1`, `prapare.housing`, a GPRA item."""
    text: Text | None = None
    """The question as it was put, where the instrument's own words were changed or translated."""
    choices: Several[Coding] = ()
    """What was ticked; a code without system is a code of the question's own list."""
    yes: bool | None = None
    number: Annotated[int, Field(ge=-(10**9), le=10**9)] | None = None
    amount: Amount | None = None
    words: Text | None = None
    day: PartialDay | None = None
    missing: Missing | None = None

    _says = one_of("choices", "yes", "number", "amount", "words", "day", "missing")
