"""The case-management system's own records and the events it is told."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, Xid8, moment


class Record(SQLModel, table=True):
    """A casework record as the case-management system wrote it, under its own id."""

    source: str = Field(sa_column=Column(Key, primary_key=True))
    kind: str = Field(sa_column=Column(Key, primary_key=True))
    id: str = Field(sa_column=Column(Key, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    updated: datetime = Field(sa_column=moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    resources: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # what it became: Type/id
    mapping: str = Field(
        sa_column=Column(Text, nullable=False, server_default="1")
    )  # by which mapping version

    __table_args__ = (Index("ix_record_resources", "resources", postgresql_using="gin"),)


class RecordVersion(SQLModel, table=True):
    """Versions of records that are no longer current. The current row of `record` is its own latest version."""

    __tablename__ = "record_version"
    source: str = Field(sa_column=Column(Key, primary_key=True))
    kind: str = Field(sa_column=Column(Key, primary_key=True))
    id: str = Field(sa_column=Column(Key, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    updated: datetime = Field(sa_column=moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    resources: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    mapping: str = Field(sa_column=Column(Text, nullable=False))


class Event(SQLModel, table=True):
    """What partners did, in the case-management system's words. Read in (xid, id) order behind the oldest
    running transaction, so that a reader's cursor never passes an event that is still being committed."""

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    xid: int = Field(sa_column=Column(Xid8, nullable=False, server_default=text("pg_current_xact_id()")))
    source: str = Field(sa_column=Column(Key, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=moment(nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    __table_args__ = (Index("ix_event_source_xid_id", "source", "xid", "id"),)


class Webhook(SQLModel, table=True):
    """Where the events of a casework system are pushed. `xid` and `event` are the cursor: what is behind it was
    taken; the events themselves are read from the feed, so nothing is lost while a receiver is away."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    source: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    url: str = Field(sa_column=Column(Text, nullable=False))
    secrets: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False, info={"vault": True})
    )  # newest first
    xid: int = Field(sa_column=Column(Xid8, nullable=False))
    event: int = Field(sa_column=Column(BigInteger, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    due: datetime = Field(sa_column=moment(nullable=False))
    lease: str | None = Field(sa_column=Column(Key))
    lease_until: datetime | None = Field(sa_column=moment())
    stopped: str = Field(sa_column=Column(Text, nullable=False, server_default=""))  # why, '' while it runs
    last: str = Field(
        sa_column=Column(Text, nullable=False, server_default="")
    )  # what the last attempt came to
    created: datetime = Field(sa_column=moment(nullable=False))

    __table_args__ = (Index("ix_webhook_due", "due", postgresql_where=text("stopped = ''")),)
