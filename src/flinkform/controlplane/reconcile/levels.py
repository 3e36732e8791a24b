"""What the loggers of each JVM say: as much as its session cluster, or that job in it wants which wants most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import structlog

from flinkform.controlplane.reconcile.crew import Crew
from flinkform.controlplane.reconcile.observe import View
from flinkform.controlplane.reconcile.patience import Patience
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.store.runs import Run
from flinkform.errors import FlinkformError
from flinkform.flink.fleet import Fleet, Seat
from flinkform.resources.job import LEVELS

ROOT = "root"
"""What a person calls the logger of all others, which log4j calls nothing."""

_log = structlog.get_logger(__name__)
Wanted = Mapping[str, str]
Document = Mapping[str, Any]


class Levels:
    """Tells each JVM the levels of its loggers whenever they are others; one that was started anew knows of none."""

    def __init__(self, fleet: Fleet, crew: Crew) -> None:
        self._fleet = fleet
        self._crew = crew
        self._told: dict[Seat, tuple[str, Wanted]] = {}
        self._patience = Patience(first=500, limit=30_000)

    def look(self, live: Iterable[Run], view: View, clusters: Mapping[Seat, Document]) -> None:
        """Begin whatever has to be told now; *clusters* says what session clusters are made of."""
        wanted = {at: dict(_asked(document)) for at, document in clusters.items()}
        for run in live:
            _louder(wanted.setdefault(seat(run), {}), _asked(run.definition))
        for at, look in view.looks.items():
            life, levels, name = look.health.life, wanted.get(at, {}), f"levels of {at.folder}"
            told = self._told.get(at, ("", {}))
            known = told[1] if told[0] == life else {}
            if life and levels != known and not self._patience.waits(name, view.at):
                self._crew.send(name, partial(self._tell, name, at, life, levels, view.at))

    def _tell(self, name: str, at: Seat, life: str, levels: Wanted, now: int) -> None:
        try:
            self._fleet.at(at).levels(levels)
        except FlinkformError as error:
            self._patience.failed(name, now)
            _log.warning("log levels", runtime=at.folder, reason=str(error))
            return
        self._patience.succeeded(name)
        self._told[at] = (life, levels)


def _louder(levels: dict[str, str], more: Wanted) -> None:
    for logger, level in more.items():
        levels[logger] = min(level, levels.get(logger, level), key=LEVELS.index)


def _asked(definition: Document) -> Wanted:
    found = (definition.get("logging") or {}).get("log4jLoggers") or ()
    return {"" if one["loggerName"] == ROOT else one["loggerName"]: one["loggerLevel"] for one in found}
