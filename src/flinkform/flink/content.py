"""What a node of a plan computes, free of names: two nodes with the same content do the same to the same rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flinkform.flink import kinds
from flinkform.flink.plan import Node

_DROPPED = frozenset({"id", "description", "inputProperties", "configuration", "state", "outputType"})
# Options of a table that say how fast, from where at the very first start, or as whom it is read: not what is read.
_HARMLESS = frozenset(
    {
        *("rows-per-second", "scan.parallelism", "sink.parallelism", "print-identifier"),
        *("scan.startup.mode", "scan.startup.timestamp-millis", "scan.startup.specific-offsets"),
        *("scan.watermark.alignment.group", "scan.watermark.idle-timeout", "scan.watermark.emit.strategy"),
        *("username", "password", "properties.group.id", "scan.topic-partition-discovery.interval"),
    }
)
_SET = frozenset({"source.monitor-interval"})
"""Options that matter by being there: a folder is read once, or watched however often."""
_HARMLESS_ENDS = ("ignore-parse-errors", "fail-on-missing-field")
_HARMLESS_STARTS = (
    "sink.buffer-flush.",
    "properties.sasl.",
    "properties.ssl.",
    "properties.security.",
    "properties.fetch.",
    "properties.max.",
)
# Options that a node carries and that change how fast it works, or what it refuses, never what it keeps.
_TUNING = ("table.exec.mini-batch.size", "table.exec.mini-batch.allow-latency", "table.exec.rank.topn-cache-size")
_WITHOUT_RETENTION = frozenset(
    {"table-source-scan", "values", "sink", "interval-join", "match", "temporal-sort", "session-window"}
)


def digest(value: Any) -> str:
    """A short name for a value; equal values have equal names."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def content(node: Node, inputs: Sequence[Sequence[Any]], *, ttl: bool | None, runs: str = "") -> dict[str, Any]:
    """What a node computes over the columns of its inputs, whose types are *inputs*, port by port.

    *ttl* and *runs* are what the job says of all its operators: see `Plan`. *ttl* is None where Flink turns state that
    expires into such that does not, and back.
    """
    if kinds.short(node) == "table-source-scan":
        return _scan(node)
    if kinds.sink(node):
        return _sink(node, inputs, ttl=ttl)
    found = {key: _nameless(value) for key, value in node.items() if key not in _DROPPED}
    found |= {key: [kind for _, kind in row(value)] for key, value in node.items() if key.endswith("RowType")}
    if kinds.short(node) == "group-aggregate":
        # Whether the old value is sent along is what its readers want; the count it keeps is the same.
        found.pop("generateUpdateBefore", None)
    if "matchSpec" in node:
        found["matchSpec"] = {**found["matchSpec"], "measures": _measures(node)}
    return {
        **found,
        "configuration": _configuration(node),
        "inputs": list(inputs),
        "output": [kind for _, kind in fields(node)],
        "ttl": expires(node, job=ttl) if ttl is not None else [],
        "configuration of all": runs,
    }


def fields(node: Node) -> list[tuple[str, Any]]:
    """Name and type of each column that comes out."""
    return row(node.get("outputType"))


def row(kind: Any) -> list[tuple[str, Any]]:
    """Name and type of each field of a row type, which Flink writes as a text or, where it must, as an object."""
    if isinstance(kind, Mapping):
        return [(field["name"], field["fieldType"]) for field in kind.get("fields", ())]
    text = str(kind or "").removesuffix(" NOT NULL")
    if not text.startswith("ROW<"):
        return []
    return [_field(part) for part in _parts(text[4:-1])]


def options(node: Node, place: str) -> dict[str, str]:
    """The options of a node's table that say what it reads or writes."""
    table = node[place]["table"]
    given = table.get("resolvedTable", {}).get("options")
    if given is None:
        return {"identifier": table.get("identifier", "")}
    return {
        key: "" if key in _SET else value
        for key, value in given.items()
        if key not in _HARMLESS and not key.endswith(_HARMLESS_ENDS) and not key.startswith(_HARMLESS_STARTS)
    }


def _scan(node: Node) -> dict[str, Any]:
    """Where rows come from. Which columns are read, and which rows are left out early, `lineage` follows."""
    spec = node["scanTableSource"]
    others = [a for a in spec.get("abilities") or () if a["type"] not in _FOLLOWED]
    return {
        "type": node["type"],
        "options": options(node, "scanTableSource"),
        "key": _key(spec["table"]),
        "abilities": others,
    }


_FOLLOWED = ("ReadingMetadata", "ProjectPushDown", "FilterPushDown", "WatermarkPushDown", "SourceWatermark")


def _sink(node: Node, inputs: Sequence[Sequence[Any]], *, ttl: bool | None) -> dict[str, Any]:
    """Where rows go; what was written is remembered only to turn changes into upserts."""
    spec = node["dynamicTableSink"]
    where = {"type": node["type"], "options": options(node, "dynamicTableSink"), "key": _key(spec["table"])}
    if not kinds.materialised(node):
        return where
    kept = {key: value for key, value in node.items() if key in ("inputUpsertKey", "conflictStrategy")}
    expiring = expires(node, job=False) if ttl is not None else []
    return {**where, **kept, "inputs": list(inputs), "ttl": expiring, "materialised": True}


def _key(table: Mapping[str, Any]) -> list[str]:
    return list(table.get("resolvedTable", {}).get("schema", {}).get("primaryKey", {}).get("columns", ()))


_NAMES = ("name", "fieldName", "temporary")


def _nameless(value: Any) -> Any:
    """A copy without the names people gave; a field of a row keeps its own, as it says which field is meant."""
    if isinstance(value, Mapping):
        meant = "kind" in value
        return {k: _nameless(v) for k, v in value.items() if meant or k not in _NAMES}
    if isinstance(value, list):
        return [_nameless(item) for item in value]
    return value


def _measures(node: Node) -> list[Any]:
    measures = node["matchSpec"]["measures"]
    return [_nameless(measures[name]) for name, _ in fields(node) if name in measures]


def _configuration(node: Node) -> dict[str, str]:
    return {key: value for key, value in (node.get("configuration") or {}).items() if key not in _TUNING}


def expires(node: Node, *, job: bool) -> list[Any]:
    """Which parts of the state expire; with expiry the state is written in another form."""
    if "state" in node:
        return [[part["index"], not str(part["ttl"]).startswith("0 ")] for part in node["state"]]
    name = kinds.short(node)
    if kinds.kind(node).role is kinds.Role.STATE and "window" not in name and name not in _WITHOUT_RETENTION:
        return [job]
    return []


def _parts(text: str) -> Iterable[str]:
    """The fields of a row type, cut at the commas that are not inside a type or a name."""
    depth, quoted, start = 0, False, 0
    for place, char in enumerate(text):
        if char == "`":
            quoted = not quoted
        elif not quoted:
            depth += (char in "<(") - (char in ">)")
            if char == "," and depth == 0:
                yield text[start:place].strip()
                start = place + 1
    if text[start:].strip():
        yield text[start:].strip()


def _field(text: str) -> tuple[str, str]:
    """A field's name between backquotes (doubled inside) and its type, without the comment that may follow."""
    end = 1
    while text[end] != "`" or text[end : end + 2] == "``":
        end += 2 if text[end] == "`" else 1
    return text[1:end].replace("``", "`"), text[end + 1 :].strip()
