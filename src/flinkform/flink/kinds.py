"""What Flink's kinds of operators keep between rows, and what its loss means to a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from flinkform.flink.plan import Node

_TYPE = re.compile(r"stream-exec-(.+?)_\d+")


class Role(StrEnum):
    """How an operator is looked at when two plans are compared.

    CLEAR: each row is looked at alone, so that columns can be followed through it.
    PLAIN: keeps nothing, but what comes out is its own (a part of an aggregate, an exploded array).
    STATE: keeps rows or results.
    """

    CLEAR = "clear"
    PLAIN = "plain"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operator: its *label*, and what it means that it starts *empty*."""

    role: Role
    label: str
    empty: str = ""
    known: bool = True


_CLEAR = ("calc", "exchange", "union", "watermark-assigner", "mini-batch-assigner")
_PLAIN = {
    "correlate": "table function",
    "expand": "expansion",
    "lookup-join": "lookup join",
    "local-group-aggregate": "first phase of an aggregate",
    "local-window-aggregate": "first phase of a window aggregate",
    "window-table-function": "window",
    "drop-update-before": "change filter",
}
_RESTART = "results begin again with the rows read after the edit"
_WINDOWS = "windows under way restart with the rows read after the edit"
_JOINS = "rows read before the edit will not join"
_RANKS = "rows read before the edit are not ranked"
_SEEN = "keys seen before the edit count as new"
_FORGOTTEN = "rows written before the edit are no longer known, so a later retraction of one is not written"
_STATE = {
    "table-source-scan": ("source", "it reads from where its options say, not from where it was"),
    "values": ("values", "its rows are emitted again"),
    "sink": ("sink", _FORGOTTEN),
    "group-aggregate": ("aggregate", _RESTART),
    "global-group-aggregate": ("aggregate", _RESTART),
    "incremental-group-aggregate": ("aggregate", _RESTART),
    "group-table-aggregate": ("table aggregate", _RESTART),
    "python-group-aggregate": ("aggregate", _RESTART),
    "python-group-table-aggregate": ("table aggregate", _RESTART),
    "over-aggregate": ("over aggregate", _RESTART),
    "python-over-aggregate": ("over aggregate", _RESTART),
    "window-aggregate": ("window aggregate", _WINDOWS),
    "global-window-aggregate": ("window aggregate", _WINDOWS),
    "group-window-aggregate": ("window aggregate", _WINDOWS),
    "python-group-window-aggregate": ("window aggregate", _WINDOWS),
    "window-deduplicate": ("window deduplication", _WINDOWS),
    "window-rank": ("window Top-N", _WINDOWS),
    "window-join": ("window join", _WINDOWS),
    "session-window": ("session window", _WINDOWS),
    "join": ("join", _JOINS),
    "multi-join": ("join", _JOINS),
    "delta-join": ("join", _JOINS),
    "interval-join": ("interval join", _JOINS),
    "temporal-join": ("temporal join", "versions and rows read before the edit will not join"),
    "rank": ("Top-N", _RANKS),
    "limit": ("limit", "it counts from nought"),
    "sort": ("sort", _RANKS),
    "sort-limit": ("Top-N", _RANKS),
    "temporal-sort": ("sort", "rows that wait for their turn are lost"),
    "deduplicate": ("deduplication", _SEEN),
    "changelog-normalize": (
        "upsert source",
        "keys seen before the edit count as new, and their deletion is not passed on",
    ),
    "match": ("pattern match", "matches under way begin again"),
    "process-table-function": ("table function with state", _RESTART),
}
_QUIET = frozenset({"print", "blackhole"})
_UNKNOWN = "what it kept is not known to flinkform"


def kind(node: Node) -> Kind:
    """What a node is. Whatever is not in the table counts as keeping state."""
    name = short(node)
    if name in _CLEAR:
        return Kind(Role.CLEAR, name)
    if name == "window-table-function" and "Session" in str(node.get("windowing")):
        name = "session-window"
    if name in _PLAIN and not node.get("state"):
        return Kind(Role.PLAIN, _PLAIN[name])
    if name in _STATE:
        label, empty = _STATE[name]
        return Kind(Role.STATE, label, empty)
    return Kind(Role.STATE, _PLAIN.get(name, name), _UNKNOWN, known=name in _PLAIN)


def short(node: Node) -> str:
    """A node's type without Flink's prefix and version: `group-aggregate`."""
    match = _TYPE.fullmatch(node["type"])
    return match[1] if match else str(node["type"])


def source(node: Node) -> bool:
    return short(node) in ("table-source-scan", "values")


def sink(node: Node) -> bool:
    return short(node) == "sink"


def quiet(node: Node) -> bool:
    """A sink that keeps nothing: no rows to tell changes by, and a connector without state of its own."""
    if not sink(node) or materialised(node):
        return False
    options = node["dynamicTableSink"]["table"].get("resolvedTable", {}).get("options", {})
    return options.get("connector") in _QUIET


def materialised(node: Node) -> bool:
    """A sink that keeps every row it wrote, to turn changes into upserts."""
    return bool(node.get("requireUpsertMaterialize"))
