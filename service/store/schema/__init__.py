"""The tables, declared once, a file a noun. Migrations are generated from them; hot statements are SQL in this package.

All instants are `timestamptz` in UTC. Text that is compared byte by byte has collation "C".
"""

from service.store.schema import (
    audit,
    duplicates,
    exports,
    gpra,
    grounds,
    guests,
    leads,
    loops,
    partners,
    people,
    persons,
    records,
    resources,
    search,
    subscriptions,
    tallies,
    timers,
)
from service.store.schema.columns import Xid8, metadata

__all__ = [
    "Xid8",
    "audit",
    "duplicates",
    "exports",
    "gpra",
    "grounds",
    "guests",
    "leads",
    "loops",
    "metadata",
    "partners",
    "people",
    "persons",
    "records",
    "resources",
    "search",
    "subscriptions",
    "tallies",
    "timers",
]
