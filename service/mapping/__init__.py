"""Casework records ⇄ FHIR R4, pure: no I/O, no clock, no random ids. `table[kind]` holds both directions.

Flows call `replace` for a PUT, `withdraw` for a DELETE, `table[kind].to_record` to read back,
`inbound.read` for what a partner sends, `answer.answered` for a case manager's answer.
"""

from service.mapping.context import Directory, Mapped, MappingContext, Source, Told
from service.mapping.table import VERSION, Mapping, replace, table, withdraw

__all__ = [
    "VERSION",
    "Directory",
    "Mapped",
    "Mapping",
    "MappingContext",
    "Source",
    "Told",
    "replace",
    "table",
    "withdraw",
]
