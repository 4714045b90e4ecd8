"""Grounds other than consent on which a client's information may go: who, about whom, why, until when."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, Column, ForeignKey, Index, Text, text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Ground(SQLModel, table=True):
    """One act: a medical emergency (42 CFR 2.51), an audit or evaluation (2.53), a QSOA (2.11), a court order (2.61).

    `patients` and `types` NULL: all. It is never changed but for its end; the audit trail names it by its id.
    """

    id: str = Field(sa_column=Column(Key, primary_key=True))
    basis: str = Field(sa_column=Column(Text, nullable=False))
    party: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    patients: list[str] | None = Field(sa_column=Column(ARRAY(Key)))
    types: list[str] | None = Field(sa_column=Column(ARRAY(Key)))
    purposes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    document: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    recipient: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    affiliation: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    discloser: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    nature: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    starts: datetime = Field(sa_column=moment(nullable=False))
    ends: datetime | None = Field(sa_column=moment())
    recorded: datetime = Field(sa_column=moment(nullable=False))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))

    __table_args__ = (
        CheckConstraint("basis IN ('emergency', 'audit-evaluation', 'qsoa', 'court-order')", name="basis"),
        CheckConstraint(
            "basis <> 'emergency' OR (patients IS NOT NULL AND ends IS NOT NULL"
            " AND recipient <> '' AND affiliation <> '' AND discloser <> '' AND nature <> '')",
            name="emergency_is_complete",
        ),
        CheckConstraint("basis = 'emergency' OR document <> ''", name="agreement_is_written"),
        CheckConstraint("basis <> 'court-order' OR patients IS NOT NULL", name="order_names_clients"),
        Index("ix_ground_party", "party", "ends"),
        Index("ix_ground_recorded", text("recorded DESC")),
    )
