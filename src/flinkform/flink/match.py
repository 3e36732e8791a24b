"""Finds in an edited plan the operators that compute what they did before, so that they keep their id and state."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from flinkform.flink import kinds
from flinkform.flink.changes import lenient, updating
from flinkform.flink.content import fields
from flinkform.flink.graft import grafted
from flinkform.flink.lineage import Branch, Fact, Feed, facts
from flinkform.flink.plan import Plan, turning


class Drift(IntEnum):
    """How the rows that reach a matched operator differ from those it has seen, the worst last."""

    NONE = 0
    TIMED = 1
    """The watermark is another one."""
    CARRIED = 2
    """Columns that it hands on beside what it computes are others; rows that wait in it have the old ones."""
    FILTERED = 3
    """Other rows are let through; those before the edit stay in the state."""
    STALE = 4
    """The same, of rows that change: a change of a row from before the edit may never come."""


@dataclass(frozen=True, slots=True)
class Match:
    """*plan* is the edited plan under the ids to run it with.

    *pairs* maps its operators to those of the old plan whose state they take over; both have the same id. *drifts*
    says for each how its rows differ. Clear steps, which keep nothing, are in neither.
    """

    plan: Plan
    pairs: Mapping[int, int]
    drifts: Mapping[int, Drift]


def match(old: Plan, new: Plan) -> Match:
    """Give every operator of *new* that computes the same over the same its old id, all others ids never used.

    Over the same: every column comes from the same columns of matched operators by the same expressions. Filters and
    watermarks on the way may differ, where the state bears it (`Drift`).
    """
    old = old.recalled(new)
    refused: set[int] = set()
    while True:
        pairing = _Pairing(old, new, refused)
        pairing.run()
        drifts: dict[int, Drift] = {}
        worse = pairing.untenable(drifts)
        if worse is None:
            break
        refused.add(worse)
    plan, ids = grafted(
        old, new, pairing.pairs, {n: (pairing.old[o], pairing.new[n]) for n, o in pairing.pairs.items()}
    )
    pairs = {ids[number]: other for number, other in pairing.pairs.items()}
    return Match(plan, pairs, {ids[number]: drift for number, drift in drifts.items()})


@dataclass
class _Pairing:
    before: Plan
    after: Plan
    refused: set[int]
    pairs: dict[int, int] = field(default_factory=dict)
    old: dict[int, Fact] = field(init=False)
    new: dict[int, Fact] = field(init=False)

    def __post_init__(self) -> None:
        self._turning = turning(self.before, self.after)
        self.old = facts(self.before, turning=self._turning)
        self._old_ends = _ends(self.old)
        self._read()

    def run(self) -> None:
        """The same over the same rows first; then the same over other rows of the same origin, upstream first."""
        while self._take(self._equal) or self._take(self._related) or self._take(self._written):
            self._read()

    def untenable(self, drifts: dict[int, Drift]) -> int | None:
        """The first operator that must not keep its state after all; *drifts* is filled on the way."""
        changing = updating(self.after)
        for number, fact in self.new.items():
            if number in self.pairs:
                drift = self._borne(fact, self.old[self.pairs[number]], drifts, changing=changing)
                if drift is None:
                    return number
                drifts[number] = drift
        return None

    def _borne(
        self, fact: Fact, other: Fact, drifts: Mapping[int, Drift], *, changing: Mapping[int, bool]
    ) -> Drift | None:
        """How the rows of an operator differ; None when its state does not bear it."""
        worst = Drift.NONE if fact.carried == other.carried else Drift.CARRIED
        if kinds.sink(fact.node) and not kinds.materialised(fact.node):
            return worst
        for port, (now, then) in enumerate(zip(fact.feeds, other.feeds, strict=True)):
            drift = self._drift(now, then, drifts, changing=changing)
            if not self._same_origin(now, then) or (drift is Drift.STALE and not lenient(fact.node, port)):
                return None
            worst = max(worst, drift)
        return worst if kinds.kind(fact.node).known or not worst else None

    def _read(self) -> None:
        self.new = facts(self.after, self._token, turning=self._turning)
        self._new_ends = _ends(self.new)

    def _token(self, fact: Fact) -> str:
        number = fact.node["id"]
        if number in self.pairs:
            return self.old[self.pairs[number]].whole
        return f"!{number}" if number in self.refused else fact.whole

    def _equal(self, now: Fact, then: Fact) -> bool:
        """A generator has no address: tables of one only are the same where they have columns of one name."""
        if now.whole != then.whole or not kinds.source(now.node):
            return now.whole == then.whole
        mine, theirs = _names(now), _names(then)
        return bool(mine & theirs) or mine == theirs

    def _related(self, now: Fact, then: Fact) -> bool:
        if now.own != then.own or not now.feeds or kinds.sink(now.node):
            return False
        return all(_overlap(a, b) for a, b in zip(now.feeds, then.feeds, strict=True))

    def _written(self, now: Fact, then: Fact) -> bool:
        """A sink that remembers no rows has no use for how they were made; one that does must get the same."""
        if now.own != then.own or not kinds.sink(now.node):
            return False
        if not kinds.materialised(now.node):
            return True
        return all(_overlap(a, b) for a, b in zip(now.feeds, then.feeds, strict=True))

    def _take(self, fits: Callable[[Fact, Fact], bool]) -> bool:
        """Pair what fits, those first that are read by the same; whether there was any."""
        free = [f for number, f in self.old.items() if number not in set(self.pairs.values())]
        by_own: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in free:
            by_own[fact.own].append(fact)
        wanted = [f for n, f in self.new.items() if n not in self.pairs and n not in self.refused]
        found = [(self._score(n, o), n.node["id"], o.node["id"]) for n in wanted for o in by_own[n.own] if fits(n, o)]
        taken: set[int] = set()
        for _, number, other in sorted(found, key=lambda pair: (-pair[0], pair[1], pair[2])):
            if number not in self.pairs and other not in taken:
                self.pairs[number] = other
                taken.add(other)
        return bool(found)

    def _score(self, now: Fact, then: Fact) -> float:
        """How much of what reads the one also reads the other; a source is rather itself than its like."""
        mine, theirs = self._new_ends[now.node["id"]], self._old_ends[then.node["id"]]
        alike = len(mine & theirs) / (len(mine | theirs) or 1)
        return alike + (_identifier(now) == _identifier(then))

    def _same_origin(self, now: Feed, then: Feed) -> bool:
        """Rows must go on coming from the very operator they came from: an equal one may be further on in its input."""
        known = {(b.rows, b.node) for b in then}
        shared = {b.rows for b in then}
        return all((b.rows, self.pairs.get(b.node)) in known for b in now if b.rows in shared)

    def _drift(self, now: Feed, then: Feed, drifts: Mapping[int, Drift], *, changing: Mapping[int, bool]) -> Drift:
        above = [(drifts.get(b.node, Drift.NONE), b) for b in now if b.node in self.pairs]
        handed = [d for d, b in above if d is Drift.STALE or self._plain(b)]
        found = max([Drift.NONE, *handed])
        # Counted, not only named: rows that come twice are other rows than those that come once.
        if Counter((b.rows, b.filters) for b in now) != Counter((b.rows, b.filters) for b in then):
            found = max(found, Drift.FILTERED)
        elif Counter((b.rows, b.watermarks) for b in now) != Counter((b.rows, b.watermarks) for b in then):
            found = max(found, Drift.TIMED)
        changes = any(changing[b.node] for b in now)
        if found is Drift.FILTERED and changes:
            return Drift.STALE
        if found is Drift.STALE and not changes:
            return Drift.FILTERED
        return found

    def _plain(self, branch: Branch) -> bool:
        return kinds.kind(self.new[branch.node].node).role is kinds.Role.PLAIN


def _overlap(now: Feed, then: Feed) -> bool:
    """Whether rows come from the same places, or from some more, or from some fewer."""
    a, b = {branch.rows for branch in now}, {branch.rows for branch in then}
    return bool(a and b) and (a <= b or b <= a)


def _ends(found: Mapping[int, Fact]) -> dict[int, frozenset[str]]:
    """What stands behind each operator, down to the tables that are written, by name."""
    behind: dict[int, set[str]] = {number: set() for number in found}
    for number, fact in reversed(list(found.items())):
        mine = {fact.own} | _table(fact)
        for branch in (b for feed in fact.feeds for b in feed):
            behind[branch.node] |= mine | behind[number]
    return {number: frozenset(behind[number] | _table(fact)) for number, fact in found.items()}


def _names(fact: Fact) -> set[str]:
    return {name for name, _ in fields(fact.node)}


def _identifier(fact: Fact) -> str:
    for place in ("scanTableSource", "dynamicTableSink"):
        if place in fact.node:
            return str(fact.node[place]["table"].get("identifier"))
    return ""


def _table(fact: Fact) -> frozenset[str]:
    return frozenset({_identifier(fact)}) if kinds.sink(fact.node) else frozenset()
