"""Referral loops, and the outbox that carries them."""

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


class Loop(SQLModel, table=True):
    """One referral, from asking to closed, between the casework system and one partner.

    `id` is the id of our Task. `record` is the casework id under which the case manager knows it.
    """

    id: str = Field(sa_column=Column(Key, primary_key=True))
    direction: str = Field(sa_column=Column(Text, nullable=False))
    source: str = Field(sa_column=Column(Key, nullable=False))
    record: str = Field(sa_column=Column(Key, nullable=False))
    partner: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    patient: str = Field(sa_column=Column(Key, nullable=False))
    request: str | None = Field(sa_column=Column(Key))
    status: str = Field(sa_column=Column(Text, nullable=False))
    closed: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    remote_task: str | None = Field(sa_column=Column(Text))
    remote_seen: str | None = Field(sa_column=Column(Text))
    next_poll: datetime | None = Field(sa_column=moment())
    opened: datetime = Field(sa_column=moment(nullable=False))
    updated: datetime = Field(sa_column=moment(nullable=False))
    parent: str | None = Field(sa_column=Column(Key))  # the loop that came in and that this one passes on
    stirred: datetime | None = Field(sa_column=moment())  # since when its parts, or its whole, have moved
    abort: str | None = Field(
        sa_column=Column(Key)
    )  # the Task by which its cancellation is asked for, while it is
    abort_remote: str | None = Field(sa_column=Column(Text))  # where the partner keeps its copy of that
    stalled: datetime | None = Field(sa_column=moment())  # when somebody was told that nothing moves
    refused: int | None = Field(
        sa_column=Column(Integer)
    )  # how many parts it had when it was told that all refused

    __table_args__ = (
        CheckConstraint("direction IN ('outbound', 'inbound')", name="direction"),
        Index("ix_loop_parent", "parent", postgresql_where=text("parent IS NOT NULL")),
        Index("ix_loop_stirred", "stirred", postgresql_where=text("stirred IS NOT NULL")),
        Index("ix_loop_updated", "updated", postgresql_where=text("NOT closed")),
        Index("uq_loop_source_record", "source", "record", unique=True),
        Index("ix_loop_next_poll", "next_poll", postgresql_where=text("next_poll IS NOT NULL")),
        Index("ix_loop_abort", "abort", unique=True, postgresql_where=text("abort IS NOT NULL")),
        Index("ix_loop_opened", "opened", "id"),
        Index("ix_loop_patient", "patient"),
    )


class Delivery(SQLModel, table=True):
    """The outbox: something to tell a partner. `refs` name resources; the payload is rendered at send time."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    seq: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))
    partner: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    loop: str = Field(sa_column=Column(Key, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    refs: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="pending"))
    reason: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    due: datetime = Field(sa_column=moment(nullable=False))
    lease: str | None = Field(sa_column=Column(Key))
    lease_until: datetime | None = Field(sa_column=moment())
    created: datetime = Field(sa_column=moment(nullable=False))
    settled: datetime | None = Field(sa_column=moment())

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'failing', 'delivered', 'dead', 'withheld')", name="state"),
        CheckConstraint("(settled IS NULL) = (state IN ('pending', 'failing'))", name="settled"),
        CheckConstraint("kind IN ('referral', 'status', 'cancellation')", name="kind"),
        Index("ix_delivery_due", "partner", "due", postgresql_where=text("settled IS NULL")),
        Index(
            "ix_delivery_leased", "partner", "lease_until", postgresql_where=text("lease_until IS NOT NULL")
        ),
        Index("ix_delivery_order", "partner", "loop", "seq", postgresql_where=text("settled IS NULL")),
        Index("ix_delivery_seq", "seq"),
        Index("ix_delivery_loop", "loop", "seq"),
        Index(
            "ix_delivery_trouble",
            "state",
            "seq",
            postgresql_where=text("state IN ('failing', 'dead', 'withheld')"),
        ),
    )


class Attempt(SQLModel, table=True):
    """One try at a delivery: what was asked, what came back, how long it took. No content."""

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    delivery: str = Field(sa_column=Column(Key, ForeignKey("delivery.id"), nullable=False, index=True))
    at: datetime = Field(sa_column=moment(nullable=False))
    request_id: str = Field(sa_column=Column(Text, nullable=False))
    status: int | None = Field(sa_column=Column(Integer))
    milliseconds: int = Field(sa_column=Column(Integer, nullable=False))
    outcome: str = Field(sa_column=Column(Text, nullable=False))
    detail: str = Field(sa_column=Column(Text, nullable=False, server_default=""))


class Message(SQLModel, table=True):
    """A message that was taken from a partner, by its id; `digest` is of what it said. No content."""

    partner: str = Field(
        sa_column=Column(Key, ForeignKey("partner.client_id", ondelete="CASCADE"), primary_key=True)
    )
    id: str = Field(sa_column=Column(Key, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    answer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=moment(nullable=False, index=True))


class Offer(SQLModel, table=True):
    """Who may claim an open referral: the first to claim its Task has it, and the rows are gone."""

    task: str = Field(sa_column=Column(Key, primary_key=True))
    partner: str = Field(
        sa_column=Column(Key, ForeignKey("partner.client_id", ondelete="CASCADE"), primary_key=True)
    )
    since: datetime = Field(sa_column=moment(nullable=False))
    until: datetime | None = Field(
        sa_column=moment()
    )  # when it should have been claimed; None: as stalled loops
    told: datetime | None = Field(sa_column=moment())  # when somebody was told that nobody claims it

    __table_args__ = (Index("ix_offer_since", "since", postgresql_where=text("told IS NULL")),)


class Reach(SQLModel, table=True):
    """How a partner can be reached (delivery/plan.py). Only partners that fail, or that are paced, have a row."""

    partner: str = Field(
        sa_column=Column(Key, ForeignKey("partner.client_id", ondelete="CASCADE"), primary_key=True)
    )
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="closed"))
    failures: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    trips: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    until: datetime | None = Field(sa_column=moment())
    since: datetime | None = Field(sa_column=moment())
    sent: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))

    __table_args__ = (CheckConstraint("state IN ('closed', 'open', 'half-open')", name="state"),)
