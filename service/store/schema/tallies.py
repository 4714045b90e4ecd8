"""What measures told last, for pages that must be quick."""

from datetime import date, datetime

from sqlalchemy import Column, Date, LargeBinary
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Tally(SQLModel, table=True):
    """One measure as it was counted at `at`, over the days from `since` to `until`; the body is the flow's own JSON."""

    __tablename__ = "tally"
    measure: str = Field(sa_column=Column(Key, primary_key=True))
    at: datetime = Field(sa_column=moment(nullable=False))
    since: date = Field(sa_column=Column(Date, nullable=False))
    until: date = Field(sa_column=Column(Date, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
