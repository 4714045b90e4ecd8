"""Services of one client that may be one too many: whose services to compare, and what was found."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, Column, Date, Float, Identity, Index, Text, text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Uncompared(SQLModel, table=True):
    """A client of whom something was filed that services are compared by. Left behind by a trigger on `resource`."""

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    patient: str = Field(sa_column=Column(Key, nullable=False))


class Duplicate(SQLModel, table=True):
    """Two services that were found to be, or perhaps to be, the same. `id` is that of the DetectedIssue and the Task.

    `one` and `two`: `Type/id`, or a place in a plan (`CarePlan/1#group`). `hidden`: organisations that ask for one of
    them and may not be told of the other. `until`: both run until this day, where that is known. `resolution` '' is
    open; `units` and `weekly`: what is not given twice since, in all or a week.
    """

    id: str = Field(sa_column=Column(Key, primary_key=True))
    patient: str = Field(sa_column=Column(Key, nullable=False))
    one: str = Field(sa_column=Column(Key, nullable=False))
    two: str = Field(sa_column=Column(Key, nullable=False))
    service: str = Field(sa_column=Column(Key, nullable=False))
    grade: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    hidden: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    found: datetime = Field(sa_column=moment(nullable=False))
    until: date | None = Field(sa_column=Column(Date))
    resolution: str = Field(sa_column=Column(Text, nullable=False))
    resolved: datetime | None = Field(sa_column=moment())
    reason: str = Field(sa_column=Column(Text, nullable=False))
    withdrawn: str = Field(sa_column=Column(Key, nullable=False))
    units: float | None = Field(sa_column=Column(Float))
    weekly: float | None = Field(sa_column=Column(Float))

    __table_args__ = (
        Index("ix_duplicate_patient", "patient"),
        Index("ix_duplicate_until", "until", postgresql_where=text("resolution = ''")),
    )
