"""What an edit does to the state of a running job, said before anything is stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flinkform.flink import kinds
from flinkform.flink.kinds import Role
from flinkform.flink.lineage import Fact, facts, outline
from flinkform.flink.match import Drift, Match, match
from flinkform.flink.plan import Node, Plan, turning


class Outcome(StrEnum):
    """The whole edit in one word.

    SAME: the job computes what it did. COMPATIBLE: all state is kept, and what is new misses nothing. PARTLY: some
    state is dropped, or something new begins in the middle of its input. LOST: none of what was computed is kept.
    UNKNOWN: the edit touches an operator that flinkform does not know.
    """

    SAME = "same"
    COMPATIBLE = "compatible"
    PARTLY = "partly"
    LOST = "lost"
    UNKNOWN = "unknown"


class Fate(StrEnum):
    """What becomes of the state of one operator."""

    KEPT = "kept"
    DROPPED = "dropped"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator that keeps state: its id in the plan that has it, what it is, what it does, and what that means."""

    id: int
    fate: Fate
    label: str
    does: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.fate:<8} {self.label}: {self.does}" + (f"; {self.note}" if self.note else "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the reason for it in one sentence, and each operator that keeps state."""

    outcome: Outcome
    reason: str
    operators: tuple[Operator, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.outcome}: {self.reason}", *(f"  {operator}" for operator in self.operators)])


_WIDTH = 120
"""Characters of what an operator does that are shown."""
_DRIFTS = {
    Drift.NONE: "",
    Drift.TIMED: "its watermark is another one: from the edit on it decides anew which rows are late",
    Drift.CARRIED: "rows that wait in it come out as they were read",
    Drift.FILTERED: "it reads other rows from the edit on; what it kept is of the rows it read before",
    Drift.STALE: "rows that no longer come stay in it until a new row of their key comes",
}
_REASONS = {
    "type": "Flink runs it in another way",
    "ttl": "its state began or ceased to expire",
    "aggCalls": "it computes something else",
    "windowing": "its window is another one",
    "window": "its window is another one",
    "joinSpec": "its condition or its kind of join is another one",
    "intervalJoinSpec": "its condition or its interval is another one",
    "leftWindowing": "its window is another one",
    "rightWindowing": "its window is another one",
    "rankRange": "it keeps another number of rows",
    "orderBy": "its order is another one",
    "partition": "its keys are others",
    "uniqueKeys": "its keys are others",
    "keepLastRow": "it keeps the other end",
    "matchSpec": "its pattern is another one",
    "overSpec": "its functions or its frame are others",
    "needRetraction": "it now also takes back rows, or no longer does",
    "options": "its table is another one",
    "inputs": "its columns are others",
    "output": "its columns are others",
    "configuration": "an option that it obeys is another one",
    "configuration of all": "an option that it obeys is another one",
}


def verdict(old: Plan | None, new: Plan | None) -> Verdict:
    """What becomes of the state of *old* when *new* is started from it; None stands for a batch job."""
    if new is None:
        return _batch(old)
    if old is None:
        found = [_row(node, Fate.NEW) for node in new.order if _keeping(node)]
        return Verdict(Outcome.COMPATIBLE, "the job was a batch job and kept nothing", tuple(found))
    return judged(old, match(old, new))


def judged(old: Plan, found: Match) -> Verdict:
    """The same, of plans that are matched already."""
    old = old.recalled(found.plan)
    operators = (*_after(found), *_dropped(old, found))
    loose = turning(old, found.plan)
    outlines = {outline(plan, turning=loose) for plan in (old, found.plan)}
    if len(outlines) == 1 and all(o.fate is Fate.KEPT for o in operators):
        return Verdict(Outcome.SAME, "the job computes what it did", operators)
    outcome, reason = _outcome(old, found)
    return Verdict(outcome, reason, operators)


def dropped(old: Plan, new: Plan | None = None) -> list[Node]:
    """The operators of *old* whose state nothing takes over, neither in *new*, which has its ids from `match`."""
    ids = {node["id"] for node in new.nodes} if new else set()
    return [node for node in old.order if _keeping(node) and node["id"] not in ids]


def _batch(old: Plan | None) -> Verdict:
    if old is None:
        return Verdict(Outcome.SAME, "a batch job keeps no state")
    dropped = [_row(node, Fate.DROPPED, "a batch job keeps no state") for node in old.order if _keeping(node)]
    return Verdict(Outcome.LOST, "the job becomes a batch job, which keeps no state", tuple(dropped))


def _outcome(old: Plan, found: Match) -> tuple[Outcome, str]:
    kept = set(found.pairs.values())
    before = [node for node in old.order if _counting(node)]
    computing = [node for node in before if not kinds.source(node)] or before
    gone = [node for node in before if node["id"] not in kept]
    late = [node for node in found.plan.order if _late(node, found)]
    if any(not kinds.kind(node).known for node in (*gone, *late)):
        return Outcome.UNKNOWN, "the edit touches an operator that flinkform does not know"
    if computing and not any(node["id"] in kept for node in computing):
        return Outcome.LOST, "nothing of what the job computed is kept"
    stale = sum(drift is Drift.STALE for drift in found.drifts.values())
    if gone or late or stale:
        parts = [
            f"{len(gone)} of {len(before)} operators drop their state" if gone else "",
            f"{len(late)} begin with the rows read after the edit" if late else "",
            f"{stale} keep rows that the edit leaves out" if stale else "",
        ]
        return Outcome.PARTLY, ", ".join(filter(None, parts))
    return Outcome.COMPATIBLE, "all state is kept, the edit holds from the next row on"


def _after(found: Match) -> Iterable[Operator]:
    """The operators of the edited plan."""
    for node in filter(_keeping, found.plan.order):
        if node["id"] in found.pairs:
            yield _row(node, Fate.KEPT, _DRIFTS[found.drifts.get(node["id"], Drift.NONE)])
        elif kinds.source(node):
            yield _row(node, Fate.NEW, kinds.kind(node).empty)
        else:
            late = _late(node, found)
            yield _row(node, Fate.NEW, kinds.kind(node).empty if late else "it begins together with what it reads")


def _dropped(old: Plan, found: Match) -> Iterable[Operator]:
    kept = set(found.pairs.values())
    loose = turning(old, found.plan)
    then, now = facts(old, turning=loose), facts(found.plan, turning=loose)
    fresh = [fact for number, fact in now.items() if number not in found.pairs]
    for node in filter(_keeping, old.order):
        if node["id"] not in kept:
            yield _row(node, Fate.DROPPED, _why(then[node["id"]], fresh))


def _why(gone: Fact, fresh: list[Fact]) -> str:
    """Why no operator takes its state over, from the most similar one that is new."""
    label = kinds.kind(gone.node).label
    alike = [fact for fact in fresh if kinds.kind(fact.node).label == label]
    if not alike:
        return "the edited job has no such operator"
    differing = min((_differing(gone.content, fact.content) for fact in alike), key=len)
    reasons = dict.fromkeys(_REASONS[key] for key in _REASONS if key in differing)
    return ", ".join(reasons) or "what it reads is computed in another way"


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _late(node: Node, found: Match) -> bool:
    """Whether an operator is new and reads from a source that is in the middle of its rows."""
    if node["id"] in found.pairs or kinds.source(node) or not _counting(node):
        return False
    waiting, seen = [node["id"]], set[int]()
    while waiting:
        number = waiting.pop()
        seen.add(number)
        waiting += [i for i in found.plan.inputs[number] if i not in seen]
    return any(n["id"] in seen and n["id"] in found.pairs and kinds.source(n) for n in found.plan.nodes)


def _keeping(node: Node) -> bool:
    return kinds.kind(node).role is Role.STATE and not kinds.quiet(node)


def _counting(node: Node) -> bool:
    """Whether its state is the job's own; what else a sink keeps is its connector's."""
    return _keeping(node) and (not kinds.sink(node) or kinds.materialised(node))


def _row(node: Node, fate: Fate, note: str = "") -> Operator:
    text = str(node.get("description", ""))
    inner = text[text.find("(") + 1 : -1] if text.endswith(")") else text
    does = inner if len(inner) <= _WIDTH else inner[: _WIDTH - 1] + "…"
    return Operator(node["id"], fate, kinds.kind(node).label, does, note)
