"""One configuration of the provider: the client, the lists it has fetched, and the word to stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flinkform.provider.lists import Caller, Lists
from flinkform.provider.provenance import NOWHERE, Provenance
from flinkform.provider.waiting import Patience, Stop


@dataclass(slots=True, kw_only=True)
class Result:
    """What an apply leaves behind, written down while it goes on: a failure half-way still tells the truth.

    *written* are the configuration's write-only values, which are sent and must not get into anything else here.
    """

    state: dict[str, Any] | None
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    private: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What every type's engine works with between two ConfigureProvider calls."""

    client: Caller
    lists: Lists
    stop: Stop
    provenance: Provenance = NOWHERE
    clock: Callable[[], float] = time.monotonic
    warnings: tuple[str, ...] = ()
    """What is odd about the provider block, told when it is configured."""

    def patience(self, seconds: float) -> Patience:
        """Return the time that one apply may take."""
        return Patience(seconds, clock=self.clock, stop=self.stop)

    def say(self, text: str) -> None:
        """Tell progress; Terraform shows it with TF_LOG_PROVIDER=INFO."""
        sys.stderr.write(f"[INFO] {text}\n")
