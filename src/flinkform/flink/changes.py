"""Which operators send changes of rows they sent before, and which can bear that such a change never comes."""

from __future__ import annotations

from flinkform.flink.kinds import Role, kind, materialised, short, sink
from flinkform.flink.plan import Node, Plan

_INSERTS = frozenset(
    {
        *("window-aggregate", "global-window-aggregate", "window-deduplicate", "window-rank", "window-join"),
        *("interval-join", "match", "values", "python-group-window-aggregate"),
    }
)
_PASSING = frozenset({"over-aggregate", "temporal-sort", "python-over-aggregate"})
_PLAIN_CONNECTORS = frozenset(
    {"datagen", "kafka", "filesystem", "pulsar", "kinesis", "rabbitmq", "faker", "sls", "rocketmq"}
)
_CHANGE_FORMATS = ("debezium", "canal", "maxwell", "ogg", "changelog", "cdc")


def updating(plan: Plan) -> dict[int, bool]:
    """Whether each node may send updates and deletions; in doubt it may."""
    found: dict[int, bool] = {}
    for node in plan.order:
        found[node["id"]] = _sends(node, [found[i] for i in plan.inputs[node["id"]]])
    return found


def _sends(node: Node, coming: list[bool]) -> bool:
    name = short(node)
    if name == "table-source-scan" or name in _INSERTS:
        return name not in _INSERTS and _changes(node)
    if name in _PASSING or kind(node).role is not Role.STATE:
        return any(coming)
    if name == "join":
        return any(coming) or node["joinSpec"]["joinType"] != "INNER"
    if name == "temporal-join":
        return coming[0]
    return name != "deduplicate" or not node.get("outputInsertOnly")


def _changes(node: Node) -> bool:
    options = node["scanTableSource"]["table"].get("resolvedTable", {}).get("options", {})
    if options.get("connector") not in _PLAIN_CONNECTORS:
        return True
    return any(word in str(value) for value in options.values() for word in _CHANGE_FORMATS)


def lenient(node: Node, port: int) -> bool:
    """Whether what an input left behind gives way to the next row of its key, when a change of it never came.

    An operator that counts rows, or keeps all of them, would be wrong for ever.
    """
    name = short(node)
    if name == "join":
        return node["joinSpec"]["joinType"] == "INNER" and bool(node.get(("leftUpsertKeys", "rightUpsertKeys")[port]))
    if sink(node):
        return not materialised(node)
    return name == "changelog-normalize" or kind(node).role is not Role.STATE
