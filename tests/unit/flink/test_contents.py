"""A verdict held against what a savepoint really holds."""

from __future__ import annotations

from flinkform.flink.contents import Contents, checked
from flinkform.flink.match import match
from flinkform.flink.verdict import Fate, Outcome, Verdict, judged
from tests.unit.flink.test_match import only, plan


def said(old: str, new: str, found: Contents) -> Verdict:
    before = plan(old)
    made = match(before, plan(new))
    return checked(judged(before, made), before, made.plan, found)


def test_what_is_known() -> None:
    """State that is taken over, or said to be dropped, changes nothing."""
    aggregate = only(plan("aggregate"), "group-aggregate")["id"]
    held = Contents({aggregate: "GroupAggregate[4]"})
    assert said("aggregate", "filter", held).outcome is Outcome.COMPATIBLE
    assert said("aggregate", "max", held) == said("aggregate", "max", Contents({}))


def test_state_where_none_was_expected() -> None:
    """An operator that holds state all the same, and goes, is a loss."""
    calc = next(n["id"] for n in plan("join").nodes if "calc" in n["type"] and n["id"] not in _ids("aggregate"))
    verdict = said("join", "aggregate", Contents({calc: f"Calc[{calc}]"}))
    lost = [o for o in verdict.operators if o.id == calc]
    assert [(o.fate, o.does) for o in lost] == [(Fate.DROPPED, f"Calc[{calc}]")]
    assert said("aggregate", "aggregate", Contents({99: "Old[99]"})).outcome is Outcome.PARTLY


def test_strangers() -> None:
    """State of operators that no plan of ours named: nobody can say what becomes of it."""
    verdict = said("aggregate", "aggregate", Contents({}, ("a", "b", "c", "d")))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason.endswith("a, b, c, …")


def _ids(name: str) -> set[int]:
    return {node["id"] for node in match(plan("join"), plan(name)).plan.nodes}
