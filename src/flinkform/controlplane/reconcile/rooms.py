"""How large the JVM of a session cluster is, and what Flink is told in it, from what the API says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flinkform.controlplane.reconcile.seating import options
from flinkform.errors import Invalid
from flinkform.flink.catalogue import DEFAULT
from flinkform.flink.cluster import OURS
from flinkform.flink.settings import Settings
from flinkform.openapi import engine

_PLACE = ("basicResourceSetting", "taskmanagerResourceSettingSpec")


def room(usual: Settings, document: Mapping[str, Any], *, engines: Path) -> Settings:
    """Return *usual* as a session cluster wants it; its job manager and its one task manager are the same JVM."""
    basic = document.get(_PLACE[0]) or {}
    own = replace(usual, slots=int(basic.get("parallelism") or 1), options=options(document), network="64m")
    if memory := (basic.get(_PLACE[1]) or {}).get("memory"):
        own = replace(own, heap=f"{round(float(str(memory).removesuffix('Gi')) * 1024)}m")
    line = engine.line(str(document.get("engineVersion") or ""))
    if line in ("", DEFAULT):
        return own
    return replace(own, engines=engines, engine=line, archive=None)


def check(document: Mapping[str, Any]) -> None:
    """Invalid: an option that is not the user's to set."""
    if taken := sorted(set(document.get("flinkConf") or {}) & OURS):
        advice = "leave it out; the number of slots is basicResourceSetting.parallelism"
        raise Invalid("is the control plane's to set", at=("flinkConf", taken[0]), advice=advice)
