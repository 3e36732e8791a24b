"""A control plane whose Flink fails some calls, before or after it has done what was asked, and is late with others."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from flinkform.controlplane import server
from flinkform.controlplane.settings import from_environment
from flinkform.errors import TimedOut, Unavailable
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.values import Diagnosis, Observed, SavepointStatus, Submission

T = TypeVar("T")
LATEST = 2.0
"""Seconds that a late answer is late by, at most."""


class Mood:
    """Draws what becomes of a call: *failing* and *delayed* are shares of all calls."""

    def __init__(self, seed: str, *, failing: float, delayed: float) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self._failing = failing
        self._delayed = delayed

    def call(self, ask: Callable[[], T]) -> T:
        """Ask; half of the failures are lost requests, half are lost answers."""
        draw, side = self._random.random(), self._random.random()
        if draw < self._failing and side < 0.5:
            raise Unavailable("the request was lost on purpose")
        if self._failing <= draw < self._failing + self._delayed:
            time.sleep(side * LATEST)
        found = ask()
        if draw < self._failing:
            raise TimedOut("the answer was lost on purpose")
        return found


class Unsteady(Embedded):
    """A Flink beside us behind a bad line."""

    def __init__(self, settings: Settings, *, locks: Sequence[int], mood: Mood) -> None:
        super().__init__(settings, locks=locks)
        self._mood = mood

    def submit(self, job: Submission) -> None:
        self._mood.call(lambda: super(Unsteady, self).submit(job))

    def observe(self) -> dict[str, Observed]:
        return self._mood.call(super().observe)

    def failure(self, job_id: str) -> Diagnosis | None:
        return self._mood.call(lambda: super(Unsteady, self).failure(job_id))

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        asked: Mapping[str, bool] = {"stop": stop, "drain": drain, "native": native}
        return self._mood.call(lambda: super(Unsteady, self).savepoint(job_id, directory, **asked))

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        return self._mood.call(lambda: super(Unsteady, self).savepoint_status(job_id, trigger))

    def cancel(self, job_id: str) -> None:
        self._mood.call(lambda: super(Unsteady, self).cancel(job_id))


def main() -> None:
    """Serve as `flinkform controlplane` does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--java", type=Path, required=True)
    parser.add_argument("--listen", required=True, help="HOST:PORT")
    parser.add_argument("--mood", required=True, help="LIFE:SEED:FAILING:DELAYED")
    given = parser.parse_args()
    host, port = given.listen.split(":")
    life, seed, failing, delayed = given.mood.split(":")
    mood = Mood(f"{seed}-{life}", failing=float(failing), delayed=float(delayed))
    server.run(
        from_environment(os.environ, home=given.home, host=host, port=int(port), java=given.java),
        announce=lambda endpoint: print(json.dumps({"endpoint": endpoint}), flush=True),
        say=lambda text: print(text, file=sys.stderr, flush=True),
        embed=partial(Unsteady, mood=mood),
    )


if __name__ == "__main__":
    main()
