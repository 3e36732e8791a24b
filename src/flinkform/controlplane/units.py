"""Compute units, of one core and 4 GiB each: what a job and a session cluster take of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

RUNTIME = "session:"
"""What a definition's `runtime` begins with where a job runs in a session cluster; its id follows."""
TASK = 0.01
"""Units of a task of a job that does not say what it takes: hundreds of small ones share a few cores."""
_GIBIBYTES = 4
"""Memory of a unit."""
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([GMgm])i?B?")
_SLOTS = "taskmanager.numberOfTaskSlots"


def of_job(definition: Mapping[str, Any]) -> float:
    """The units of a job: of its managers where it says them, else of its tasks; none in a session cluster."""
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
