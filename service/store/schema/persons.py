"""Patients that a person has said to be one: which act said so, and who is one with whom by now."""

from datetime import datetime

from sqlalchemy import Boolean, Column, Index, text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Merged(SQLModel, table=True):
    """`source` was merged into `target` (`Patient/…` both); `ended`: taken back. `links`: both are our own, so that
    their bodies say it too; `active`: what the source's said before."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    source: str = Field(sa_column=Column(Key, nullable=False))
    target: str = Field(sa_column=Column(Key, nullable=False))
    at: datetime = Field(sa_column=moment(nullable=False))
    by: str = Field(sa_column=Column(Key, nullable=False))
    ended: datetime | None = Field(sa_column=moment())
    links: bool = Field(nullable=False)
    active: bool | None = Field(sa_column=Column(Boolean))

    __table_args__ = (
        Index("uq_merged_source", "source", unique=True, postgresql_where=text("ended IS NULL")),
        Index("ix_merged_target", "target"),
    )


class OnePerson(SQLModel, table=True):
    """Every Patient that is one with others now, the target of all among them: `root` is that target, `since` the
    moment from which this one is of the group. What reads it is `same_person(patient)`."""

    __tablename__ = "one_person"
    patient: str = Field(sa_column=Column(Key, primary_key=True))
    root: str = Field(sa_column=Column(Key, nullable=False, index=True))
    since: datetime = Field(sa_column=moment(nullable=False))
