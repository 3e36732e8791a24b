"""Kills `apply`, `promote` and `rollback` at random points, and looks whether the next run brings all in order.

`python -m tests.acceptance.kills [--points 50] [--seed 7] [--real]` (make kills) prints one JSON line. A point is a
share of the time that the command takes, one of its requests (before it is answered, or after), or a line that it
says; only kills that landed count. The command is killed with the Terraform it started, or alone. The jobs are
suspended and Flink is in memory; with --real they run and count, and no row may be lost or come twice.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from flinkform.controlplane.store import states
from tests.acceptance.repository import FLINKFORM
from tests.acceptance.yard import Yard, running, yard

KINDS = ("apply", "promote", "rollback")
ENVIRONMENTS = ("dev", "staging")
_IN_A_ROW = 2
"""How often the same command may be killed before it is let alone."""


@dataclass
class Size:
    """What a command took that was let alone: its time, its requests, the lines that it said."""

    seconds: float = 0.0
    requests: int = 0
    lines: int = 0


@dataclass
class Victim:
    """A command that is to be killed: at one of its requests, at one of its lines, or at a time."""

    process: subprocess.Popen[str]
    alone: bool

    def kill(self) -> None:
        """Kill it, with all that it started or alone; harmless where it ended before."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill() if self.alone else os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Tap:
    """Sits before the control plane, counts its requests, and kills at one of them."""

    count: int = 0
    at: tuple[int, bool] = (0, False)
    """Number of the request, from 1, and whether it is answered first."""
    victim: Victim | None = None

    def around(self, app: ASGIApp) -> ASGIApp:
        async def tapped(scope: Scope, receive: Receive, send: Send) -> None:
            self.count += 1
            mine = self.count
            if self.victim and self.at == (mine, False):
                self.victim.kill()
            await app(scope, receive, send)
            if self.victim and self.at == (mine, True):
                self.victim.kill()

        return tapped

    def begin(self, at: tuple[int, bool] = (0, False)) -> None:
        """Count from 0, to kill at *at*."""
        self.count, self.at, self.victim = 0, at, None


@dataclass
class Killer:
    """Who kills, and what came of it."""

    yard: Yard
    tap: Tap | None
    rng: random.Random
    sizes: dict[str, Size] = field(default_factory=dict)
    landed: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    wrongs: list[str] = field(default_factory=list)

    def run(self, *words: str, environment: str = "dev") -> dict[str, Any]:
        """Run a command to its end, and remember its size."""
        if self.tap:
            self.tap.begin()
        began, done = time.monotonic(), self.yard.here.run(*words, "--json", FLINKFORM_ENVIRONMENT=environment)
        assert done.returncode == 0, f"flinkform {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        requests = self.tap.count if self.tap else 0
        self.sizes[words[0]] = Size(time.monotonic() - began, requests, done.stderr.count("\n"))
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def kill(self, kind: str, *words: str, environment: str = "dev", most: int = _IN_A_ROW) -> None:
        """Run a command and kill it at a random point, up to *most* times in a row, unless it was done before."""
        for _ in range(self.rng.randint(1, most)):
            way, alone = self.rng.choice(("time", "request", "line")), self.rng.random() < 0.5
            if way == "request" and not self.tap:
                way = "time"
            code = self._killed(way, words, environment, alone=alone)
            if code != -signal.SIGKILL:
                self.missed += 1
                return
            self.landed[kind] += 1
            self.ways[f"{way}, {'alone' if alone else 'with all it started'}"] += 1
            if not alone:
                self.left(kind)

    def _killed(self, way: str, words: tuple[str, ...], environment: str, *, alone: bool) -> int:
        size, rng = self.sizes[words[0]], self.rng
        seconds = rng.uniform(0.05, 0.95) * size.seconds
        line = rng.randint(1, max(1, size.lines - 1))
        if self.tap:
            chosen = (rng.randint(1, max(1, size.requests - 1)), rng.random() < 0.5)
            self.tap.begin(chosen if way == "request" else (0, False))
        process = subprocess.Popen(
            [FLINKFORM, *words],
            cwd=self.yard.here.root,
            env=self.yard.here.environment(FLINKFORM_ENVIRONMENT=environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        victim = Victim(process, alone)
        if self.tap:
            self.tap.victim = victim
        timer = Timer(seconds if way == "time" else 600, victim.kill)
        timer.start()
        for number, _ in enumerate(process.stderr or (), 1):
            if way == "line" and number == line:
                victim.kill()
        timer.cancel()
        if process.stderr:
            process.stderr.close()
        return process.wait()

    def left(self, kind: str) -> None:
        """Look at what a kill leaves: each lock names its owner, and what is written is not at odds."""
        store = self.yard.store()
        try:
            with store.read() as db:
                self.wrongs += [
                    f"{kind}: nobody knows whose the lock of {one.address} is"
                    for one in states.locked(db)
                    if "@" not in str(one.document.get("Who")) or not one.document.get("Operation")
                ]
        finally:
            store.close()
        self.wrongs += [f"{kind}, just killed: {one}" for one in self.yard.faults()]

    def point(self, kind: str) -> None:
        """Kill what a kind of release does, go on as a person would, and check."""
        made, file = self.yard, self.yard.file
        before = made.edit()
        self.run("release", "--since", before, "--out", file)
        if kind == "apply":
            self.kill(kind, "apply", file)
            if self.rng.random() < 0.5 or not self.undone(before):
                self.finish()
        else:
            self.run("apply", file)
        if kind == "promote":
            self.kill(kind, "promote", *ENVIRONMENTS, "--out", file)
            self.run("promote", *ENVIRONMENTS, "--out", file)
            self.kill(kind, "apply", file, environment="staging")
            self.finish(environment="staging")
        if kind == "rollback":
            self.kill(kind, "rollback", "--to", before, "--out", file)
            if made.git("diff", "--name-only", before, "HEAD", "--", "jobs"):
                self.run("rollback", "--to", before, "--out", file)
            self.kill(kind, "apply", file)
            self.finish()
        self.wrongs += [f"{kind}: {one}" for one in made.wrong("staging" if kind == "promote" else "dev")]

    def finish(self, *, environment: str = "dev") -> None:
        """Apply the release again, unless it came to its end before it was to be killed."""
        if self.yard.newest(environment) != (self.yard.id, "applied"):
            self.run("apply", self.yard.file, environment=environment)
            self.ends["finished"] += 1

    def undone(self, before: str) -> bool:
        """Go back by another release; False where nothing was changed that could be."""
        back = f"{self.yard.file}.back"
        done = self.yard.here.run("rollback", "--to", before, "--out", back, FLINKFORM_ENVIRONMENT="dev")
        if done.returncode:
            assert "there is nothing to release" in done.stderr, done.stderr
            return False
        self.run("apply", back)
        self.ends["undone"] += 1
        return True

    def mended(self) -> bool:
        """Bring all in order after something went wrong, so that one wrong is not told as many."""
        for name in ENVIRONMENTS:
            done = self.yard.here.run("release", "--if-changed", "--out", self.yard.file, FLINKFORM_ENVIRONMENT=name)
            done = done.returncode or self.yard.here.run("apply", self.yard.file, FLINKFORM_ENVIRONMENT=name).returncode
            if done:
                return False
        return True


def kills(
    folder: Path, *, points: int, seed: int, real: bool = False, say: Callable[[str], object] = sys.stderr.write
) -> dict[str, Any]:
    """Kill until *points* have landed, of each kind in turn, and return what came of it."""
    tap = None if real else Tap()
    with _yard(folder, tap) as made:
        killer = Killer(made, tap, random.Random(seed))  # noqa: S311 -- to be repeated, not to be kept secret
        made.edit()
        killer.run("release", "--out", made.file)
        killer.run("apply", made.file)
        killer.run("promote", *ENVIRONMENTS, "--out", made.file)
        killer.run("apply", made.file, environment="staging")
        killer.sizes["rollback"] = killer.sizes["promote"]
        turn = 0
        while killer.landed.total() < points:
            kind = KINDS[turn % len(KINDS)]
            turn += 1
            say(f"> {killer.landed.total()} of {points} landed; {kind}\n")
            try:
                killer.point(kind)
            except AssertionError as error:
                killer.wrongs.append(f"{kind}: {error}")
                say(f"  wrong: {error}\n")
                if not killer.mended():
                    break
            except KeyboardInterrupt:
                break  # what is known by then is told
    return {
        "points": killer.landed.total(),
        "seed": seed,
        "real": real,
        "landed": dict(killer.landed),
        "ways": dict(killer.ways),
        "ended": dict(killer.ends),
        "missed": killer.missed,
        "wrongs": killer.wrongs,
    }


@contextlib.contextmanager
def _yard(folder: Path, tap: Tap | None) -> Iterator[Yard]:
    if tap is None:
        with running(folder, environments=ENVIRONMENTS) as made:
            yield made
    else:
        with yard(folder, environments=ENVIRONMENTS, teams=("pay", "shop"), around=tap.around) as made:
            yield made


def main() -> None:
    """Kill, and print what came of it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", action="store_true", help="jobs that run on a real Flink")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flinkform-kills-") as name:
        found = kills(Path(name), points=options.points, seed=options.seed, real=options.real)
    print(json.dumps(found))  # noqa: T201
    sys.exit(1 if found["wrongs"] else 0)


if __name__ == "__main__":
    main()
