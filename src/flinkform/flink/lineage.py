"""Where the rows and columns that reach an operator come from, whatever stands between and however it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flinkform.flink.content import content, digest, expires, fields, options
from flinkform.flink.kinds import Role, kind, short, sink, source
from flinkform.flink.plan import Node, Plan

_FOLDING = frozenset(
    {
        *("group-aggregate", "local-group-aggregate", "group-window-aggregate"),
        *("window-aggregate", "local-window-aggregate"),
    }
)
"""Operators that look at some columns and keep none of their rows: the others may come and go."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Rows of one operator on their way to another: its token, what became of its columns, and what held rows back."""

    origin: str
    node: int
    columns: tuple[str, ...]
    filters: frozenset[str] = frozenset()
    watermarks: frozenset[str] = frozenset()

    @property
    def rows(self) -> tuple[str, tuple[str, ...]]:
        """The same rows, were it not for filters."""
        return self.origin, self.columns


Feed = tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One operator: what it computes, over what.

    *calls* is the order in which it computes its aggregates, as places in an order that does not depend on how the
    query is written. *carried* are the columns, by their place, that it hands on beside what it computes.
    """

    node: Node
    content: Mapping[str, Any]
    feeds: tuple[Feed, ...]
    own: str
    """Equal for operators that compute the same, over whatever."""
    whole: str
    """Equal for operators that compute the same over the same rows."""
    calls: tuple[int, ...] = ()
    carried: Mapping[int, str] = field(default_factory=dict)


def facts(
    plan: Plan, token: Callable[[Fact], str] = lambda fact: fact.whole, *, turning: bool = False
) -> dict[int, Fact]:
    """What is to be known of every operator that is more than a step for each row, in the plan's order.

    *token* names an operator for those behind it: operators of two plans with one token are taken for the same. With
    *turning* it does not matter whether state expires.
    """
    found: dict[int, Fact] = {}
    feeds: dict[int, Feed] = {}
    types: dict[int, list[Any]] = {}
    for written in plan.order:
        node = _defined(written, plan)
        number = node["id"]
        inputs = plan.inputs[number]
        types[number] = [type_ for _, type_ in fields(node)]
        coming = tuple(feeds[i] for i in inputs)
        if kind(node).role is Role.CLEAR:
            feeds[number] = _through(node, coming)
            continue
        fact = found[number] = _fact(node, coming, [types[i] for i in inputs], plan, turning=turning)
        feeds[number] = _from(fact, token(fact))
    return found


def outline(plan: Plan, *, turning: bool = False) -> str:
    """Equal for plans that compute the same, whatever their names, their ids and the order of their nodes."""
    found = facts(plan, turning=turning).values()
    return digest(sorted([fact.whole, expires(fact.node, job=plan.ttl)] for fact in found))


def _defined(value: Any, plan: Plan) -> Any:
    """A node whose calls say what the plan says of them: how a function is defined, what an expression means."""
    if isinstance(value, Mapping):
        made = {key: _defined(item, plan) for key, item in value.items()}
        if plan.functions and value.keys() & {"catalogName", "systemName"}:
            made["defined"] = plan.functions
        if plan.means and value.get("kind") == "CALL":
            made["means"] = plan.means
        return made
    if isinstance(value, list):
        return [_defined(item, plan) for item in value]
    return value


def _fact(node: Node, feeds: tuple[Feed, ...], types: list[list[Any]], plan: Plan, *, turning: bool) -> Fact:
    calls: tuple[int, ...] = ()
    carried: Mapping[int, str] = {}
    if short(node) == "over-aggregate" and len(feeds[0]) == 1:
        sifted, carried = _sifted(node, feeds[0][0], types[0])
        feeds = ((sifted,),)
    if short(node) in _FOLDING:
        if short(node) == "group-aggregate":
            node, calls = _sorted(node, feeds[0])
        node, used = _folded(node)
        types = [[types[0][i] for i in used]]
        feeds = (tuple(_reduced(branch, used) for branch in feeds[0]),)
    made = content(node, types, ttl=None if turning else plan.ttl, runs=plan.runs)
    if calls or short(node) == "group-aggregate":
        made.pop("output", None)
    if "ROWTIME" not in str(made):
        feeds = tuple(_timeless(feed) for feed in feeds)
    own = digest(made)
    named = [name for name, _ in fields(node)] if sink(node) else []
    whole = digest([own, named, [sorted(_written(branch) for branch in feed) for feed in feeds]])
    return Fact(node, made, feeds, own, whole, calls, carried)


def _through(node: Node, coming: tuple[Feed, ...]) -> Feed:
    name = short(node)
    if name == "calc":
        return tuple(_calc(node, branch) for branch in coming[0])
    if name == "watermark-assigner":
        return tuple(_watermark(node, branch) for branch in coming[0])
    return tuple(branch for feed in coming for branch in feed)


def _calc(node: Node, branch: Branch) -> Branch:
    columns = tuple(_column(expression, branch.columns) for expression in node["projection"])
    filters = {digest(_followed(part, branch.columns)) for part in _conjuncts(node.get("condition"))}
    return Branch(branch.origin, branch.node, columns, branch.filters | filters, branch.watermarks)


def _watermark(node: Node, branch: Branch) -> Branch:
    mark = digest([branch.columns[node["rowtimeFieldIndex"]], _followed(node["watermarkExpr"], branch.columns)])
    return Branch(branch.origin, branch.node, branch.columns, branch.filters, branch.watermarks | {mark})


def _column(expression: Mapping[str, Any], columns: Sequence[str]) -> str:
    if expression.get("kind") == "INPUT_REF":
        return columns[int(expression["inputIndex"])]
    return digest(_followed(expression, columns))


def _followed(expression: Any, columns: Sequence[str]) -> Any:
    """An expression with every reference to a column replaced by what the column is."""
    if isinstance(expression, Mapping):
        if expression.get("kind") == "INPUT_REF":
            return {"column": columns[expression["inputIndex"]]}
        return {key: _followed(value, columns) for key, value in expression.items()}
    if isinstance(expression, list):
        return [_followed(item, columns) for item in expression]
    return expression


def _conjuncts(condition: Any) -> list[Any]:
    if not condition:
        return []
    if condition.get("internalName") == "$AND$1":
        return [part for operand in condition["operands"] for part in _conjuncts(operand)]
    return [condition]


def _from(fact: Fact, token: str) -> Feed:
    """The rows that an operator gives, before anything happens to them."""
    node = fact.node
    if sink(node):
        return ()
    if source(node) and "scanTableSource" in node:
        return (_read(node, token),)
    if fact.calls:
        keys = len(node["grouping"])
        columns = [digest([token, "key", i]) for i in range(keys)]
        columns += [digest([token, "call", place]) for place in fact.calls]
    else:
        places = range(len(fields(node)))
        columns = [digest([token, i, *((fact.carried[i],) if i in fact.carried else ())]) for i in places]
    return (Branch(token, node["id"], tuple(columns)),)


def _read(node: Node, token: str) -> Branch:
    """The columns of a source, by what they are called there; formats without names go by place."""
    spec = node["scanTableSource"]
    schema = spec["table"].get("resolvedTable", {}).get("schema", {}).get("columns", [])
    kept = [c for c in schema if c.get("kind", "PHYSICAL") in ("PHYSICAL", "METADATA")]
    metadata = {c["name"]: c.get("metadataKey", c["name"]) for c in kept if c.get("kind") == "METADATA"}
    physical = [c["name"] for c in kept if c["name"] not in metadata]
    placed = any("csv" in value or value == "raw" for value in options(node, "scanTableSource").values())
    names = _paths(spec.get("abilities") or (), physical)
    columns = []
    for index, (name, type_) in enumerate(fields(node)):
        path = names[index] if index < len(names) else name
        place = physical.index(path) if placed and path in physical else None
        columns.append(digest([token, metadata.get(name, path), name in metadata, place, type_]))
    filters, marks = _early(spec.get("abilities") or (), physical)
    return Branch(token, node["id"], tuple(columns), filters, marks)


def _paths(abilities: Sequence[Mapping[str, Any]], physical: Sequence[str]) -> list[str]:
    """Which field of the table each projected column is, nested ones with their whole path of places."""
    for ability in abilities:
        if ability["type"] == "ProjectPushDown":
            paths = ability["projectedFields"]
            return ["/".join([physical[path[0]], *map(str, path[1:])]) for path in paths if path[0] < len(physical)]
    return []


def _early(abilities: Sequence[Mapping[str, Any]], physical: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The filters and watermarks that a source applies itself."""
    filters: set[str] = set()
    marks: set[str] = set()
    for ability in abilities:
        if ability["type"] == "FilterPushDown":
            padded = [*physical, *("?" * 99)]
            filters |= {digest(_followed(p, padded)) for p in ability.get("predicates") or ()}
        elif ability["type"] in ("WatermarkPushDown", "SourceWatermark"):
            marks.add(digest(ability))
    return frozenset(filters), frozenset(marks)


def _folded(node: Node) -> tuple[Node, list[int]]:
    """A node with its columns counted in the order it asks for them, and which columns of its input these are."""
    used: list[int] = []

    def place(index: int) -> int:
        if index not in used:
            used.append(index)
        return used.index(index)

    made = dict(node)
    made["grouping"] = [place(i) for i in node["grouping"]]
    made["aggCalls"] = [
        {
            **call,
            "argList": [place(i) for i in call["argList"]],
            "filterArg": place(call["filterArg"]) if call["filterArg"] >= 0 else -1,
        }
        for call in node["aggCalls"]
    ]
    if (windowing := node.get("windowing")) and "timeAttributeIndex" in windowing:
        window = dict(windowing["window"])
        if "partition_key_indices" in window:
            window["partition_key_indices"] = [place(i) for i in window["partition_key_indices"]]
        index = place(windowing["timeAttributeIndex"])
        made["windowing"] = {**windowing, "window": window, "timeAttributeIndex": index}
    legacy = node.get("window") or {}
    if "timeField" in legacy:
        timed = legacy["timeField"]
        made["window"] = {**legacy, "timeField": {**timed, "fieldIndex": place(timed["fieldIndex"])}}
    return made, used


def _sorted(node: Node, feed: Feed) -> tuple[Node, tuple[int, ...]]:
    """A node with its aggregates in an order of their own, and the place there of each."""
    retracting = node.get("aggCallNeedRetractions") or [False] * len(node["aggCalls"])

    def meaning(index: int) -> list[Any]:
        call = {key: value for key, value in node["aggCalls"][index].items() if key != "name"}
        wanted = [*call.pop("argList"), *([call.pop("filterArg")] if call["filterArg"] >= 0 else [])]
        # Of rows from several places there is no one column to go by: like functions stay in their order.
        columns = [feed[0].columns[i] for i in wanted] if len(feed) == 1 else []
        return [digest([call, retracting[index]]), columns]

    order = sorted(range(len(node["aggCalls"])), key=meaning)
    made = {**node, "aggCalls": [node["aggCalls"][i] for i in order]}
    made["aggCallNeedRetractions"] = [retracting[i] for i in order]
    return made, tuple(order.index(i) for i in range(len(order)))


def _sifted(node: Node, branch: Branch, types: Sequence[Any]) -> tuple[Branch, Mapping[int, str]]:
    """The columns that functions over a window in time look at, and the others: rows take those along to the other end.

    Ordered by anything else, a row is kept and compared as a whole.
    """
    spec = node["overSpec"]
    order = {one["index"] for group in spec["groups"] for one in group["orderBy"]["fields"]}
    if not all("ROWTIME" in str(types[i]) or "PROCTIME" in str(types[i]) for i in order):
        return branch, {}
    calls = [call for group in spec["groups"] for call in group["aggCalls"]]
    used = order.union(spec["partition"]["fields"], *(call["argList"] for call in calls))
    used |= {call["filterArg"] for call in calls}
    carried = {place: column for place, column in enumerate(branch.columns) if place not in used}
    columns = tuple("" if place in carried else column for place, column in enumerate(branch.columns))
    return Branch(branch.origin, branch.node, columns, branch.filters, branch.watermarks), carried


def _reduced(branch: Branch, used: Sequence[int]) -> Branch:
    columns = tuple(branch.columns[i] for i in used)
    return Branch(branch.origin, branch.node, columns, branch.filters, branch.watermarks)


def _timeless(feed: Feed) -> Feed:
    return tuple(Branch(b.origin, b.node, b.columns, b.filters) for b in feed)


def _written(branch: Branch) -> list[Any]:
    return [branch.origin, list(branch.columns), sorted(branch.filters), sorted(branch.watermarks)]
