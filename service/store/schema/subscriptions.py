"""Subscriptions: partners' at our server, what happened for each, and ours at partners' servers."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
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

from service.store.schema.columns import Key, moment


class Subscription(SQLModel, table=True):
    """How a Subscription (the resource of this id) is served. `counter`: its events so far; `sent`: the last one that
    the endpoint took. `headers` are encrypted: in the resource their values are masked."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    partner: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    type: str = Field(sa_column=Column(Key, nullable=False))
    topic: str = Field(sa_column=Column(Text, nullable=False))
    filters: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # name, value, name, value …
    content: str = Field(sa_column=Column(Text, nullable=False))
    channel: str = Field(sa_column=Column(Text, nullable=False))
    endpoint: str = Field(sa_column=Column(Text, nullable=False))
    mime: str = Field(sa_column=Column(Text, nullable=False))
    headers: bytes = Field(sa_column=Column(LargeBinary, nullable=False, info={"vault": True}))
    heartbeat: int | None = Field(sa_column=Column(Integer))
    timeout: int | None = Field(sa_column=Column(Integer))
    max_count: int = Field(sa_column=Column(Integer, nullable=False))
    until: datetime | None = Field(sa_column=moment())
    status: str = Field(sa_column=Column(Text, nullable=False))
    counter: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    sent: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    due: datetime = Field(sa_column=moment(nullable=False))
    spoken: datetime = Field(sa_column=moment(nullable=False))  # when the endpoint last took something
    lease: str | None = Field(sa_column=Column(Key))
    lease_until: datetime | None = Field(sa_column=moment())
    why: str = Field(sa_column=Column(Text, nullable=False, server_default=""))  # the last attempt, in words
    created: datetime = Field(sa_column=moment(nullable=False))

    __table_args__ = (
        CheckConstraint("status IN ('requested', 'active', 'error', 'off')", name="status"),
        CheckConstraint("sent <= counter", name="sent"),
        Index("ix_subscription_type", "type", postgresql_where=text("status <> 'off'")),
        Index("ix_subscription_partner", "partner"),
    )


class Change(SQLModel, table=True):
    """A version of a type that somebody subscribes to, until it is weighed against each subscription. Written by the
    commit that writes the version; no subscription to a type, no row."""

    seq: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    type: str = Field(sa_column=Column(Key, nullable=False))
    id: str = Field(sa_column=Column(Key, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    at: datetime = Field(sa_column=moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False))


class SubscriptionEvent(SQLModel, table=True):
    """An event of a subscription, under its number; what it says is rendered when it is sent."""

    __tablename__ = "subscription_event"
    subscription: str = Field(
        sa_column=Column(Key, ForeignKey("subscription.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=moment(nullable=False))
    word: str = Field(sa_column=Column(Text, nullable=False))
    type: str = Field(sa_column=Column(Key, nullable=False))
    resource: str = Field(sa_column=Column(Key, nullable=False))
    version: int = Field(
        sa_column=Column(Integer, nullable=False)
    )  # that was live: before it, for a deletion

    __table_args__ = (
        CheckConstraint("word IN ('create', 'update', 'delete')", name="word"),
        Index("ix_subscription_event_at", "at"),
    )


class Listening(SQLModel, table=True):
    """How we hear of our referrals' Tasks at a partner: our Subscription there, and the search that fills what
    notifications leave out. `heard` is the highest event number known here; `polled` the partner's own clock."""

    partner: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), primary_key=True))
    handle: str = Field(
        sa_column=Column(Key, nullable=False, unique=True)
    )  # the last part of our endpoint's URL
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False, info={"vault": True}))  # encrypted
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # SHA-256 of the secret
    remote: str | None = Field(sa_column=Column(Text))  # Subscription/… on the partner's server
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="new"))
    heard: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    missing: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    heard_at: datetime | None = Field(sa_column=moment())
    polled: datetime | None = Field(sa_column=moment())
    next_poll: datetime = Field(sa_column=moment(nullable=False))
    next_look: datetime = Field(sa_column=moment(nullable=False))
    failures: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    why: str = Field(sa_column=Column(Text, nullable=False, server_default=""))

    __table_args__ = (
        CheckConstraint("state IN ('new', 'asked', 'active', 'error', 'refused')", name="state"),
        Index("ix_listening_next_look", "next_look"),
    )
