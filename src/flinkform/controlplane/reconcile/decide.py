"""The next step of a run, a savepoint, an instance or a namespace; pure, and a table wherever it can be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Sight(StrEnum):
    """What was seen of a job: a phase of Flink's, or why there is none."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    RESTARTING = "RESTARTING"
    STOPPING = "STOPPING"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"
    GONE = "GONE"
    """Not there, and not expected: it was never handed to this life of the runtime."""
    LOST = "LOST"
    """Not there, though this life of the runtime had taken it."""
    DOWN = "DOWN"
    """The runtime does not run, so nothing in it does; it is being started."""
    BROKEN = "BROKEN"
    """The runtime does not run and cannot be started."""
    UNSEEN = "UNSEEN"
    """The runtime did not answer: nothing is known."""


class Do(StrEnum):
    """One step of a run. TELL and END only write down what was seen; a run that ENDs is never touched again."""

    WAIT = "WAIT"
    SUBMIT = "SUBMIT"
    """Hand it to Flink, from the state that was asked for."""
    RECOVER = "RECOVER"
    """Hand it to Flink again, from its newest state: the runtime was restarted."""
    REPAIR = "REPAIR"
    """Hand it to Flink again, from its newest state: it vanished. Once."""
    CANCEL = "CANCEL"
    KEEP = "KEEP"
    """Give the stop up: its savepoint failed, and the job shall run on."""
    DIAGNOSE = "DIAGNOSE"
    """Ask Flink why it keeps restarting."""
    COUNT = "COUNT"
    """Ask Flink whether it failed since the last look, unseen."""
    HOLD = "HOLD"
    """End it: it fails too often."""
    TELL_STARTING = "TELL_STARTING"
    TELL_RUNNING = "TELL_RUNNING"
    TELL_CANCELLING = "TELL_CANCELLING"
    END_CANCELLED = "END_CANCELLED"
    END_FINISHED = "END_FINISHED"
    END_FAILED = "END_FAILED"
    END_LOST = "END_LOST"
    END_BROKEN = "END_BROKEN"
    END_HELD = "END_HELD"


class Taken(StrEnum):
    """What became of the savepoint that a stop waits for."""

    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that matters about a run: what was asked and recorded (columns of `store.runs`), and what was seen."""

    intent: str
    strategy: str
    step: str
    state: str
    seen: Sight
    handed: bool = False
    """Flink was called with it at least once."""
    began: bool = False
    """It was RUNNING once."""
    batch: bool = False
    retried: bool = False
    """It was handed over again after it vanished."""
    troubled: bool = False
    """A failure is told of it already."""
    taken: Taken = Taken.PENDING
    restless: bool = False
    """Its tasks changed since the last look."""
    flapping: bool = False
    """It failed more often than anybody should have to look at."""
    moving: bool = False
    """Its parallelism is being changed, for which Flink restarts its tasks."""


_LIVE = (Sight.STARTING, Sight.RUNNING, Sight.RESTARTING, Sight.STOPPING)
_ENDED = (Sight.FINISHED, Sight.CANCELED, Sight.FAILED)
_NOWHERE = (Sight.GONE, Sight.LOST, Sight.DOWN, Sight.BROKEN)


def _table(*parts: tuple[tuple[Sight, ...], Do], **single: Do) -> Mapping[Sight, Do]:
    table = {sight: do for sights, do in parts for sight in sights}
    table.update({Sight(name): do for name, do in single.items()})
    return MappingProxyType(table)


# Handing over the same id twice is one job, so an answer that was lost is asked for again.
_ASKED_TO_START = _table(
    ((*_LIVE, *_ENDED, Sight.GONE, Sight.LOST), Do.SUBMIT),
    ((Sight.DOWN, Sight.UNSEEN), Do.WAIT),
    BROKEN=Do.END_BROKEN,
)
_ASKED_TO_RUN = _table(
    STARTING=Do.WAIT,
    RUNNING=Do.TELL_RUNNING,
    RESTARTING=Do.DIAGNOSE,
    STOPPING=Do.TELL_CANCELLING,
    FINISHED=Do.END_FINISHED,
    CANCELED=Do.END_CANCELLED,
    FAILED=Do.END_FAILED,
    GONE=Do.RECOVER,
    LOST=Do.REPAIR,
    DOWN=Do.TELL_STARTING,
    BROKEN=Do.TELL_STARTING,
    UNSEEN=Do.WAIT,
)
RUN: Mapping[str, Mapping[Sight, Do]] = MappingProxyType(
    {"NEW": _ASKED_TO_START, "CALLING": _ASKED_TO_START, "CALLED": _ASKED_TO_RUN}
)
"""A run that shall run, by step."""

_ASKED_TO_CANCEL = _table(
    (_LIVE, Do.CANCEL),
    (_NOWHERE, Do.END_CANCELLED),
    STOPPING=Do.WAIT,
    FINISHED=Do.END_FINISHED,
    CANCELED=Do.END_CANCELLED,
    FAILED=Do.END_FAILED,
    UNSEEN=Do.WAIT,
)
CANCEL: Mapping[str, Mapping[Sight, Do]] = MappingProxyType(
    {
        "NEW": _ASKED_TO_CANCEL,
        "CALLING": _ASKED_TO_CANCEL,
        "CALLED": MappingProxyType({**_ASKED_TO_CANCEL, **dict.fromkeys(_LIVE, Do.WAIT)}),
    }
)
"""A run that shall end without a savepoint, by step."""

STOP: Mapping[Taken, Mapping[Sight, Do]] = MappingProxyType(
    {
        Taken.PENDING: _table(
            ((*_LIVE, *_NOWHERE, Sight.FINISHED, Sight.UNSEEN), Do.WAIT),
            CANCELED=Do.END_CANCELLED,
            FAILED=Do.END_FAILED,
        ),
        Taken.DONE: _table(
            ((*_LIVE, Sight.UNSEEN), Do.WAIT),
            ((*_NOWHERE, Sight.CANCELED), Do.END_CANCELLED),
            FINISHED=Do.END_CANCELLED,
            FAILED=Do.END_FAILED,
        ),
        Taken.FAILED: _table(
            ((*_LIVE, *_NOWHERE, Sight.UNSEEN), Do.KEEP),
            CANCELED=Do.END_CANCELLED,
            FINISHED=Do.END_FINISHED,
            FAILED=Do.END_FAILED,
        ),
    }
)
"""A run that shall end with a savepoint, by what became of that."""


def decide(facts: Facts) -> Do:
    """The next step of a run that has not ended."""
    if facts.intent == "RUN":
        if facts.flapping and facts.handed and facts.seen not in (*_ENDED, Sight.UNSEEN):
            return Do.HOLD
        return _worth(RUN[facts.step][facts.seen], facts)
    if not facts.handed:
        return Do.END_CANCELLED
    if facts.intent == "HOLD":
        do = CANCEL[facts.step][facts.seen]
        return Do.END_HELD if do in (Do.END_CANCELLED, Do.END_FINISHED, Do.END_FAILED) else do
    if facts.strategy == "NONE":
        do = CANCEL[facts.step][facts.seen]
        # A stop with a savepoint that was overridden by NONE may still have ended the job, as FINISHED.
        return Do.END_CANCELLED if do is Do.END_FINISHED and not facts.batch else do
    return STOP[facts.taken][facts.seen]


def _worth(do: Do, facts: Facts) -> Do:
    """Leave out what would say nothing new."""
    if do is Do.END_BROKEN and facts.began:
        do = Do.TELL_STARTING  # it ran before: it comes back when the runtime does
    said = {Do.TELL_STARTING: "STARTING", Do.TELL_RUNNING: "RUNNING", Do.TELL_CANCELLING: "CANCELLING"}
    if do in said and facts.state == said[do]:
        # Trouble that is over is taken back; trouble that keeps a job from starting is told once.
        told = not facts.troubled if do is Do.TELL_RUNNING else facts.troubled or facts.seen is not Sight.BROKEN
        if told:
            return Do.COUNT if facts.restless and do is Do.TELL_RUNNING else Do.WAIT
        return do
    if do is Do.DIAGNOSE and facts.moving:
        return Do.WAIT
    if do is Do.DIAGNOSE and facts.troubled:
        return Do.COUNT if facts.restless else Do.WAIT
    if do is Do.REPAIR and facts.retried:
        return Do.END_LOST
    return do


class Progress(StrEnum):
    """What Flink says of a savepoint it was asked for."""

    UNASKED = "UNASKED"
    """Nothing to ask about, or no answer."""
    UNDER_WAY = "UNDER_WAY"
    DONE = "DONE"
    FAILED = "FAILED"
    FORGOTTEN = "FORGOTTEN"
    """This life of the runtime knows nothing of it."""


class Take(StrEnum):
    """One step of a savepoint."""

    WAIT = "WAIT"
    TRIGGER = "TRIGGER"
    COMPLETE = "COMPLETE"
    ADOPT = "ADOPT"
    """Flink forgot it, or lost count of it, but it is on disk and complete."""
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that matters about a savepoint under way; *wanted* is false when its stop was overridden."""

    step: str
    stop: bool
    seen: Sight
    progress: Progress = Progress.UNASKED
    on_disk: bool = False
    wanted: bool = True


def take(facts: Snapshot) -> Take:
    """The next step of a savepoint that is neither completed nor failed."""
    if facts.seen is Sight.UNSEEN:
        return Take.WAIT
    if facts.step == "CALLED" and facts.progress in _HEARD:
        return _HEARD[facts.progress]
    # Two may have been asked for, where an answer was lost: the other one is as good. A stop's counts only once
    # its job is over: on disk beside a live job it is from a stop that failed.
    if facts.on_disk and not (facts.stop and facts.seen in _LIVE):
        return Take.ADOPT
    if facts.step == "CALLED" or not facts.wanted:
        return Take.FAIL
    return _UNTAKEN[facts.seen]


_HEARD = MappingProxyType(
    {
        Progress.UNASKED: Take.WAIT,
        Progress.UNDER_WAY: Take.WAIT,
        Progress.DONE: Take.COMPLETE,
    }
)
# A job that keeps restarting is asked too: Flink says at once why it cannot.
_UNTAKEN = MappingProxyType(
    {
        **dict.fromkeys((*_ENDED, *_NOWHERE, Sight.STOPPING), Take.FAIL),
        Sight.STARTING: Take.WAIT,
        Sight.RUNNING: Take.TRIGGER,
        Sight.RESTARTING: Take.TRIGGER,
    }
)


class Move(StrEnum):
    """One step of a change of parallelism."""

    WAIT = "WAIT"
    CALL = "CALL"
    DONE = "DONE"
    UNDO = "UNDO"
    """Flink was asked, and did not take it up in time."""
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Change:
    """All that matters about a change of parallelism under way; *seen* is None when its run is gone."""

    step: str
    seen: Sight | None
    wanted: bool = True
    """The run shall still run."""
    reached: bool = False
    """Flink shows the tasks it shall have."""
    late: bool = False
    saving: bool = False
    """A savepoint of it is being taken, which a restart of its tasks would break."""


def move(facts: Change) -> Move:
    """The next step of a change of parallelism. Asking Flink twice is one change, so a lost answer is asked again."""
    if facts.seen is None or facts.seen in _ENDED:
        return Move.FAIL
    running = facts.seen is Sight.RUNNING
    if facts.step == "CALLED":
        if running and facts.reached:
            return Move.DONE
        if facts.seen in _NOWHERE and not facts.wanted:
            return Move.FAIL  # it will not come back, and its stop waits for this
        return Move.UNDO if facts.late and facts.seen in _LIVE else Move.WAIT
    if not facts.wanted or (facts.late and facts.step == "NEW"):
        return Move.FAIL
    return Move.CALL if running and not facts.saving else Move.WAIT


INSTANCE: Mapping[str, str] = MappingProxyType({"CREATING": "RUNNING", "MODIFYING": "RUNNING", "DELETING": "DELETED"})
NAMESPACE: Mapping[str, str] = MappingProxyType({"CREATING": "SUCCESS", "MODIFYING": "SUCCESS", "DELETING": "DELETED"})
"""Where an instance's or a namespace's status leads; DELETED is no status, but the end."""
