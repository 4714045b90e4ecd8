"""People at the console: who is signed in, who is on the way in. Tokens are kept by their SHA-256 only."""

from datetime import datetime

from sqlalchemy import ARRAY, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class PersonSession(SQLModel, table=True):
    """A person who is signed in. `issuer` '' is this machine (`casebridge console link`); `sid` is the issuer's own
    name for the session, by which it may end it. `seen` moves at most once a minute."""

    __tablename__ = "person_session"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    issuer: str = Field(sa_column=Column(Key, nullable=False))
    subject: str = Field(sa_column=Column(Key, nullable=False, index=True))
    sid: str = Field(sa_column=Column(Key, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    started: datetime = Field(sa_column=moment(nullable=False))
    seen: datetime = Field(sa_column=moment(nullable=False))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))


class SignIn(SQLModel, table=True):
    """A sign-in that has gone to the issuer and may come back once, to the browser that began it."""

    __tablename__ = "sign_in"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))


class SignInLink(SQLModel, table=True):
    """A one-time link that an operator of this machine made for a person."""

    __tablename__ = "sign_in_link"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    expires: datetime = Field(sa_column=moment(nullable=False, index=True))
