"""What a handler is given besides its parameters, and what it may answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import vault
from flinkform.controlplane.api.trail import Trail, difference
from flinkform.controlplane.secrets import Secrets, known, script_of
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store import events
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.runs import Run
from flinkform.flink.runtime import Runtime
from flinkform.openapi import envelope
from flinkform.openapi.operation import Operation

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the process has: database, Flink, settings and a clock (seconds since the epoch)."""

    store: Store
    runtime: Runtime
    """The one that most jobs share."""

    settings: Settings
    clock: Callable[[], float]
    poke: Callable[[], None] = lambda: None
    """Tells the reconciler that something was asked for, so that it need not wait for its next round."""

    trouble: Callable[[], str] = lambda: "Flink is starting"
    """Says why Flink does not run; asked only while it does not."""

    stopping: Callable[[], bool] = lambda: False
    """Says that the process is about to end, so that answers without an end may end."""

    seats: Callable[[Run], Runtime] | None = None
    """Says where a run runs; all run in *runtime* if unset."""

    clusters: Callable[[str], Runtime] | None = None
    """Gives the runtime of a session cluster by its id; jobs run in *runtime* if unset."""

    def cluster(self, cluster_id: str) -> Runtime:
        """Return the runtime of a session cluster."""
        return self.clusters(cluster_id) if self.clusters else self.runtime

    def where(self, run: Run) -> Runtime:
        """Return the runtime that a run sits in."""
        return self.seats(run) if self.seats else self.runtime

    def secrets(self, run: Run) -> Secrets:
        """Return what the script of a run names, to be taken out of what Flink says."""
        with self.store.read() as db:
            return known(db, vault.opener(self.settings), run.workspace, run.namespace, script_of(run.definition))

    @property
    def now(self) -> int:
        """Milliseconds since the epoch, as the store wants them."""
        return int(self.clock() * 1000)


@dataclass(frozen=True, slots=True)
class Window:
    """Which page is asked for."""

    index: int
    size: int

    @property
    def offset(self) -> int:
        return (self.index - 1) * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request."""

    services: Services
    operation: Operation
    principal: str
    request_id: str
    host: str = ""
    """What the caller calls this control plane, with its scheme: for links into it."""
    trail: Trail | None = None
    """What the audit log is told, of an operation that changes something."""

    @property
    def store(self) -> Store:
        """The database; what is written to it is told to the audit log in the same transaction."""
        if self.trail is None:
            return self.services.store
        return self.services.store.noting(self.trail.write, first=self.trail.spend)

    @property
    def now(self) -> int:
        return self.services.now

    @property
    def who(self) -> str:
        """Who asked, and with which request, for events."""
        return f"{self.principal} (request {self.request_id})"

    def window(self, params: Params) -> Window:
        """Return the page that *params* ask for; Invalid if there can be none."""
        return Window(*envelope.asked(self.operation, params))

    def changed(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Tell the audit log what really changed, where more was sent."""
        if self.trail is not None:
            self.trail.changes = difference(old, new, self.operation)

    def record(
        self,
        db: Connection,
        name: str,
        what: str,
        *,
        workspace: str,
        namespace: str = "",
        deployment_id: str = "",
        run_id: str = "",
    ) -> None:
        """Write down who did *what* with which request, in the transaction of the change itself."""
        events.record(
            db,
            name,
            f"{what} by {self.who}",
            workspace=workspace,
            namespace=namespace,
            deployment_id=deployment_id,
            run_id=run_id,
            now=self.now,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of items."""

    items: list[dict[str, Any]]
    total: int
    window: Window


Handler = Callable[[Call, Params, Any], Any]
"""Takes call, parameters and body; answers with a Listed, with the `data`, or (console) with the answer's fields."""
