"""A whole control plane on loopback, with the real reconciler and a Flink in memory whose jobs get on by themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from flinkform.controlplane import keyring, vault
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.keys import Key
from flinkform.flink.fleet import SHARED, Fleet
from flinkform.flink.values import Observed, Phase, SavepointStatus
from tests.unit.controlplane.reconcile.fake import FakeRuntime

Around = Callable[[ASGIApp], ASGIApp]
_SECONDS = 60.0


class Eager(FakeRuntime):
    """A Flink that has done what it was asked by the time anybody looks."""

    def observe(self) -> dict[str, Observed]:
        for job_id, job in list(self.jobs.items()):
            if job.seen.state is Phase.STARTING:
                self.see(job_id, Phase.RUNNING)
            elif job.seen.state is Phase.STOPPING:
                self.see(job_id, Phase.CANCELED, end=time.time_ns() // 1_000_000)
        for job_id in self.wanted.keys() & self.jobs.keys():
            self.take_up(job_id)
        return super().observe()

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        if trigger in self.savepoints and trigger not in self.outcomes:
            self.finish_savepoint(trigger)
        return super().savepoint_status(job_id, trigger)


@dataclass(frozen=True, slots=True)
class Served:
    """Where it listens, and its root key."""

    port: int
    key: Key
    flink: Eager
    home: Path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(home: Path, database: str = "", *, around: Around = lambda app: app) -> Iterator[Served]:
    """Serve from *home* until the block ends; *around* is laid around the application."""
    settings = Settings(home=home, database=database)
    home.mkdir(exist_ok=True)
    store = Store.open(settings.database_url)
    key = keyring.root(store, settings)
    flink = Eager()
    fleet = Fleet(lambda seat: flink if seat == SHARED else Eager())
    loop = Loop(Bench(store, fleet, home / "storage", opened=vault.opener(settings)), minimum=0)
    services = Services(store=store, runtime=flink, settings=settings, clock=time.time, poke=loop.wake)
    app = around(build(services))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    loop.start()
    until(lambda: server.started, "the server to start")
    try:
        yield Served(server.servers[0].sockets[0].getsockname()[1], key, flink, home)
    finally:
        server.should_exit = True
        thread.join()
        loop.stop()
        store.close()


def until(met: Callable[[], object], what: str) -> None:
    """Wait until *met*; fails after a minute."""
    deadline = time.monotonic() + _SECONDS
    while not met():
        assert time.monotonic() < deadline, f"waited {_SECONDS:g} s for {what}"
        time.sleep(0.02)
