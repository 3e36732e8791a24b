"""Kills a control plane and its JVMs again and again while jobs are worked on, and says what became of the jobs."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak import output
from tests.soak.owner import Owner
from tests.soak.victim import Victim
from tests.soak.witness import Witness

CONTROL, JVM, BOTH = "control plane", "JVM", "both"
_CALM = 240.0
"""Seconds in which everything must be as wanted, once nobody kills any more; a JVM may have to wait for 60."""

_COMING = 180.0
"""Seconds in which a JVM must have been started, on a machine with much else to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done. *pace* is the mean time between kills, in starts; *every* so many kills all is looked at."""

    kills: int
    seed: int
    jobs: int = 4
    own: int = 0
    """How many of them have a JVM of their own."""
    pace: float = 1.0
    every: int = 10
    failing: float = 0.0
    delayed: float = 0.0
    seconds: float = 1e9
    """No kill is begun after that."""


@dataclass
class Outcome:
    """What came of it; it went well if *wrongs* is empty."""

    plan: Plan
    kills: Counter[str] = field(default_factory=Counter)
    first: float = 0.0
    """Seconds until all jobs ran for the first time."""
    calms: list[float] = field(default_factory=list)
    """Seconds that it took until all was as wanted, each time."""
    seconds: float = 0.0
    looks: int = 0
    rows: int = 0
    done: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        worst = round(max(self.calms, default=0), 1)
        told = {"seed": self.plan.seed, "failing": self.plan.failing, "delayed": self.plan.delayed}
        counted = {"kills": sum(self.kills.values()), **self.kills, **self.done, "rows": self.rows, "looks": self.looks}
        times = {"seconds": round(self.seconds), "first_start": round(self.first, 1), "worst_calm": worst}
        return {**told, **counted, **times, "calms": len(self.calms), "wrongs": self.wrongs[:20]}


class Soak:
    """One soak in one folder; *say* is told how far it is."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._say = say
        self._draw = random.Random(plan.seed)  # noqa: S311 -- repeatable on purpose
        mood = f"{plan.seed}:{plan.failing}:{plan.delayed}" if plan.failing or plan.delayed else ""
        self._victim = Victim(folder / "home", mood)
        self._witness = Witness(self._victim.jvms)
        self._owners: list[Owner] = []
        self._began = time.monotonic()
        self.outcome = Outcome(plan)

    def run(self) -> Outcome:
        """Do all of it; stops at the first look that finds something wrong."""
        try:
            self._begin()
            self._kills()
            self._finish()
        finally:
            for owner in self._owners:
                owner.pause()
            if self._witness.looks:
                self._witness.stop()
            self._victim.end()
            self._sum()
        return self.outcome

    def _begin(self) -> None:
        plane = self._victim.begin()
        for number in range(self._plan.jobs):
            name = f"job-{number}"
            options = {"flinkform.isolation": "own"} if number < self._plan.own else {}
            place = self._folder / "out" / name
            self._owners.append(Owner(name, plane, place, f"{self._plan.seed}-{name}", options))
            self._owners[-1].begin()
        self._witness.start()
        self.outcome.first = self._calm()
        self._gather()
        self._say(f"{self._plan.jobs} jobs run after {self.outcome.first:.0f} s; seed {self._plan.seed}")

    def _kills(self) -> None:
        for owner in self._owners:
            owner.go()
        for number in range(1, self._plan.kills + 1):
            if self.outcome.wrongs or self._spent() > self._plan.seconds:
                break
            time.sleep(self._draw.uniform(0, 2) * self._plan.pace * min(15.0, self.outcome.first))
            what = self._kill(self._draw.choice((CONTROL, JVM, BOTH)))
            self._say(f"kill {number} of {self._plan.kills}: {what}; {self._left(number)}")
            if number % self._plan.every == 0 and number < self._plan.kills:
                self._look()
                for owner in self._owners:
                    owner.go()

    def _kill(self, what: str) -> str:
        """Kill, and return what really was there to be killed."""
        killed = self._kill_jvm(wait=what == JVM) if what != CONTROL else False
        if what != JVM:
            self._victim.kill()
            self._victim.start()
        real = what if killed or what == JVM else CONTROL
        self.outcome.kills[real] += 1
        return real

    def _kill_jvm(self, *, wait: bool) -> bool:
        late = time.monotonic() + _COMING
        while not (found := self._victim.jvms()) and wait:
            if time.monotonic() > late:
                self.outcome.wrongs.append(f"no JVM came back in {_COMING:g} s")
                return False
            time.sleep(0.05)
        if found:
            self._victim.kill_jvm(self._draw.choice(found))
        return bool(found)

    def _look(self) -> None:
        """Let everybody rest, wait until all jobs run, and compare."""
        for owner in self._owners:
            owner.pause()
        self.outcome.calms.append(self._calm())
        for owner in self._owners:
            owner.check()
        self._gather()
        found = "; ".join(self.outcome.wrongs[:3]) or "nothing is wrong"
        self._say(f"all compared after {self.outcome.calms[-1]:.0f} s of peace: {found}")

    def _calm(self) -> float:
        """Wait until every job runs, once, and commits more; how long that took."""
        began = time.monotonic()
        late = began + _CALM
        for owner in self._owners:
            if not owner.become(running=True, until=lambda: time.monotonic() > late):
                self.outcome.wrongs.append(f"{owner.name} does not run {_CALM:g} s after the last kill")
        marks = {owner.name: _highest(owner) for owner in self._owners}
        for owner in self._owners:
            while _highest(owner) <= marks[owner.name] and not self.outcome.wrongs:
                if time.monotonic() > late:
                    self.outcome.wrongs.append(f"{owner.name} runs and commits nothing")
                time.sleep(0.2)
        names = {owner.name: 1 for owner in self._owners}
        found = {name: len(ids) for name, ids in self._witness.running().items()}
        if found != names and not self.outcome.wrongs:
            self.outcome.wrongs.append(f"expected one Flink job each, got {found}")
        return time.monotonic() - began

    def _finish(self) -> None:
        """A last look; then all jobs stop with a savepoint, and every row is judged."""
        if self.outcome.wrongs:
            return
        self._look()
        late = time.monotonic() + _CALM
        for owner in self._owners:
            if not owner.become(running=False, until=lambda: time.monotonic() > late):
                self.outcome.wrongs.append(f"{owner.name} does not stop")
            rows = output.committed(owner.place)
            self.outcome.rows += len(rows)
            self.outcome.wrongs += [f"{owner.name}: {wrong}" for wrong in output.wrongs(rows)]

    def _gather(self) -> None:
        for found in (self._witness.wrongs, *(owner.wrongs for owner in self._owners)):
            self.outcome.wrongs += found
            found.clear()

    def _sum(self) -> None:
        self._gather()
        self.outcome.seconds = self._spent()
        self.outcome.looks = self._witness.looks
        for owner in self._owners:
            self.outcome.done += owner.done
        if left := self._victim.jvms():
            self.outcome.wrongs.append(f"JVMs outlived the control plane: {left}")

    def _spent(self) -> float:
        return time.monotonic() - self._began

    def _left(self, done: int) -> str:
        left = (self._plan.kills - done) * self._spent() / done
        return f"about {min(left, self._plan.seconds - self._spent()) / 60:.0f} min left"


def _highest(owner: Owner) -> int:
    return max((row.n for row in output.committed(owner.place)), default=0)
