"""Two plans that Flink's planner made, side by side: who keeps whose id, and what is said about it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flinkform.errors import Invalid
from flinkform.flink.content import row
from flinkform.flink.kinds import Role, kind
from flinkform.flink.lineage import outline
from flinkform.flink.match import Drift, match
from flinkform.flink.plan import Plan
from flinkform.flink.tables import known
from flinkform.flink.verdict import Fate, Outcome, verdict

PLANS = Path(__file__).parent / "plans"


def plan(name: str) -> Plan:
    return Plan.load((PLANS / f"{name}.json").read_text())


def only(found: Plan, kind_: str) -> dict[str, Any]:
    (node,) = (dict(n) for n in found.nodes if f"-{kind_}_" in n["type"])
    return node


def edited(found: Plan, kind_: str, **changes: Any) -> Plan:
    """The plan with its one node of a kind changed."""
    number = only(found, kind_)["id"]
    return replace(found, nodes=tuple({**n, **changes} if n["id"] == number else n for n in found.nodes))


def shifted(found: Plan) -> Plan:
    """The same plan as a planner that has counted on would number it."""
    return Plan.compiled(found.renamed({n["id"]: n["id"] + 40 for n in found.nodes}, high=0).flink(), ttl=found.ttl)


@pytest.mark.parametrize("name", sorted(path.stem for path in PLANS.glob("*.json")))
def test_same(name: str) -> None:
    """A plan compiled again, later, is the same: every id stays, byte for byte."""
    old = plan(name)
    found = match(old, shifted(old))
    assert found.plan.dump() == old.dump()
    assert verdict(old, shifted(old)).outcome is Outcome.SAME


def nameless(found: Plan) -> Plan:
    """The plan as Flink writes it of temporary tables: with their names alone."""
    return Plan.load(re.sub(r', "resolvedTable": \{"schema".*?"options": \{[^{}]*\}\}', "", found.dump()))


def test_temporary() -> None:
    """What a temporary table is, is kept with the plan, counts as that of any other, and is not told to Flink."""
    permanent = plan("aggregate")
    bare = nameless(permanent)
    assert bare.unsaid
    told = bare.told(known(permanent.nodes))
    assert not told.unsaid
    assert Plan.load(told.dump()) == told
    assert told.flink() == bare.flink()
    assert permanent.flink() == Plan.load(permanent.dump()).flink() != bare.flink()
    assert verdict(permanent, told).outcome is verdict(told, permanent).outcome is Outcome.SAME


def test_temporary_before() -> None:
    """A plan that was kept with the names alone goes on as that of the tables that have these names now."""
    permanent = plan("aggregate")
    assert verdict(nameless(permanent), permanent.told({})).outcome is Outcome.SAME


def test_kept_form() -> None:
    """What is kept is what was there; anything else is refused."""
    old = replace(plan("aggregate"), high=77, ttl=True, functions="x", means="y", runs="z")
    assert Plan.load(old.dump()) == old
    for text in ("", "{}", "[]", old.flink()):
        with pytest.raises(Invalid):
            Plan.load(text)


def test_alias() -> None:
    """Names are nobody's business."""
    assert outline(plan("aggregate")) == outline(plan("alias"))
    assert verdict(plan("aggregate"), plan("alias")).outcome is Outcome.SAME


def test_sum_to_max() -> None:
    """What would restore and be silently wrong gets an id never used before."""
    old, new = plan("aggregate"), plan("max")
    found = match(old, new)
    number = only(found.plan, "group-aggregate")["id"]
    assert number > old.high
    assert number not in found.pairs
    said = verdict(old, new)
    assert said.outcome is Outcome.LOST
    assert "it computes something else" in str(said)


def test_reordered() -> None:
    """An aggregate keeps the order of its state, and a step behind it gives the columns the query's order."""
    old, new = plan("aggregate"), plan("reordered")
    found = match(old, new).plan
    aggregate, before = only(found, "group-aggregate"), only(old, "group-aggregate")
    functions = [call["internalName"] for call in aggregate["aggCalls"]]
    assert functions == [call["internalName"] for call in before["aggCalls"]]
    assert aggregate["id"] == before["id"]
    assert [t for _, t in row(aggregate["outputType"])] == [t for _, t in row(before["outputType"])]
    (step,) = (n for n in found.nodes if n["id"] in found.outputs[aggregate["id"]])
    assert [p["inputIndex"] for p in step["projection"]] == [0, 2, 1]
    assert step["outputType"] == only(new, "group-aggregate")["outputType"]
    assert match(found, shifted(new)).plan.dump() == found.dump()


def test_filter_in_front() -> None:
    """A filter in front of rows that are only added: kept, and said."""
    found = match(plan("aggregate"), plan("filter"))
    number = only(found.plan, "group-aggregate")["id"]
    assert found.drifts[number] is Drift.FILTERED
    assert verdict(plan("aggregate"), plan("filter")).outcome is Outcome.COMPATIBLE


def test_filter_on_changes() -> None:
    """A filter between an aggregate and a join: the join replaces by key and keeps, the sink would show ghosts."""
    old, new = plan("upsert"), plan("upsert-filter")
    found = match(old, new)
    assert only(found.plan, "group-aggregate")["id"] == only(old, "group-aggregate")["id"]
    assert found.drifts[only(found.plan, "join")["id"]] is Drift.STALE
    assert only(found.plan, "sink")["id"] > old.high
    assert verdict(old, new).outcome is Outcome.PARTLY


def test_one_more_join() -> None:
    """The aggregate in front of a new join keeps its id; the join is new and late."""
    said = verdict(plan("aggregate"), plan("join"))
    assert said.outcome is Outcome.PARTLY
    assert [(o.label, o.note) for o in said.operators if o.fate is Fate.NEW and o.label == "join"] == [
        ("join", "rows read before the edit will not join")
    ]


def test_another_sink() -> None:
    """What stands beside is nobody's business, in both directions."""
    for old, new in (("aggregate", "two"), ("two", "aggregate")):
        said = verdict(plan(old), plan(new))
        assert said.outcome is Outcome.COMPATIBLE
        assert {o.fate for o in said.operators} == {Fate.KEPT}


def test_window() -> None:
    """Another window is another operator, and windows under way restart."""
    said = verdict(plan("window"), plan("window-hop"))
    assert said.outcome is Outcome.LOST
    assert "its window is another one" in str(said)
    assert "windows under way restart" in str(said)


def test_expiry() -> None:
    """State with a time to live is written in another form, which Flink minds before 2.3; how long does not matter."""
    old, new = plan("aggregate"), plan("expiry")
    for a, b in ((old, new), (new, old)):
        assert verdict(a, b).outcome is Outcome.COMPATIBLE
        assert verdict(a, replace(b, version="2.2")).outcome is Outcome.LOST
        older = verdict(replace(a, version="1.20"), replace(b, version="1.20"))
        assert older.outcome is Outcome.LOST
        assert "began or ceased to expire" in str(older)
    longer = edited(new, "group-aggregate", state=[{"index": 0, "ttl": "7200000 ms", "name": "groupAggregateState"}])
    assert verdict(new, longer).outcome is Outcome.SAME


def test_unknown_kind() -> None:
    """An operator nobody has heard of keeps state as far as we know, and is kept only when nothing changed."""
    old, new = (edited(plan(n), "group-aggregate", type="stream-exec-oracle_1") for n in ("aggregate", "filter"))
    assert kind(only(old, "oracle")).role is Role.STATE
    assert verdict(old, shifted(old)).outcome is Outcome.SAME
    assert verdict(old, new).outcome is Outcome.UNKNOWN
    assert only(match(old, new).plan, "oracle")["id"] > old.high


def test_ids_are_never_used_again() -> None:
    """An id of a node that is gone stays gone, also when the edit is taken back."""
    old = plan("aggregate")
    once = match(old, plan("max")).plan
    twice = match(once, shifted(old)).plan
    ids = [only(p, "group-aggregate")["id"] for p in (old, once, twice)]
    assert len(set(ids)) == 3
    assert [p.high for p in (old, once, twice)] == sorted(p.high for p in (old, once, twice))
    assert ids[2] > once.high


def test_two_alike() -> None:
    """Of two equal sources each stays with what it fed: they may be at different rows."""
    twice = doubled(plan("aggregate"))
    found = match(twice, shifted(twice))
    assert found.plan.dump() == twice.dump()
    # With one of them gone, what read it cannot go on from the other.
    one = match(twice, plan("aggregate"))
    assert len(one.pairs) == len(set(one.pairs.values())) == 3
    sources = {b: a for a, b in one.pairs.items()}
    assert all(abs(x - y) < 40 for x in sources for y in sources)


def doubled(found: Plan) -> Plan:
    """Two copies of a plan in one job, that write to two tables."""
    other = found.renamed({n["id"]: n["id"] + 40 for n in found.nodes}, high=0)
    sink = only(other, "sink")
    table = {**sink["dynamicTableSink"]["table"], "identifier": "`elsewhere`"}
    other = edited(other, "sink", dynamicTableSink={**sink["dynamicTableSink"], "table": table})
    return replace(found, nodes=found.nodes + other.nodes, edges=found.edges + other.edges, high=90)


def test_functions() -> None:
    """A function of the script's own under an old name may be another function."""

    def calling(functions: str) -> Plan:
        (calc,) = (n for n in plan("filter").nodes if n.get("condition"))
        call = {"kind": "CALL", "catalogName": "`f`", "operands": [calc["projection"][1]], "type": "BIGINT"}
        nodes = [
            {**n, "projection": [n["projection"][0], call]} if n["id"] == calc["id"] else n
            for n in plan("filter").nodes
        ]
        return replace(plan("filter"), nodes=tuple(nodes), functions=functions)

    assert verdict(calling("one"), calling("one")).outcome is Outcome.SAME
    assert verdict(calling("one"), calling("two")).outcome is Outcome.LOST


def test_options() -> None:
    """Options that no node repeats count where they matter: in expressions, or in what is kept."""
    old = plan("filter")
    assert verdict(replace(old, means="zone=a"), replace(old, means="zone=b")).outcome is Outcome.LOST
    assert verdict(replace(old, runs="async=true"), old).outcome is Outcome.LOST
    assert "an option that it obeys" in str(verdict(replace(old, runs="async=true"), old))


def test_batch() -> None:
    """A batch job keeps nothing, so nothing is lost by becoming a streaming one, and everything the other way round."""
    assert verdict(None, None).outcome is Outcome.SAME
    assert verdict(None, plan("aggregate")).outcome is Outcome.COMPATIBLE
    assert verdict(plan("aggregate"), None).outcome is Outcome.LOST


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ("ROW<>", []),
        ("ROW<`a` INT, `b` BIGINT NOT NULL> NOT NULL", [("a", "INT"), ("b", "BIGINT NOT NULL")]),
        (
            "ROW<`a` ROW<`x` INT, `y` DECIMAL(3, 2)>, `b,<` INT>",
            [("a", "ROW<`x` INT, `y` DECIMAL(3, 2)>"), ("b,<", "INT")],
        ),
        ("ROW<`a``b` INT>", [("a`b", "INT")]),
        ({"type": "ROW", "fields": [{"name": "a", "fieldType": "INT"}]}, [("a", "INT")]),
        (None, []),
    ],
)
def test_row(written: Any, fields: list[tuple[str, str]]) -> None:
    """Flink's row types are read, however odd the names."""
    assert row(written) == fields


def test_json() -> None:
    """What Flink gets has nothing of ours in it."""
    assert set(json.loads(plan("aggregate").flink())) == {"flinkVersion", "nodes", "edges"}
