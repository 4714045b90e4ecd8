"""Who leads whose case. That an open case always has exactly one lead is a matter of constraints, not of care.

- `lead` holds contiguous periods: each but the first names the end of the one before it, which must exist (a foreign
  key) and be its own start (a check); no two name the same one, only one is first, only one is open. So periods of a
  course neither overlap nor leave a gap.
- `course` names the lead that is open; without one only when it is closed. The foreign key includes `open`, so that a
  lead cannot be ended unless the course names another by the end of the same transaction.
"""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Course(SQLModel, table=True):
    """One client's case from the first assignment to the closing; reopened, it is another course.

    `episode` is the id of our EpisodeOfCare, `patient` a reference, `source` the casework system's client_id.
    """

    id: str = Field(sa_column=Column(Key, primary_key=True))
    episode: str = Field(sa_column=Column(Key, nullable=False))
    patient: str = Field(sa_column=Column(Key, nullable=False))
    source: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    lead: str | None = Field(sa_column=Column(Key))
    led: bool | None = Field(sa_column=Column(Boolean))
    closed: datetime | None = Field(sa_column=moment())

    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "lead", "led"], ["lead.course", "lead.id", "lead.open"], name="fk_course_lead",
            deferrable=True, initially="DEFERRED", use_alter=True,
        ),
        CheckConstraint("(closed IS NULL) = (lead IS NOT NULL AND led IS TRUE)", name="open_is_led"),
        CheckConstraint("(lead IS NULL) = (led IS NULL)", name="lead_and_led"),
        Index("uq_course_patient", "patient", unique=True, postgresql_where=text("closed IS NULL")),
        Index("uq_course_episode", "episode", unique=True, postgresql_where=text("closed IS NULL")),
        Index("ix_course_patient_all", "patient"),
        Index("ix_course_episode_all", "episode"),
    )  # fmt: skip


class Lead(SQLModel, table=True):
    """Somebody leads in [`starts`, `ends`); `previous` is where the lead before ended."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    course: str = Field(sa_column=Column(Key, ForeignKey("course.id"), nullable=False))
    worker: str = Field(sa_column=Column(Key, nullable=False))
    agency: str = Field(sa_column=Column(Key, nullable=False))
    person: str = Field(sa_column=Column(Key, nullable=False, server_default=""))
    record: str = Field(sa_column=Column(Key, nullable=False, server_default=""))
    starts: datetime = Field(sa_column=moment(nullable=False))
    ends: datetime | None = Field(sa_column=moment())
    previous: datetime | None = Field(sa_column=moment())
    open: bool = Field(sa_column=Column(Boolean, nullable=False))

    __table_args__ = (
        UniqueConstraint("course", "ends", name="uq_lead_ends"),
        UniqueConstraint("course", "previous", name="uq_lead_previous"),
        UniqueConstraint("course", "id", "open", name="uq_lead_open"),
        ForeignKeyConstraint(
            ["course", "previous"], ["lead.course", "lead.ends"], name="fk_lead_previous",
            deferrable=True, initially="DEFERRED",
        ),
        CheckConstraint("previous = starts", name="no_gap"),
        CheckConstraint("starts < ends", name="forward"),
        CheckConstraint("open = (ends IS NULL)", name="open"),
        Index("uq_lead_course_first", "course", unique=True, postgresql_where=text("previous IS NULL")),
        Index("uq_lead_course_open", "course", unique=True, postgresql_where=text("ends IS NULL")),
        Index("ix_lead_worker", "worker", postgresql_where=text("ends IS NULL")),
        Index("ix_lead_starts", "starts", "course", postgresql_where=text("ends IS NULL")),
    )  # fmt: skip


class Cover(SQLModel, table=True):
    """Somebody stands in for the lead in [`starts`, `ends`). `began`, `ended`: the casework system was told."""

    course: str = Field(sa_column=Column(Key, ForeignKey("course.id"), primary_key=True))
    starts: datetime = Field(sa_column=moment(primary_key=True))
    ends: datetime = Field(sa_column=moment(nullable=False))
    worker: str = Field(sa_column=Column(Key, nullable=False))
    agency: str = Field(sa_column=Column(Key, nullable=False))
    person: str = Field(sa_column=Column(Key, nullable=False, server_default=""))
    record: str = Field(sa_column=Column(Key, nullable=False, server_default=""))
    began: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    ended: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))

    __table_args__ = (
        CheckConstraint("starts < ends", name="forward"),
        Index("ix_cover_begins", "starts", postgresql_where=text("NOT began")),
        Index("ix_cover_ends", "ends", postgresql_where=text("NOT ended")),
    )


class Transfer(SQLModel, table=True):
    """A transfer of the lead that waits for its answer; settled, only its Task remains. One at a time."""

    task: str = Field(sa_column=Column(Key, primary_key=True))
    course: str = Field(sa_column=Column(Key, ForeignKey("course.id"), nullable=False, unique=True))
    asked_by: str = Field(sa_column=Column(Key, nullable=False))
    worker: str = Field(sa_column=Column(Key, nullable=False))
    agency: str = Field(sa_column=Column(Key, nullable=False))
    person: str = Field(sa_column=Column(Key, nullable=False, server_default=""))
    record: str = Field(sa_column=Column(Key, nullable=False, server_default=""))
    accepted: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
