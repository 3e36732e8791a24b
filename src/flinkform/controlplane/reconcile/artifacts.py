"""Lets go of files that no deployment and no run needs any more: uploads, and programs that were fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from flinkform.controlplane.delivery import fetch
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.store import deployments, runs
from flinkform.errors import FlinkformError
from flinkform.resources.job import JAR_SHA256

NAME = "artifacts"
_log = structlog.get_logger(__name__)


def sweep(bench: Bench, *, age: int) -> None:
    """Remove what nobody has needed for *age* milliseconds; what is needed now begins that time anew."""
    with bench.store.read() as db:
        definitions = [*deployments.programs(db), *(run.definition for run in runs.live(db))]
    try:
        needed = {sha for definition in definitions for sha in _needed(bench, definition)}
        for sha in bench.fetch.shelf.sweep(needed, now=bench.clock() / 1000, seconds=age / 1000):
            _log.info("artifact removed", sha256=sha)
    except (FlinkformError, OSError) as error:
        _log.warning("artifacts that may go stay", reason=str(error))


def _needed(bench: Bench, definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sha256 of each file that a definition names, or pins."""
    program = (definition.get("artifact") or {}).get("jarArtifact") or {}
    if pin := (definition.get("labels") or {}).get(JAR_SHA256):
        yield str(pin)
    for place in (program.get("jarUri"), *(program.get("additionalDependencies") or ())):
        bare, pin = fetch.pinned(str(place or ""))
        if pin:
            yield pin
        if sha := bench.fetch.shelf.named(bare):
            yield sha
