"""A job that fails again and again: how often is too often, and how that is noticed in one look at all jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flinkform.flink.values import Observed, Phase

Troubles = Mapping[str, Any]
"""A run's column of that name: when it *failed* and when a JVM *died* of it, in milliseconds; *reason*, the newest.

*alone* is there once it was sent to a JVM of its own: the *run* it was sent there for.
"""

_GOING = (Phase.RUNNING, Phase.RESTARTING)


@dataclass(frozen=True, slots=True)
class Limit:
    """How often a job may fail, or be the death of its JVM, within *window* milliseconds.

    Flink's own default gives up after eleven failures that follow each other closely; this is for restart
    strategies that never do, and for what kills the JVM, which no strategy counts.
    """

    failures: int = 20
    deaths: int = 3
    window: int = 600_000
    stuck: int = 60_000
    """Milliseconds that a task may take to end."""

    def reached(self, troubles: Troubles, now: int) -> str:
        """Why a job is quarantined now; empty while it is not."""
        minutes = round(self.window / 60_000)
        failed, died = (self._recent(troubles, name, now) for name in ("failed", "died"))
        if len(died) >= self.deaths:
            told = f"{len(died)} deaths of its JVM"
        elif len(failed) >= self.failures:
            told = f"{len(failed)} failures"
        else:
            return ""
        return f"quarantined after {told} in {minutes} minutes: {troubles.get('reason') or 'Flink gives no reason'}"

    def more(self, troubles: Troubles, name: str, times: tuple[int, ...], reason: str, now: int) -> dict[str, Any]:
        """*troubles* with further times; what is no longer counted is left out."""
        known = sorted({*self._recent(troubles, name, now), *times})[-1000:]
        return {**troubles, name: self._recent({name: known}, name, now), "reason": reason}

    def _recent(self, troubles: Troubles, name: str, now: int) -> list[int]:
        return [at for at in troubles.get(name, ()) if at > now - self.window]


class Pulse:
    """Which jobs' tasks have changed since the last look: the only ones worth asking whether they failed meanwhile."""

    def __init__(self) -> None:
        self._changed: dict[str, int] = {}

    def beats(self, job_id: str, seen: Observed | None) -> bool:
        """Note a look at a job; True if it goes on, but not undisturbed."""
        if seen is None or seen.state.final:
            self._changed.pop(job_id, None)
            return False
        if seen.state not in _GOING:
            return False
        before = self._changed.get(job_id)
        self._changed[job_id] = seen.changed
        return before is not None and before != seen.changed
