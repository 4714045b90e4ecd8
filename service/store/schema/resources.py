"""FHIR resources, their versions and what a partner knows of."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Resource(SQLModel, table=True):
    """The current version of every resource, and what finds it.

    `body` is what is served, byte for byte; NULL when deleted. `keys` are 64-bit hashes
    (`hashtextextended(key, 0)`) of the search keys that fhir.search extracts: tokens, references, uris and
    the presence of a parameter. `orders` are the texts that
    sort by a token or a reference, `indexed` the edition (`fhir.search.edition`) of the rules that wrote all of the
    index. `author` is the client_id of the partner that created it ('' = ourselves); `rewritten`: somebody else made
    this version or one before it.
    """

    type: str = Field(sa_column=Column(Key))
    id: str = Field(sa_column=Column(Key))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    updated: datetime = Field(sa_column=moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    author: str = Field(sa_column=Column(Key, nullable=False))
    patient: str | None = Field(sa_column=Column(Key))  # Patient/{id}: whose data this is
    body: bytes | None = Field(sa_column=Column(LargeBinary))
    rewritten: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    keys: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    orders: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))
    indexed: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))

    __table_args__ = (
        PrimaryKeyConstraint("type", "id"),
        CheckConstraint("deleted = (body IS NULL)", name="deleted_has_no_body"),
        Index("ix_resource_keys", "keys", postgresql_using="gin"),
        Index("ix_resource_type_updated", "type", "updated", "id"),
        Index("ix_resource_patient", "patient", "type", postgresql_where=text("patient IS NOT NULL")),
    )


class ResourceVersion(SQLModel, table=True):
    """Versions that are no longer current. The current row of `resource` is its own latest version."""

    __tablename__ = "resource_version"
    type: str = Field(sa_column=Column(Key))
    id: str = Field(sa_column=Column(Key))
    version: int = Field(sa_column=Column(Integer))
    updated: datetime = Field(sa_column=moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False))
    author: str = Field(sa_column=Column(Key, nullable=False))
    patient: str | None = Field(sa_column=Column(Key))
    body: bytes | None = Field(sa_column=Column(LargeBinary))
    rewritten: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))

    __table_args__ = (
        PrimaryKeyConstraint("type", "id", "version"),
        Index("ix_resource_version_type_updated", "type", "updated", "id"),
    )


class Share(SQLModel, table=True):
    """A resource made known to a partner by a referral, once for each: what one of them no longer makes known, another
    still may. Knowing is not seeing: consent is asked at each read."""

    party: str = Field(sa_column=Column(Key, primary_key=True))
    type: str = Field(sa_column=Column(Key, primary_key=True))
    id: str = Field(sa_column=Column(Key, primary_key=True))
    loop: str = Field(sa_column=Column(Key, primary_key=True))
    since: datetime = Field(sa_column=moment(nullable=False))


class Newcomer(SQLModel, table=True):
    """A version of a Patient that has not been compared with the other Patients yet (flows/recognise)."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
