"""SQL that says what somebody is called, for lists: put where a column with the reference is named."""

from collections.abc import Iterable
from typing import Any


def person(column: str) -> str:
    """What the PractitionerRole or Practitioner (`Type/id`) in a column says the person is called; NULL if nothing."""
    return f"""(SELECT coalesce(b #>> '{{practitioner,display}}', b #>> '{{name,0,text}}', nullif(concat_ws(' ',
      b #>> '{{name,0,given,0}}', b #>> '{{name,0,family}}'), '')) FROM (
        SELECT convert_from(r.body, 'UTF8')::json AS b FROM resource r WHERE r.type = split_part({column}, '/', 1)
          AND r.id = split_part({column}, '/', 2) AND NOT r.deleted) s)"""  # noqa: S608


def agency(column: str) -> str:
    """What the Organization in a column is called: as a partner, else by its entry; NULL if nothing is known."""
    return f"""coalesce((SELECT a.name FROM partner a WHERE a.organization = {column} LIMIT 1),
      (SELECT convert_from(o.body, 'UTF8')::json ->> 'name' FROM resource o
       WHERE o.type = 'Organization' AND o.id = split_part({column}, '/', 2) AND NOT o.deleted))"""  # noqa: S608


async def names(connection: Any, references: Iterable[str]) -> dict[str, str]:
    """What these people are called; who is not known is left out."""
    sql = f"SELECT w, {person('w')} AS name FROM unnest($1::text[]) w"  # noqa: S608
    found = await connection.fetch(sql, sorted({*references}))
    return {each["w"]: each["name"] for each in found if each["name"]}
