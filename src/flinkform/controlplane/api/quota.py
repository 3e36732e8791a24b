"""What a namespace may use and what of it is in use: compute units, of one core and 4 GiB each."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.store import clusters, runs
from flinkform.controlplane.store.clusters import RUNTIME, UP
from flinkform.controlplane.store.namespaces import Namespace
from flinkform.errors import Conflict

TASK = 0.01
"""Units of a task of a job that does not say what it takes: hundreds of small ones share a few cores."""
_GIBIBYTES = 4
"""Memory of a unit."""
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([GMgm])i?B?")
_SHOWN = 5
_ROUNDING = 1e-9
_SLOTS = "taskmanager.numberOfTaskSlots"


def check(db: Connection, place: Namespace, name: str, wanted: float, *, free: float = 0.0) -> None:
    """Raise Conflict, saying who uses what, if *name* would take the namespace beyond its units.

    *free* is what it gives back for that. A namespace of which nobody said how large it is has no end.
    """
    limit = size(place.document)
    if limit is None:
        return
    held = used(db, place)
    left = limit - sum(held.values()) + free
    if wanted <= left + _ROUNDING:
        return
    whole, rest = _cu(limit), _cu(max(0, left))
    raise Conflict(
        f"{name} needs {_cu(wanted)}, and of the {whole} of namespace {place.name} {rest} are free",
        advice=f"used by {_told(held)}; stop something, or give the namespace more",
    )


def shrinks(db: Connection, place: Namespace, document: Mapping[str, Any]) -> None:
    """Raise Conflict if a namespace as *document* has it would be smaller than what runs in it."""
    limit, held = size(document), used(db, place)
    if limit is not None and sum(held.values()) > limit + _ROUNDING:
        told = f"namespace {place.name} uses {_cu(sum(held.values()))}, more than {_cu(limit)}"
        raise Conflict(told, advice=f"used by {_told(held)}; stop something first")


def size(document: Mapping[str, Any]) -> float | None:
    """The units of a namespace, guaranteed and elastic; None for one without a limit."""
    said = [document.get(name) for name in ("ResourceSpec", "ElasticResourceSpec")]
    return sum(float(spec.get("Cpu") or 0) for spec in said if spec) if said[0] else None


def used(db: Connection, place: Namespace) -> dict[str, float]:
    """What each job and each session cluster of a namespace takes, by name; a job in a cluster takes nothing more."""
    held: dict[str, float] = {}
    for name, definition in runs.definitions(db, place.workspace, place.name):
        held[name] = held.get(name, 0.0) + of_job(definition)
    for one in clusters.within(db, place.workspace, place.name):
        if one.state in UP:
            held[f"session cluster {one.name}"] = of_cluster(clusters.document(db, one))
    return {name: units for name, units in held.items() if units}


def of_job(definition: Mapping[str, Any]) -> float:
    """The units of a job: of its managers where it says them, else of its tasks."""
    if str(definition.get("runtime") or "").startswith(RUNTIME):
        return 0.0
    batch = definition.get("executionMode") == "BATCH"
    setting = definition.get("batchResourceSetting" if batch else "streamingResourceSetting") or {}
    basic = setting.get("basicResourceSetting") or {}
    parallelism = int(basic.get("parallelism") or 1)
    each = _units(basic.get("taskmanagerResourceSettingSpec"))
    slots = str((definition.get("flinkConf") or {}).get(_SLOTS) or 1)
    managers = math.ceil(parallelism / int(slots)) if slots.isdecimal() and int(slots) else parallelism
    return _units(basic.get("jobmanagerResourceSettingSpec")) + (each * managers if each else TASK * parallelism)


def of_cluster(document: Mapping[str, Any]) -> float:
    """The units of a session cluster, whatever runs in it."""
    basic = document.get("basicResourceSetting") or {}
    return sum(_units(basic.get(f"{kind}ResourceSettingSpec")) for kind in ("jobmanager", "taskmanager"))


def _units(spec: Mapping[str, Any] | None) -> float:
    found = spec or {}
    amount = _AMOUNT.fullmatch(str(found.get("memory") or ""))
    memory = float(amount[1]) / (1024 if amount[2].lower() == "m" else 1) if amount else 0.0
    return max(float(found.get("cpu") or 0), memory / _GIBIBYTES)


def _cu(units: float) -> str:
    return f"{round(units, 2):g} CU"


def _told(held: Mapping[str, float]) -> str:
    biggest = sorted(held.items(), key=lambda one: (-one[1], one[0]))
    more = f" and {len(biggest) - _SHOWN} more" if len(biggest) > _SHOWN else ""
    return (", ".join(f"{name} ({_cu(units)})" for name, units in biggest[:_SHOWN]) or "nobody") + more
