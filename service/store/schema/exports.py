"""Bulk exports: what was asked, how far it is, and which resources each file names. No content: a file is rendered when
it is fetched, under the consent of that moment (docs/decisions/exports-without-content.md)."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, Column, ForeignKey, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Export(SQLModel, table=True):
    """One `$export`. `step` counts the pairs of kind and type that are done, `place` is where the next page of the
    present one begins. `patients` NULL: whoever there is."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    partner: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    level: str = Field(sa_column=Column(Text, nullable=False))
    request: str = Field(sa_column=Column(Text, nullable=False))
    types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    filters: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # Type?query
    patients: list[str] | None = Field(sa_column=Column(ARRAY(Text)))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    since: datetime | None = Field(sa_column=moment())
    asked: datetime = Field(sa_column=moment(nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    step: int = Field(sa_column=Column(Integer, nullable=False))
    place: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    notes: list[str] = Field(
        sa_column=Column(ARRAY(Text), nullable=False)
    )  # what was left out, for the error file
    why: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    due: datetime = Field(sa_column=moment(nullable=False))
    lease: str | None = Field(sa_column=Column(Key))
    lease_until: datetime | None = Field(sa_column=moment())
    polled: datetime | None = Field(sa_column=moment())
    touched: datetime | None = Field(sa_column=moment())  # when a file was last being fetched
    expires: datetime = Field(sa_column=moment(nullable=False))

    __table_args__ = (
        CheckConstraint("level IN ('system', 'patient', 'group')", name="level"),
        CheckConstraint("state IN ('running', 'complete', 'failed')", name="state"),
        Index("ix_export_partner", "partner"),
        Index("ix_export_due", "due", postgresql_where=text("state = 'running'")),
    )


class ExportFile(SQLModel, table=True):
    """A file of an export: resources of one type, deletions of one type, or what could not be done."""

    __tablename__ = "export_file"
    id: str = Field(sa_column=Column(Key, primary_key=True))
    export: str = Field(sa_column=Column(Key, ForeignKey("export.id", ondelete="CASCADE"), nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    type: str = Field(sa_column=Column(Key, nullable=False))
    number: int = Field(sa_column=Column(Integer, nullable=False))
    count: int = Field(sa_column=Column(Integer, nullable=False))

    __table_args__ = (
        CheckConstraint("kind IN ('output', 'deleted', 'error')", name="kind"),
        Index("ix_export_file_export", "export", "kind", "type", "number", unique=True),
    )


class ExportPart(SQLModel, table=True):
    """The ids of one page, in order. A page and the place behind it are one commit: a killed worker doubles nothing."""

    __tablename__ = "export_part"
    file: str = Field(
        sa_column=Column(Key, ForeignKey("export_file.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    ids: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
