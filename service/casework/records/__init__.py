"""Records as the case-management system hands them over, one file a kind; `kinds` is the table of them.

Numbers such as (#41) are requirements of CASEWORK.md §4.2 that a field serves.
"""

from service.casework.records.kinds import Kind, Record, example, kinds, schema
from service.casework.records.mentions import mentions
from service.casework.records.reading import is_answer, read, read_answer, write

__all__ = [
    "Kind",
    "Record",
    "example",
    "is_answer",
    "kinds",
    "mentions",
    "read",
    "read_answer",
    "schema",
    "write",
]
