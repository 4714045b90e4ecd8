"""The tables, declared once. Migrations are generated from them; hot statements are SQL in this package.

All instants are `timestamptz` in UTC. Text that is compared byte by byte has collation "C".
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata

Key = Text(collation="C")


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that a comparison of tables with the database knows the type


def _moment(**options: Any) -> Column[datetime]:
    return Column(DateTime(timezone=True), **options)


class Partner(SQLModel, table=True):
    """A system that may call us or that we call: a partner EHR, a referral agency, the casework system."""

    client_id: str = Field(sa_column=Column(Key, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    organization: str = Field(sa_column=Column(Key, nullable=False, index=True))  # Organization/{id}
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    jwks: dict[str, Any] | None = Field(sa_column=Column(JSONB))
    jwks_url: str | None = Field(sa_column=Column(Text))
    fhir_base: str | None = Field(sa_column=Column(Text))
    token_url: str | None = Field(sa_column=Column(Text))
    dialect: str = Field(sa_column=Column(Text, nullable=False, server_default="sdohcc"))
    delivery: str = Field(sa_column=Column(Text, nullable=False, server_default="poll"))
    disabled_at: datetime | None = Field(sa_column=_moment())
    created_at: datetime = Field(sa_column=_moment(nullable=False))

    __table_args__ = (
        CheckConstraint("dialect IN ('sdohcc', 'bser', 'cow')", name="dialect"),
        CheckConstraint("delivery IN ('push', 'subscribe', 'poll')", name="delivery"),
    )


class AccessToken(SQLModel, table=True):
    """An issued access token, by the SHA-256 of its text: the token itself is never stored."""

    __tablename__ = "access_token"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = Field(
        sa_column=Column(Key, ForeignKey("partner.client_id", ondelete="CASCADE"), nullable=False)
    )
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    expires_at: datetime = Field(sa_column=_moment(nullable=False, index=True))


class AssertionSeen(SQLModel, table=True):
    """A used client assertion: its jti may never come again within its life (RFC 7523, SMART 2.2)."""

    __tablename__ = "assertion_seen"
    client_id: str = Field(sa_column=Column(Key, primary_key=True))
    jti: str = Field(sa_column=Column(Key, primary_key=True))
    expires_at: datetime = Field(sa_column=_moment(nullable=False, index=True))


class SigningKey(SQLModel, table=True):
    """A key with which this service authenticates itself to partners; `private` is encrypted at rest."""

    __tablename__ = "signing_key"
    kid: str = Field(sa_column=Column(Key, primary_key=True))
    algorithm: str = Field(sa_column=Column(Text, nullable=False))
    public: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    private: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=_moment(nullable=False))
    retired_at: datetime | None = Field(sa_column=_moment())


class Resource(SQLModel, table=True):
    """The current version of every resource, and what finds it.

    `body` is what is served, byte for byte; NULL when deleted. `keys` are 64-bit hashes
    (`hashtextextended(key, 0)`) of the search keys that fhir.search extracts: tokens, references, uris and
    the presence of a parameter. `author` is the client_id of the partner that created it ('' = ourselves).
    """

    type: str = Field(sa_column=Column(Key))
    id: str = Field(sa_column=Column(Key))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    updated: datetime = Field(sa_column=_moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    author: str = Field(sa_column=Column(Key, nullable=False))
    patient: str | None = Field(sa_column=Column(Key))  # Patient/{id}: whose data this is
    body: bytes | None = Field(sa_column=Column(LargeBinary))
    keys: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))

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
    updated: datetime = Field(sa_column=_moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False))
    author: str = Field(sa_column=Column(Key, nullable=False))
    patient: str | None = Field(sa_column=Column(Key))
    body: bytes | None = Field(sa_column=Column(LargeBinary))

    __table_args__ = (
        PrimaryKeyConstraint("type", "id", "version"),
        Index("ix_resource_version_type_updated", "type", "updated", "id"),
    )


class SearchDate(SQLModel, table=True):
    """A date parameter's value as the half-open interval [low, high)."""

    __tablename__ = "search_date"
    row: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    type: str = Field(sa_column=Column(Key, nullable=False))
    param: str = Field(sa_column=Column(Key, nullable=False))
    id: str = Field(sa_column=Column(Key, nullable=False))
    low: datetime = Field(sa_column=_moment(nullable=False))
    high: datetime = Field(sa_column=_moment(nullable=False))

    __table_args__ = (
        Index("ix_search_date_low", "type", "param", "low", "id"),
        Index("ix_search_date_high", "type", "param", "high", "id"),
        Index("ix_search_date_owner", "type", "id"),
    )


class SearchString(SQLModel, table=True):
    """A string parameter's value: `value` folded for comparison, `exact` as written."""

    __tablename__ = "search_string"
    row: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    type: str = Field(sa_column=Column(Key, nullable=False))
    param: str = Field(sa_column=Column(Key, nullable=False))
    id: str = Field(sa_column=Column(Key, nullable=False))
    value: str = Field(sa_column=Column(Key, nullable=False))
    exact: str = Field(sa_column=Column(Key, nullable=False))

    __table_args__ = (
        Index("ix_search_string_value", "type", "param", text("left(value, 200)"), "id"),
        Index("ix_search_string_owner", "type", "id"),
    )


class SearchNumber(SQLModel, table=True):
    """A number or quantity as the half-open interval its precision implies; `unit` is `system|code` or ''."""

    __tablename__ = "search_number"
    row: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    type: str = Field(sa_column=Column(Key, nullable=False))
    param: str = Field(sa_column=Column(Key, nullable=False))
    id: str = Field(sa_column=Column(Key, nullable=False))
    low: float = Field(sa_column=Column(Numeric, nullable=False))
    high: float = Field(sa_column=Column(Numeric, nullable=False))
    unit: str = Field(sa_column=Column(Key, nullable=False))

    __table_args__ = (
        Index("ix_search_number_low", "type", "param", "low", "id"),
        Index("ix_search_number_owner", "type", "id"),
    )


class Share(SQLModel, table=True):
    """A resource made known to a partner by a referral. Knowing is not seeing: consent is asked at each read."""

    party: str = Field(sa_column=Column(Key, primary_key=True))
    type: str = Field(sa_column=Column(Key, primary_key=True))
    id: str = Field(sa_column=Column(Key, primary_key=True))
    loop: str = Field(sa_column=Column(Key, nullable=False))
    since: datetime = Field(sa_column=_moment(nullable=False))


class Record(SQLModel, table=True):
    """A casework record as the case-management system wrote it, under its own id."""

    source: str = Field(sa_column=Column(Key, primary_key=True))
    kind: str = Field(sa_column=Column(Key, primary_key=True))
    id: str = Field(sa_column=Column(Key, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    updated: datetime = Field(sa_column=_moment(nullable=False))
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
    updated: datetime = Field(sa_column=_moment(nullable=False))
    deleted: bool = Field(sa_column=Column(Boolean, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    resources: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    mapping: str = Field(sa_column=Column(Text, nullable=False))


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
    next_poll: datetime | None = Field(sa_column=_moment())
    opened: datetime = Field(sa_column=_moment(nullable=False))
    updated: datetime = Field(sa_column=_moment(nullable=False))

    __table_args__ = (
        CheckConstraint("direction IN ('outbound', 'inbound')", name="direction"),
        Index("uq_loop_source_record", "source", "record", unique=True),
        Index("ix_loop_next_poll", "next_poll", postgresql_where=text("next_poll IS NOT NULL")),
    )


class Event(SQLModel, table=True):
    """What partners did, in the case-management system's words. Read in (xid, id) order behind the oldest
    running transaction, so that a reader's cursor never passes an event that is still being committed."""

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    xid: int = Field(sa_column=Column(Xid8, nullable=False, server_default=text("pg_current_xact_id()")))
    source: str = Field(sa_column=Column(Key, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=_moment(nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    __table_args__ = (Index("ix_event_source_xid_id", "source", "xid", "id"),)


class Webhook(SQLModel, table=True):
    """Where the events of a casework system are pushed. `xid` and `event` are the cursor: what is behind it was
    taken; the events themselves are read from the feed, so nothing is lost while a receiver is away."""

    id: str = Field(sa_column=Column(Key, primary_key=True))
    source: str = Field(sa_column=Column(Key, ForeignKey("partner.client_id"), nullable=False))
    url: str = Field(sa_column=Column(Text, nullable=False))
    secrets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # encrypted, newest first
    xid: int = Field(sa_column=Column(Xid8, nullable=False))
    event: int = Field(sa_column=Column(BigInteger, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    due: datetime = Field(sa_column=_moment(nullable=False))
    lease: str | None = Field(sa_column=Column(Key))
    lease_until: datetime | None = Field(sa_column=_moment())
    stopped: str = Field(sa_column=Column(Text, nullable=False, server_default=""))  # why, '' while it runs
    last: str = Field(
        sa_column=Column(Text, nullable=False, server_default="")
    )  # what the last attempt came to
    created: datetime = Field(sa_column=_moment(nullable=False))

    __table_args__ = (Index("ix_webhook_due", "due", postgresql_where=text("stopped = ''")),)


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
    due: datetime = Field(sa_column=_moment(nullable=False))
    lease: str | None = Field(sa_column=Column(Key))
    lease_until: datetime | None = Field(sa_column=_moment())
    created: datetime = Field(sa_column=_moment(nullable=False))
    settled: datetime | None = Field(sa_column=_moment())

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'failing', 'delivered', 'dead', 'withheld')", name="state"),
        CheckConstraint("(settled IS NULL) = (state IN ('pending', 'failing'))", name="settled"),
        CheckConstraint("kind IN ('referral', 'status')", name="kind"),
        Index("ix_delivery_due", "due", postgresql_where=text("settled IS NULL")),
        Index("ix_delivery_order", "partner", "loop", "seq", postgresql_where=text("settled IS NULL")),
    )


class Attempt(SQLModel, table=True):
    """One try at a delivery: what was asked, what came back, how long it took. No content."""

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    delivery: str = Field(sa_column=Column(Key, ForeignKey("delivery.id"), nullable=False, index=True))
    at: datetime = Field(sa_column=_moment(nullable=False))
    request_id: str = Field(sa_column=Column(Text, nullable=False))
    status: int | None = Field(sa_column=Column(Integer))
    milliseconds: int = Field(sa_column=Column(Integer, nullable=False))
    outcome: str = Field(sa_column=Column(Text, nullable=False))
    detail: str = Field(sa_column=Column(Text, nullable=False, server_default=""))


class Audit(SQLModel, table=True):
    """The audit trail (columns: service/fhir/audited.py). INSERT only: a trigger refuses the rest.

    `about` holds the resource and the clients concerned, as `Type/id`.
    """

    id: str = Field(sa_column=Column(UUID(as_uuid=False), primary_key=True))
    at: datetime = Field(sa_column=_moment(nullable=False))
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
    """The chain's head at a moment, signed with a key that is not in the database."""

    __tablename__ = "audit_checkpoint"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=_moment(nullable=False))
    signature: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
