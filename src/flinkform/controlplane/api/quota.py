"""What a namespace may use and what of it is in use, in compute units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import units
from flinkform.controlplane.store import clusters, runs
from flinkform.controlplane.store.clusters import UP
from flinkform.controlplane.store.namespaces import Namespace
from flinkform.errors import Conflict, few

_SHOWN = 5
_ROUNDING = 1e-9


def check(db: Connection, place: Namespace, name: str, wanted: float, *, free: float = 0.0) -> None:
    """Raise Conflict, saying who uses what, if *name* would take the namespace beyond its units.

    *free* is what it gives back for that. A namespace of which nobody said how large it is has no end.
    """
    limit = size(place.document)
    if limit is None or wanted <= free:
        return
    left = limit - _total(db, place) + free
    if wanted <= left + _ROUNDING:
        return
    whole, rest = _cu(limit), _cu(max(0, left))
    raise Conflict(
        f"{name} needs {_cu(wanted)}, and of the {whole} of namespace {place.name} {rest} are free",
        advice=f"used by {_told(used(db, place))}; stop something, or give the namespace more",
    )


def shrinks(db: Connection, place: Namespace, document: Mapping[str, Any]) -> None:
    """Raise Conflict if a namespace as *document* has it would be smaller than what runs in it."""
    limit, total = size(document), _total(db, place)
    if limit is not None and total > limit + _ROUNDING:
        told = f"namespace {place.name} uses {_cu(total)}, more than {_cu(limit)}"
        raise Conflict(told, advice=f"used by {_told(used(db, place))}; stop something first")


def size(document: Mapping[str, Any]) -> float | None:
    """The units of a namespace, guaranteed and elastic; None for one without a limit."""
    said = [document.get(name) for name in ("ResourceSpec", "ElasticResourceSpec")]
    return sum(float(spec.get("Cpu") or 0) for spec in said if spec) if said[0] else None


def used(db: Connection, place: Namespace) -> dict[str, float]:
    """What each job and each session cluster of a namespace takes, by name; a job in a cluster takes nothing more."""
    held: dict[str, float] = {}
    for name, taken in runs.taken(db, place.workspace, place.name):
        held[name] = held.get(name, 0.0) + taken
    held |= _clusters(db, place)
    return {name: taken for name, taken in held.items() if taken}


def _total(db: Connection, place: Namespace) -> float:
    return runs.total(db, place.workspace, place.name) + sum(_clusters(db, place).values())


def _clusters(db: Connection, place: Namespace) -> dict[str, float]:
    up = [one for one in clusters.within(db, place.workspace, place.name) if one.state in UP]
    return {f"session cluster {one.name}": units.of_cluster(clusters.document(db, one)) for one in up}


def _cu(amount: float) -> str:
    return f"{round(amount, 2):g} CU"


def _told(held: Mapping[str, float]) -> str:
    biggest = sorted(held.items(), key=lambda one: (-one[1], one[0]))
    return few((f"{name} ({_cu(amount)})" for name, amount in biggest), _SHOWN) or "nobody"
