"""What is due: the clients whose cases are watched, what was last told of each item, and agencies' calendars."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, Column, Date, Identity, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Stirred(SQLModel, table=True):
    """A client of whom something was filed that may change what is due. Left behind by a trigger on `resource`."""

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    patient: str = Field(sa_column=Column(Key, nullable=False))


class DueClient(SQLModel, table=True):
    """A client whose case is watched, and when to look again though nothing is filed."""

    __tablename__ = "due_client"
    patient: str = Field(sa_column=Column(Key, primary_key=True))
    source: str = Field(sa_column=Column(Key, nullable=False))
    client: str = Field(sa_column=Column(Key, nullable=False))
    look: datetime = Field(sa_column=moment(nullable=False))

    __table_args__ = (Index("ix_due_client_look", "look"),)


class DueItem(SQLModel, table=True):
    """One thing that is or was due, as it was last computed and told. `id` is the id of its Task."""

    __tablename__ = "due_item"
    id: str = Field(sa_column=Column(Key, primary_key=True))
    patient: str = Field(sa_column=Column(Key, nullable=False))
    timer: str = Field(sa_column=Column(Text, nullable=False))
    subject: str = Field(sa_column=Column(Key, nullable=False))
    due: datetime = Field(sa_column=moment(nullable=False))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    owner: str = Field(
        sa_column=Column(Key, nullable=False)
    )  # the case manager's record id; '' for the agency
    ended: datetime | None = Field(sa_column=moment())
    by: str = Field(sa_column=Column(Text, nullable=False))
    task: bool = Field(nullable=False)  # False for what was over before it was first seen: nobody was asked
    told: bool = Field(nullable=False)  # was any event told of it?

    __table_args__ = (
        Index("ix_due_item_patient", "patient"),
        Index(
            "ix_due_item_open",
            "due",
            "id",
            postgresql_where=text("stage IN ('soon', 'due', 'overdue', 'escalated')"),
        ),
    )


class AgencyCalendar(SQLModel, table=True):
    """When an agency works. `agency` is the casework system's client_id."""

    __tablename__ = "agency_calendar"
    agency: str = Field(sa_column=Column(Key, primary_key=True))
    zone: str = Field(sa_column=Column(Text, nullable=False))
    week: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    holidays: list[date] = Field(sa_column=Column(ARRAY(Date), nullable=False))
