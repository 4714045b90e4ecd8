"""People without any FHIR, at an agency or clients: one-time links to one Task, and the visits they open. By digest
only."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class GuestLink(SQLModel, table=True):
    """A link that opens one Task once."""

    __tablename__ = "guest_link"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    task: str = Field(sa_column=Column(Key, nullable=False))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))


class GuestVisit(SQLModel, table=True):
    """A browser that a link was opened in, until it ends."""

    __tablename__ = "guest_visit"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    task: str = Field(sa_column=Column(Key, nullable=False))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))
