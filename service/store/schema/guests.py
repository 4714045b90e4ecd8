"""People at an agency without any FHIR: one-time links to one referral, and the visits they open. By digest only."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class GuestLink(SQLModel, table=True):
    """A link that opens one referral once."""

    __tablename__ = "guest_link"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    loop: str = Field(sa_column=Column(Key, ForeignKey("loop.id"), nullable=False))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))


class GuestVisit(SQLModel, table=True):
    """A browser that a link was opened in, until it ends."""

    __tablename__ = "guest_visit"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    loop: str = Field(sa_column=Column(Key, ForeignKey("loop.id"), nullable=False))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))
