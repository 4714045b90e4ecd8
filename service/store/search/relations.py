"""How an asked date or number relates to a stored one. https://hl7.org/fhir/R4/search.html#prefix

For dates the asked interval is [low, high) and so is the stored one. For numbers the stored range is closed,
`eq` and `ne` look at the precision asked for, and all other prefixes at the number itself.
"""

from service.fhir.search.query import Amount, Moment, Prefix
from service.store.search.statement import Statement

_DATE: dict[Prefix, str] = {
    "eq": "{from_} >= {low} AND {from_} < {high} AND {to} <= {high}",
    "ne": "{from_} < {low} OR {to} > {high}",
    "gt": "{to} > {high}",
    "lt": "{from_} < {low}",
    "ge": "{from_} >= {low} OR {to} > {high}",
    "le": "{from_} < {low} OR {to} <= {high}",
    "sa": "{from_} >= {high}",
    "eb": "{to} <= {low}",
    "ap": "{from_} < {high} AND {to} > {low}",
}
"""The second bound of `eq` on `from_` follows from the rest; it lets an index end its range."""


def date(statement: Statement, asked: Moment, row: str) -> str:
    """A row of search_date in the relation asked for."""
    return _date(statement, asked, f"{row}.low", f"{row}.high")


def updated(statement: Statement, asked: Moment, row: str) -> str:
    """A resource whose `updated`, a whole millisecond, is in the relation asked for."""
    return _date(statement, asked, f"{row}.updated", f"({row}.updated + interval '1 millisecond')")


def _date(statement: Statement, asked: Moment, from_: str, to: str) -> str:
    form = _DATE[asked.prefix]
    low = statement.bind(asked.low, "timestamptz") if "{low}" in form else ""
    high = statement.bind(asked.high, "timestamptz") if "{high}" in form else ""
    return "(" + form.format(from_=from_, to=to, low=low, high=high) + ")"


_NUMBER: dict[Prefix, str] = {
    "eq": "{from_} >= {low} AND {from_} < {high} AND {to} < {high}",
    "ne": "{from_} < {low} OR {to} >= {high}",
    "ap": "{from_} <= {high} AND {to} >= {low}",
    "gt": "{to} > {value}",
    "ge": "{to} >= {value}",
    "lt": "{from_} < {value}",
    "le": "{from_} <= {value}",
    "sa": "{from_} > {value}",
    "eb": "{to} < {value}",
}


CONVERTED = "(left({0}.unit, 1) = '=')"
AS_WRITTEN = "(left({0}.unit, 1) <> '=')"
"""A number without a unit is asked of what was written, never of what it was converted to."""


def number(statement: Statement, asked: Amount, row: str) -> str:
    """A row of search_number in the relation asked for, in the unit asked for (see fhir.search.ucum)."""
    form = _NUMBER[asked.prefix]
    bound = {
        name: statement.bind(getattr(asked, name), "numeric")
        for name in ("low", "high", "value")
        if f"{{{name}}}" in form
    }
    relation = "(" + form.format(from_=f"{row}.low", to=f"{row}.high", **bound) + ")"
    if asked.unit is None:
        return f"({relation} AND {AS_WRITTEN.format(row)})"
    return f"({relation} AND {row}.unit = {statement.bind(asked.unit)})"
