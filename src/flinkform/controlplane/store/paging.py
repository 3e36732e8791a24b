"""One page of a longer list."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, RowMapping, Select, func, select

Item = TypeVar("Item")


class Page(NamedTuple, Generic[Item]):
    """Some items, and how many there are on all pages."""

    items: list[Item]
    total: int


def cut(db: Connection, query: Select[Any], *, offset: int, limit: int) -> Page[RowMapping]:
    """Ask for one stretch of an ordered query, and for its length."""
    total = db.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    rows = db.execute(query.offset(offset).limit(limit)).mappings().all()
    return Page(list(rows), total or 0)
