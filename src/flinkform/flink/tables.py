"""What a plan says of its tables: Flink writes of a temporary one the name alone, we what it is as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_MARK = "temporary"


def unsaid(value: Any) -> set[str]:
    """The identifiers of tables of which a part of a plan says nothing else."""
    return {table["identifier"] for table in _tables(value) if "resolvedTable" not in table}


def known(value: Any) -> dict[str, Any]:
    """What a part of a plan says of its tables, by identifier."""
    return {table["identifier"]: table["resolvedTable"] for table in _tables(value) if "resolvedTable" in table}


def told(value: Any, tables: Mapping[str, Any]) -> Any:
    """A copy that says of each table what *tables* know, marked as not for Flink."""

    def tell(table: Mapping[str, Any]) -> Mapping[str, Any]:
        if "resolvedTable" in table or table["identifier"] not in tables:
            return table
        return {**table, "resolvedTable": tables[table["identifier"]], _MARK: True}

    return _each(value, tell)


def bare(value: Any) -> Any:
    """A copy without what `told` added: Flink looks a temporary table up by its name, as it wrote it."""
    added = ("resolvedTable", _MARK)
    return _each(value, lambda table: {k: v for k, v in table.items() if k not in added} if _MARK in table else table)


def _tables(value: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if _is_table(value.get("table")):
            yield value["table"]
        for item in value.values():
            yield from _tables(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _tables(item)


def _each(value: Any, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Any:
    if isinstance(value, Mapping):
        return {k: change(v) if k == "table" and _is_table(v) else _each(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    return value


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and "identifier" in value
