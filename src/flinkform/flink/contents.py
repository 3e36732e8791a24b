"""What a savepoint or a checkpoint really holds, and a verdict held against it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flinkform.flink import kinds
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.plan import Plan
from flinkform.flink.verdict import Fate, Operator, Outcome, Verdict

_OURS = re.compile(r"(\d+)_")
"""How the uid of an operator begins that runs from a compiled plan: the id of its node."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """The operators with state: *held* by the id of their node, *strangers* those of no compiled plan; each by name."""

    held: Mapping[int, str]
    strangers: tuple[str, ...] = ()


def contents(gateway: Gateway, location: str) -> Contents | None:
    """Read the metadata at *location*. None where it says nothing of this.

    It is gone meanwhile, as a checkpoint soon is; it is out of Flink's reach; or it is of a Flink that does not yet
    write uids into it (before 2.0).
    """
    held: dict[int, str] = {}
    strangers: list[str] = []
    with gateway.answering():
        try:
            for operator in _states(gateway, location):
                uid, name = (str(found.orElse("")) for found in (operator.getOperatorUid(), operator.getOperatorName()))
                if not uid:
                    return None
                if match := _OURS.match(uid):
                    held.setdefault(int(match[1]), name)
                else:
                    strangers.append(name or uid)
        except Thrown:
            return None
    return Contents(held, tuple(strangers))


def _states(gateway: Gateway, location: str) -> list[Any]:
    """The operators that hold any state; of those without the metadata keeps an empty entry."""
    jvm = gateway.jvm
    path = gateway.flink.core.fs.Path(f"{location.rstrip('/')}/_metadata")
    stream = jvm.java.io.DataInputStream(path.getFileSystem().open(path))
    try:
        loader = jvm.java.lang.ClassLoader.getSystemClassLoader()
        metadata = gateway.flink.runtime.checkpoint.Checkpoints.loadCheckpointMetadata(stream, loader, location)
    finally:
        stream.close()
    return [one for one in jvm.java.util.ArrayList(metadata.getOperatorStates()) if one.getStateSize() > 0]


def checked(said: Verdict, old: Plan, new: Plan, found: Contents) -> Verdict:
    """Return a verdict on *old* and *new*, which have matching ids, that does not promise more than *found* allows."""
    if found.strangers:
        named = ", ".join(found.strangers[:_SHOWN]) + (", …" if len(found.strangers) > _SHOWN else "")
        reason = f"its state holds operators that are not of its plan: {named}"
        return replace(said, outcome=Outcome.UNKNOWN, reason=reason)
    known = {node["id"] for node in new.nodes} | {o.id for o in said.operators if o.fate is Fate.DROPPED}
    lost = tuple(_lost(old, number, name) for number, name in found.held.items() if number not in known)
    if not lost:
        return said
    kept = said.outcome not in (Outcome.LOST, Outcome.UNKNOWN)
    reason = f"{len(lost)} operators hold state that nothing takes over" if kept else said.reason
    return Verdict(Outcome.PARTLY if kept else said.outcome, reason, (*said.operators, *lost))


def _lost(old: Plan, number: int, name: str) -> Operator:
    node = next((node for node in old.nodes if node["id"] == number), None)
    label = kinds.kind(node).label if node else "operator"
    return Operator(number, Fate.DROPPED, label, name, "it holds state all the same, and no operator takes it over")
