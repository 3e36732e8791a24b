"""Puts a matched plan under its ids, and its operators into the shape that their state was written in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flinkform.flink.content import digest, fields
from flinkform.flink.kinds import Role, kind
from flinkform.flink.lineage import Fact
from flinkform.flink.plan import Edge, Node, Plan

_FORWARD = {"shuffle": {"type": "FORWARD"}, "shuffleMode": "PIPELINED"}
_INPUT = {"requiredDistribution": {"type": "UNKNOWN"}, "damBehavior": "PIPELINED", "priority": 0}


def grafted(
    old: Plan, new: Plan, pairs: Mapping[int, int], found: Mapping[int, tuple[Fact, Fact]]
) -> tuple[Plan, dict[int, int]]:
    """The new plan under the ids of its pairs, others under new ones; and the id of each of its nodes.

    An aggregate's state is a row with a place for each function. Where the edit only put the functions into another
    order, the old order is kept, and a step behind it puts the columns where the query wants them.
    """
    for number, (then, now) in found.items():
        if then.calls != now.calls:
            new = _reordered(new, number, [now.calls.index(place) for place in then.calls])
    ids = {**_clear(old, new, pairs), **pairs}
    high = max(old.high, *(node["id"] for node in old.nodes))
    for node in new.order:
        if node["id"] not in ids:
            high += 1
            ids[node["id"]] = high
    return new.renamed(ids, high=high), ids


def _clear(old: Plan, new: Plan, pairs: Mapping[int, int]) -> dict[int, int]:
    """Steps that keep nothing keep their ids too where nothing about them changed, so that metrics go on."""
    free: defaultdict[str, list[int]] = defaultdict(list)
    for node in reversed(old.order):
        if kind(node).role is Role.CLEAR:
            free[_key(node, old.inputs[node["id"]])].append(node["id"])
    ids: dict[int, int] = {}
    for node in new.order:
        number = node["id"]
        inputs = [ids.get(i, pairs.get(i, -i)) for i in new.inputs[number]]
        if kind(node).role is Role.CLEAR and (same := free[_key(node, inputs)]):
            ids[number] = same.pop()
    return ids


def _key(node: Node, inputs: Any) -> str:
    return digest([{k: v for k, v in node.items() if k not in ("id", "description")}, list(inputs)])


def _reordered(plan: Plan, number: int, order: list[int]) -> Plan:
    """A plan whose aggregate *number* computes its functions in another order, and a step that undoes it."""
    node = next(n for n in plan.nodes if n["id"] == number)
    step = max(n["id"] for n in plan.nodes) + 1
    keys = len(node["grouping"])
    columns = fields(node)
    moved = [*range(keys), *(keys + place for place in order)]
    made = {**node, "aggCalls": [node["aggCalls"][i] for i in order]}
    made["aggCallNeedRetractions"] = [node["aggCallNeedRetractions"][i] for i in order]
    made["outputType"] = _row([columns[i] for i in moved])
    undo = _step(step, [(moved.index(i), kind) for i, (_, kind) in enumerate(columns)], node["outputType"])
    nodes = [made if n["id"] == number else n for n in plan.nodes]
    edges: list[Edge] = [{**e, "source": step} if e["source"] == number else e for e in plan.edges]
    edges.append({"source": number, "target": step, **_FORWARD})
    return replace(plan, nodes=(*nodes, undo), edges=tuple(edges))


def _row(columns: list[tuple[str, Any]]) -> dict[str, Any]:
    return {"type": "ROW", "fields": [{"name": name, "fieldType": kind} for name, kind in columns]}


def _step(number: int, columns: list[tuple[int, Any]], output: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stream-exec-calc_1",
        "projection": [{"kind": "INPUT_REF", "inputIndex": place, "type": kind} for place, kind in columns],
        "condition": None,
        "inputProperties": [_INPUT],
        "outputType": output,
        "description": "Calc(the columns of an aggregate in the order of the query)",
    }
