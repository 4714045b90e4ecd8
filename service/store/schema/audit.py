"""The audit trail and its chain."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class Audit(SQLModel, table=True):
    """The audit trail (columns: service/fhir/audited.py). INSERT only: a trigger refuses the rest.

    `about` holds the resource and the clients concerned, as `Type/id`.
    """

    id: str = Field(sa_column=Column(UUID(as_uuid=False), primary_key=True))
    at: datetime = Field(sa_column=moment(nullable=False))
    kind: str = Field(sa_column=Column(Key, nullable=False))
    action: str = Field(sa_column=Column(Key, nullable=False))
    outcome: str = Field(sa_column=Column(Key, nullable=False))
    client: str = Field(sa_column=Column(Key, nullable=False))
    organization: str = Field(sa_column=Column(Key, nullable=False))
    address: str = Field(sa_column=Column(Text, nullable=False))
    request: str = Field(sa_column=Column(Text, nullable=False))
    token: str = Field(sa_column=Column(Text, nullable=False))
    resource: str = Field(sa_column=Column(Key, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    about: list[str] = Field(sa_column=Column(ARRAY(Key), nullable=False))
    purpose: str = Field(sa_column=Column(Text, nullable=False))
    basis: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    consents: list[str] = Field(sa_column=Column(ARRAY(Key), nullable=False))
    detail: str = Field(sa_column=Column(Text, nullable=False))
    query_mac: str = Field(sa_column=Column(Text, nullable=False))

    __table_args__ = (
        Index("ix_audit_at", "at", "id"),
        Index("ix_audit_about", "about", postgresql_using="gin"),
        Index("ix_audit_organization", "organization", "at"),
    )


class AuditQuery(SQLModel, table=True):
    """The words of a search, which may be somebody's data: deleted on request, while the row's digest stays."""

    __tablename__ = "audit_query"
    id: str = Field(sa_column=Column(UUID(as_uuid=False), primary_key=True))
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))


class AuditUnsealed(SQLModel, table=True):
    """Rows that are committed and not yet in the chain: the sealer's line. Small, so it needs no index but its key."""

    __tablename__ = "audit_unsealed"
    id: str = Field(sa_column=Column(UUID(as_uuid=False), primary_key=True))


class AuditSeal(SQLModel, table=True):
    """One link of the chain: `hash` = SHA-256(previous hash, seq, id, leaf), `leaf` = SHA-256(canonical record)."""

    __tablename__ = "audit_seal"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str = Field(sa_column=Column(UUID(as_uuid=False), nullable=False, unique=True))
    leaf: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class AuditCheckpoint(SQLModel, table=True):
    """The chain's head at a moment, signed with a key that is not in the database. `previous`: the checkpoint before it
    (0: none); null in those of a release that did not say."""

    __tablename__ = "audit_checkpoint"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=moment(nullable=False))
    signature: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: int | None = Field(sa_column=Column(BigInteger))


class AuditKey(SQLModel, table=True):
    """A key that signed anchors and checkpoints under a secret before this one; vouched for by the newest key."""

    __tablename__ = "audit_key"
    public: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    at: datetime = Field(sa_column=moment(nullable=False))
    signature: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class AuditArchive(SQLModel, table=True):
    """The signed statement that links `first` to `last` of the chain are in a file, and how the chain stood there."""

    __tablename__ = "audit_archive"
    last: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    first: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # of the link `last`
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # SHA-256 of the file
    file: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=moment(nullable=False))
    signature: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
