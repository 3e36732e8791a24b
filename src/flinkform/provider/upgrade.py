"""What becomes of a job's state in an upgrade, judged when it is planned. Pure: the answer is asked for elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flinkform.errors import Conflict, Path
from flinkform.provider.plan import Plan, defaulted
from flinkform.provider.values import Values, known
from flinkform.resources.job import RESOURCE
from flinkform.schema.model import Change

VERDICT = "verdict"
"""Planned private state: the word for the state that this very apply carries over; an apply takes it out."""
STARTED = "started"
"""Private state: `False` while no job of this deployment is known to have run, so has state to lose."""
KEEPING = ("same", "compatible")
LOSING = ("partly", "lost")
UNSAID = "unknown"
"""The word for what nobody can tell."""

_DEFINING = ("sql", "jar", "flink_options", "engine_version")
"""What decides which state a job keeps."""
_DECIDING = (*_DEFINING, "state", "upgrade", "execution_mode", "allow_non_restored_state")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: *word* is UNKNOWN while nobody could be asked; *dropped* has a line for each operator.

    *empty* says that not even a part can be taken over.
    """

    word: Any
    summary: str = ""
    dropped: tuple[str, ...] = ()
    empty: bool = False


def policy(wanted: Values) -> Mapping[str, Any]:
    """Return the `upgrade` object with its defaults."""
    given = wanted.get("upgrade") or {}
    return defaulted(RESOURCE.attribute("upgrade").nested, given, given)


def keeps(wanted: Values) -> bool:
    """Say whether state is carried from job to job; a batch job has none."""
    return policy(wanted)["mode"] != "stateless" and wanted.get("execution_mode") != "BATCH"


def concerns(prior: Values | None, made: Plan, private: Mapping[str, Any]) -> Path | None:
    """Return the attribute whose change decides what is kept, or `None` if this plan carries no state over.

    A job that does not run now is a case too: it may have been edited since it kept its state.
    """
    wanted = made.values
    if prior is None or wanted is None or wanted is prior or made.replace or private.get(STARTED) is False:
        return None
    if settled(wanted) and (wanted["state"] != "running" or not keeps(wanted)):
        return None
    changed = [name for name in _DEFINING if prior.get(name) != wanted.get(name)]
    if changed or prior.get("state") != wanted.get("state"):
        return ((changed or ["state"])[0],)
    return None


def settled(wanted: Values) -> bool:
    """Say whether everything is known that decides what becomes of state."""
    return all(known(wanted.get(name)) for name in _DECIDING)


def reformed(prior: Values, wanted: Values) -> bool:
    """Say whether a job gets another state backend: that reads savepoints of any, and checkpoints of its own alone."""
    return _backend(prior) != _backend(wanted)


def beforehand(prior: Values, wanted: Values) -> Verdict | None:
    """Return the verdict that the declared costs give alone, without asking anybody."""
    for attribute in RESOURCE.attributes:
        if attribute.cost(prior.get(attribute.name), wanted.get(attribute.name)) is Change.AFRESH:
            keys = ", ".join(sorted(attribute.costs))
            return Verdict("lost", f"Flink takes over no state once {keys} is another one", empty=True)
    if policy(wanted)["mode"] == "latest" and reformed(prior, wanted):
        way = 'upgrade.mode = "savepoint" takes the state to another one'
        return Verdict("lost", f"a checkpoint is for the state backend that wrote it; {way}", empty=True)
    return None


def judged(made: Plan, verdict: Verdict, at: Path) -> Plan:
    """Return the plan with the verdict in it: an error where state would be lost that must not be, else a warning."""
    wanted = made.values or {}
    shown = replace(made, values={**wanted, "state_verdict": verdict.word})
    if not settled(wanted):
        return shown
    name, way = wanted.get("name"), policy(wanted)["on_incompatible"]
    if way == "fail" and wanted.get("allow_non_restored_state"):
        way = "drop_partial"
    if verdict.word in LOSING and (way == "fail" or (verdict.empty and way != "restart_empty")):
        return replace(shown, faults=(*made.faults, _refusal(name, verdict, _shown_at(at))))
    if verdict.word in LOSING:
        head = "starts with nothing" if way == "restart_empty" else _LOSSES[verdict.word]
        return replace(shown, warnings=(_lines(f"{name} {head}: {verdict.summary}", verdict.dropped),))
    if verdict.summary and verdict.word not in KEEPING:
        head = f"nobody can say what becomes of the state of {name}: {verdict.summary}"
        return replace(shown, warnings=(f"{head}\n{_IF_REFUSED[way]}",))
    return shown


def noted(private: Mapping[str, Any], made: Plan) -> dict[str, Any]:
    """Return the private state that takes the verdict of a plan to its apply."""
    word = (made.values or {}).get("state_verdict")
    return {**private, VERDICT: word if isinstance(word, str) else UNSAID}


def _backend(values: Values) -> str:
    options = values.get("flink_options") or {}
    return str(options.get("state.backend.type") or options.get("state.backend") or "hashmap")


_LOSSES = {"partly": "loses a part of its state", "lost": "loses its state"}
_IF_REFUSED = {
    "fail": "If Flink refuses it, the job goes on as it was.",
    "drop_partial": "What Flink cannot place is dropped.",
    "restart_empty": "If Flink refuses it, the job starts with nothing.",
}


def _shown_at(at: Path) -> Path:
    """Return where Terraform points: not at a script, which it would print in one line of JSON before the reason."""
    return () if at[:1] == ("sql",) else at


def _refusal(name: Any, verdict: Verdict, at: Path) -> Conflict:
    partly = "" if verdict.empty else 'upgrade.on_incompatible = "drop_partial" to start without what no longer fits, '
    return Conflict(
        _lines(f"{name} would lose state: {verdict.summary}", verdict.dropped),
        at=at,
        advice=f'nothing was stopped; take the edit back, or set {partly}upgrade.on_incompatible = "restart_empty" '
        "to start with nothing",
    )


def _lines(head: str, rows: Iterable[str]) -> str:
    return "\n".join((head, *(f"  {row}" for row in rows)))
