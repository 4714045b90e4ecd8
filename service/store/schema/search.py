"""The search index beside the keys of `resource`."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, Numeric, text
from sqlmodel import Field, SQLModel

from service.store.schema.columns import Key, moment


class SearchDate(SQLModel, table=True):
    """A date parameter's value as the half-open interval [low, high)."""

    __tablename__ = "search_date"
    row: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    type: str = Field(sa_column=Column(Key, nullable=False))
    param: str = Field(sa_column=Column(Key, nullable=False))
    id: str = Field(sa_column=Column(Key, nullable=False))
    low: datetime = Field(sa_column=moment(nullable=False))
    high: datetime = Field(sa_column=moment(nullable=False))

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
    """A number or quantity from `low` to `high`; `unit` is '', as written (`system|code`, `|name`), or the unit of its
    kind to which an amount of UCUM was converted (`=g`)."""

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
