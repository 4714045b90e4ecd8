"""Who a client is under a grant, and which interviews are on record: what no second one may contradict."""

from datetime import date

from sqlalchemy import CheckConstraint, Column, Date, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key


class GpraClient(SQLModel, table=True):
    """The one GPRA client id of a client (`Patient/…`) under a grant; never another client's."""

    __tablename__ = "gpra_client"
    grant_no: str = Field(sa_column=Column(Key, primary_key=True))
    gpra_id: str = Field(sa_column=Column(Key, primary_key=True))
    patient: str = Field(sa_column=Column(Key, nullable=False))

    __table_args__ = (
        UniqueConstraint("grant_no", "patient"),
        CheckConstraint("length(gpra_id) BETWEEN 1 AND 15", name="gpra_id_length"),
    )


class GpraInterview(SQLModel, table=True):
    """An interview on record, by its key; `day` of one not conducted is when that was found."""

    __tablename__ = "gpra_interview"
    grant_no: str = Field(sa_column=Column(Key, primary_key=True))
    gpra_id: str = Field(sa_column=Column(Key, primary_key=True))
    type: str = Field(sa_column=Column(Key, primary_key=True))
    sequence: int = Field(primary_key=True)
    tool: str = Field(sa_column=Column(Key, primary_key=True, server_default="csat-gpra"))
    source: str = Field(sa_column=Column(Key, nullable=False))
    record: str = Field(sa_column=Column(Key, nullable=False))
    day: date = Field(sa_column=Column(Date, nullable=False))
    conducted: bool = Field(nullable=False)
    follow_up: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    gender: str = Field(sa_column=Column(Text, nullable=False, server_default=""))

    __table_args__ = (
        ForeignKeyConstraint(["grant_no", "gpra_id"], ["gpra_client.grant_no", "gpra_client.gpra_id"]),
        UniqueConstraint("source", "record"),
        Index("ix_gpra_interview_day", "grant_no", "type", "day"),
    )
