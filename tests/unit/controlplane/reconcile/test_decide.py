"""The tables have an answer for everything, and the answers keep their promises."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from flinkform.controlplane.reconcile.decide import (
    INSTANCE,
    NAMESPACE,
    Change,
    Do,
    Facts,
    Move,
    Progress,
    Sight,
    Snapshot,
    Take,
    Taken,
    decide,
    move,
    take,
)
from flinkform.controlplane.reconcile.settle import STATES
from flinkform.controlplane.store import instances, namespaces

LIVE = {Sight.STARTING, Sight.RUNNING, Sight.RESTARTING, Sight.STOPPING}
HAND_OVER = {Do.SUBMIT, Do.RECOVER, Do.REPAIR}
BOOLS = (False, True)


def every_fact() -> Iterator[Facts]:
    for intent, strategy, step, seen, taken in product(
        ("RUN", "STOP"), ("NONE", "STOP_WITH_SAVEPOINT", "STOP_WITH_DRAIN"), ("NEW", "CALLING", "CALLED"), Sight, Taken
    ):
        for state, flags in product(("STARTING", "RUNNING", "CANCELLING"), product(BOOLS, repeat=5)):
            yield Facts(intent, strategy, step, state, seen, *flags, taken)
            yield Facts(intent, strategy, step, state, seen, *flags, taken, moving=True)


def every_trouble() -> Iterator[Facts]:
    """Runs that fail again and again, or were held because of it."""
    for intent, step, seen, flags in product(
        ("RUN", "HOLD"), ("NEW", "CALLING", "CALLED"), Sight, product(BOOLS, repeat=3)
    ):
        handed, restless, flapping = flags
        yield Facts(intent, "NONE", step, "RUNNING", seen, handed, restless=restless, flapping=flapping)


def every_snapshot() -> Iterator[Snapshot]:
    for step, stop, seen, progress, on_disk, wanted in product(
        ("NEW", "CALLING", "CALLED"), BOOLS, Sight, Progress, BOOLS, BOOLS
    ):
        yield Snapshot(step, stop, seen, progress, on_disk, wanted)


def every_change() -> Iterator[Change]:
    for step, seen, flags in product(("NEW", "CALLING", "CALLED"), (*Sight, None), product(BOOLS, repeat=4)):
        yield Change(step, seen, *flags)


def test_no_change_is_waited_for_in_vain() -> None:
    """A change of parallelism of a job that is gone and shall not come back is over: its stop waits for that."""
    gone = (Sight.GONE, Sight.LOST, Sight.DOWN, Sight.BROKEN)
    assert {move(Change("CALLED", seen, wanted=False)) for seen in gone} == {Move.FAIL}
    assert {move(Change("CALLED", seen, wanted=True)) for seen in gone} == {Move.WAIT}


def test_every_pair_has_a_step() -> None:
    """No combination of what was asked and what was seen is without an answer."""
    assert {type(decide(facts)) for facts in every_fact()} == {Do}
    assert {type(take(facts)) for facts in every_snapshot()} == {Take}
    assert {type(move(facts)) for facts in every_change()} == {Move}


def test_every_step_is_reached() -> None:
    """No answer is there for nothing."""
    assert {decide(facts) for facts in (*every_fact(), *every_trouble())} == set(Do)
    assert {take(facts) for facts in every_snapshot()} == set(Take)
    assert {move(facts) for facts in every_change()} == set(Move)


def test_silence_decides_nothing() -> None:
    """A runtime that did not answer causes no call and tells nothing; only a stop that has failed is given up."""
    unseen = [facts for facts in every_fact() if facts.seen is Sight.UNSEEN and facts.handed]
    assert {decide(facts) for facts in unseen if facts.intent == "RUN"} == {Do.WAIT}
    assert {decide(facts) for facts in unseen} <= {Do.WAIT, Do.KEEP}
    assert {take(facts) for facts in every_snapshot() if facts.seen is Sight.UNSEEN} == {Take.WAIT}


def test_a_held_job_ends() -> None:
    """What fails too often is ended, never handed over again, and its run ends when its job has."""
    held = [facts for facts in every_trouble() if facts.intent == "HOLD" and facts.handed]
    assert {decide(facts) for facts in held} == {Do.CANCEL, Do.WAIT, Do.END_HELD}
    assert {facts.seen for facts in held if decide(facts) is Do.END_HELD}.isdisjoint(LIVE | {Sight.UNSEEN})
    flapping = [facts for facts in every_trouble() if facts.flapping and facts.intent == "RUN" and facts.handed]
    assert {decide(facts) for facts in flapping if facts.seen in LIVE} == {Do.HOLD}


def test_a_parallelism_changes_only_while_the_job_runs() -> None:
    """Flink is asked only of a job that is seen RUNNING and shall run, and never twice once it answered."""
    called = [facts for facts in every_change() if move(facts) is Move.CALL]
    assert {facts.seen for facts in called} == {Sight.RUNNING}
    assert {(facts.wanted, facts.saving) for facts in called} == {(True, False)}
    assert "CALLED" not in {facts.step for facts in called}
    asked = [facts for facts in every_change() if facts.step == "CALLED" and facts.seen is Sight.UNSEEN]
    assert {move(facts) for facts in asked} == {Move.WAIT}


def test_a_live_job_is_never_handed_over_again() -> None:
    """What Flink took and still runs is not submitted a second time."""
    taken = [facts for facts in every_fact() if facts.step == "CALLED" and facts.seen in LIVE]
    assert not {decide(facts) for facts in taken} & HAND_OVER


def test_a_live_job_is_never_ended() -> None:
    """No run ends while its job still runs, if Flink was ever called with it."""
    living = [facts for facts in every_fact() if facts.handed and facts.seen in LIVE]
    assert not [do for do in map(decide, living) if do.startswith("END")]


def test_a_stop_never_starts() -> None:
    """Nothing is handed to Flink for a run that shall end."""
    assert not {decide(facts) for facts in every_fact() if facts.intent == "STOP"} & HAND_OVER


def test_a_run_is_never_cancelled_unasked() -> None:
    """Only a stop cancels."""
    assert Do.CANCEL not in {decide(facts) for facts in every_fact() if facts.intent == "RUN"}


def test_a_savepoint_under_way_is_waited_for() -> None:
    """A job whose stop waits for its savepoint is neither cancelled nor given up."""
    waiting = [
        facts
        for facts in every_fact()
        if facts.intent == "STOP" and facts.strategy != "NONE" and facts.handed and facts.taken is Taken.PENDING
    ]
    assert {decide(facts) for facts in waiting if facts.seen in LIVE} == {Do.WAIT}


def test_ran_before_is_never_failed_for_want_of_a_runtime() -> None:
    """A missing runtime fails only what never ran."""
    broken = [facts for facts in every_fact() if facts.seen is Sight.BROKEN and facts.intent == "RUN"]
    assert {decide(facts) for facts in broken if facts.began} <= {Do.TELL_STARTING, Do.WAIT}
    assert {decide(facts) for facts in broken if not facts.began and facts.step == "NEW"} == {Do.END_BROKEN}


def test_telling_says_something_new() -> None:
    """A state is told only when the API says another, or when trouble began or is over."""
    for facts in every_fact():
        do = decide(facts)
        if do.startswith("TELL") and STATES[do] == facts.state:
            assert facts.troubled == (do is Do.TELL_RUNNING)


def test_repair_is_tried_once() -> None:
    """A job that vanished a second time is lost."""
    lost = [f for f in every_fact() if f.seen is Sight.LOST and f.step == "CALLED" and f.intent == "RUN"]
    assert {decide(facts) for facts in lost if facts.retried} == {Do.END_LOST}
    assert {decide(facts) for facts in lost if not facts.retried} == {Do.REPAIR}


def test_a_stop_counts_only_when_its_job_is_over() -> None:
    """A savepoint found on disk beside a job that still runs does not stop it."""
    beside = [facts for facts in every_snapshot() if facts.stop and facts.seen in LIVE]
    assert Take.ADOPT not in {take(facts) for facts in beside}


def test_nothing_complete_is_thrown_away() -> None:
    """A savepoint that is on disk is never failed once its job is over, whatever Flink says."""
    there = [f for f in every_snapshot() if f.on_disk and f.seen not in LIVE | {Sight.UNSEEN}]
    unheard = (Progress.FORGOTTEN, Progress.FAILED)
    forgotten = [f for f in there if f.progress in unheard or f.step != "CALLED"]
    assert {take(facts) for facts in forgotten} == {Take.ADOPT}


@pytest.mark.parametrize(("table", "moving"), [(INSTANCE, instances.MOVING), (NAMESPACE, namespaces.MOVING)])
def test_every_passing_status_leads_somewhere(table: dict[str, str], moving: tuple[str, ...]) -> None:
    """Each passing status of an instance or a namespace leads to one that is not."""
    assert set(table) == set(moving)
    assert not set(table.values()) & set(moving)
