"""Who may call us and whom we call, and how each proves who it is."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, Column, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


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
    disabled_at: datetime | None = Field(sa_column=moment())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    terms: dict[str, Any] = Field(
        sa_column=Column(JSONB, nullable=False, server_default="{}")
    )  # delivery/terms.py
    certificate: str = Field(
        sa_column=Column(Text, nullable=False, server_default="")
    )  # '' none is asked for

    __table_args__ = (
        CheckConstraint("dialect IN ('sdohcc', 'bser', 'cow')", name="dialect"),
        CheckConstraint("delivery IN ('push', 'subscribe', 'poll')", name="delivery"),
        CheckConstraint(
            "jsonb_typeof(terms) = 'object' AND coalesce(terms ->> 'at_once', '1') ~ '^([1-9]|1[0-6])$'"
            " AND coalesce(terms ->> 'rate', '1') ~ '^([1-9][0-9]{0,4}|100000)$'"
            " AND coalesce(terms ->> 'poll', '60') ~ '^[0-9]{2,5}$'",
            name="terms",
        ),
    )


class AccessToken(SQLModel, table=True):
    """An issued access token, by the SHA-256 of its text: the token itself is never stored."""

    __tablename__ = "access_token"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = Field(
        sa_column=Column(Key, ForeignKey("partner.client_id", ondelete="CASCADE"), nullable=False)
    )
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    expires_at: datetime = Field(sa_column=moment(nullable=False, index=True))
    certificate: str = Field(
        sa_column=Column(Text, nullable=False, server_default="")
    )  # x5t#S256 it is bound to


class AssertionSeen(SQLModel, table=True):
    """A used client assertion: its jti may never come again within its life (RFC 7523, SMART 2.2)."""

    __tablename__ = "assertion_seen"
    client_id: str = Field(sa_column=Column(Key, primary_key=True))
    jti: str = Field(sa_column=Column(Key, primary_key=True))
    expires_at: datetime = Field(sa_column=moment(nullable=False, index=True))


class Credential(SQLModel, table=True):
    """What we show at one of a partner's servers beside or instead of a SMART token: a client certificate, or a bearer
    token that the partner gave us. Bound to the server's origin (scheme, host, port) and shown nowhere else."""

    origin: str = Field(sa_column=Column(Key, primary_key=True))
    client_id: str = Field(
        sa_column=Column(Key, ForeignKey("partner.client_id", ondelete="CASCADE"), nullable=False, index=True)
    )
    certificate: str = Field(sa_column=Column(Text, nullable=False, server_default=""))  # PEM, '' for none
    private: bytes | None = Field(
        sa_column=Column(LargeBinary, info={"vault": True})
    )  # the certificate's key
    bearer: bytes | None = Field(sa_column=Column(LargeBinary, info={"vault": True}))
    created_at: datetime = Field(sa_column=moment(nullable=False))


class SigningKey(SQLModel, table=True):
    """A key with which this service authenticates itself to partners; `private` is encrypted at rest."""

    __tablename__ = "signing_key"
    kid: str = Field(sa_column=Column(Key, primary_key=True))
    algorithm: str = Field(sa_column=Column(Text, nullable=False))
    public: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    private: bytes = Field(sa_column=Column(LargeBinary, nullable=False, info={"vault": True}))
    created_at: datetime = Field(sa_column=moment(nullable=False))
    retired_at: datetime | None = Field(sa_column=moment())
