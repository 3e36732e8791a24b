"""The control plane as a process: what it holds, in which order it starts, and in which it stops."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol

import uvicorn

from flinkform.controlplane import home, keyring, logs, vault
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.lead import Reign, Succession
from flinkform.controlplane.reconcile import rooms
from flinkform.controlplane.reconcile.absent import Absent
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.reconcile.quarantine import Limit
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store import clusters
from flinkform.controlplane.store.database import Store
from flinkform.errors import Conflict, Unavailable
from flinkform.flink import settings as flink
from flinkform.flink.archive import Archivist
from flinkform.flink.fleet import SHARED, Fleet, Seat
from flinkform.flink.gateway import Gateway
from flinkform.flink.runtime import Embedded, Runtime
from flinkform.flink.session import Session

log = logging.getLogger(__name__)

_KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than clients keep theirs, so that none is closed under a request."""
_BACKLOG = 1024
_WAITING = 500
"""Requests that are read at once; more are told 503, which clients take for a reason to wait."""


class Embed(Protocol):
    """Makes a Flink beside us, whose JVM holds the file descriptors *locks*."""

    def __call__(self, settings: flink.Settings, *, locks: Sequence[int]) -> Runtime: ...


def run(
    settings: Settings,
    *,
    announce: Callable[[str], None],
    say: Callable[[str], None],
    embed: Embed = Embedded,
) -> None:
    """Serve until SIGTERM or SIGINT; *announce* is told the URL once it answers, *say* what is being waited for.

    Conflict: the home or the port is taken, or the home may not be written. Unavailable: it is full.
    """
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as held:
        home.prepare(settings.home)
        lock = home.lock(settings.home, seconds=settings.lock_wait, say=say)
        held.callback(lock.release)
        logs.configure(settings.log_file, level=settings.log_level, size=settings.log_bytes)
        listener = held.enter_context(_listener(settings.host, settings.port))
        store = Store.open(settings.database_url)
        held.callback(store.close)
        keyring.root(store, settings)
        fleet = _fleet(settings, lock.descriptor, embed, store)
        held.callback(fleet.stop)
        limit = Limit(failures=settings.failures, window=settings.failure_minutes * 60_000)
        bench = Bench(store, fleet, settings.folder, limit=limit, stores=settings.stores, opened=vault.opener(settings))
        reign = Reign(lambda led: Loop(replace(bench, store=led), policy=settings.retention, ages=settings.ages), fleet)
        stopping = threading.Event()
        services = Services(
            store=store,
            runtime=fleet.at(),
            seats=bench.runtime,
            clusters=lambda cluster: fleet.at(Seat(cluster=cluster)),
            settings=settings,
            clock=time.time,
            poke=reign.wake,
            trouble=lambda: reign.trouble,
            stopping=stopping.is_set,
        )
        held.callback(_lead(settings, store, reign, _url(listener)))
        if settings.java is not None:
            archivist = Archivist(_tenant(settings, settings.java, SHARED))
            held.callback(archivist.stop)
            archivist.start()
        _serve(services, listener, announce, stopping)
        log.info("stopping")


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End in order before there is a server to stop: what is held is let go."""
    raise SystemExit(0)


def _lead(settings: Settings, store: Store, reign: Reign, endpoint: str) -> Callable[[], None]:
    """Begin to lead when it is our turn, in a database of our own at once; what is returned ends it."""
    if not settings.database:
        reign.begin(store)
        return reign.end
    name = home.identity(settings.home)
    succession = Succession(store, reign, home=name, endpoint=endpoint, seconds=settings.lease)
    succession.start()
    return succession.stop


class _Server(uvicorn.Server):
    """uvicorn, saying when it answers and when it was told to stop."""

    def __init__(self, config: uvicorn.Config, *, answers: Callable[[], None], stopping: threading.Event) -> None:
        super().__init__(config)
        self._answers = answers
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._answers()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def _serve(
    services: Services, listener: socket.socket, announce: Callable[[str], None], stopping: threading.Event
) -> None:
    config = uvicorn.Config(
        build(services),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        backlog=_BACKLOG,
        limit_concurrency=_WAITING,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(services.settings.stop_grace),
    )
    endpoint = _url(listener)

    def answers() -> None:
        log.info("listening", extra={"endpoint": endpoint})
        announce(endpoint)

    server = _Server(config, answers=answers, stopping=stopping)
    # uvicorn raises a signal again once it has stopped; that must not end the process before the JVM was stopped.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    server.run(sockets=[listener])


def _fleet(settings: Settings, lock: int, embed: Embed, store: Store) -> Fleet:
    """Return the Flinks beside us, or the reason why there are none."""
    if (java := settings.java) is None:
        absent = Absent("Java 17 or newer was not found; run `flinkform doctor` for what to do")
        return Fleet(lambda _: absent)

    def make(seat: Seat) -> Runtime:
        if seat.cluster:
            return cluster(seat, java)
        if not seat.target:
            return embed(_tenant(settings, java, seat), locks=[lock])
        if remote := settings.targets.get(seat.target):
            return Session(remote, planner, _tenant(settings, java, seat))
        return Absent(f"the deployment target {seat.target} is not declared any more", lasting=True)

    def cluster(seat: Seat, java: Path) -> Runtime:
        with store.read() as db:
            found = clusters.find(db, seat.cluster)
            made_of = clusters.made_of(db, found) if found else {}
        if not made_of:
            return Absent("the session cluster was deleted")
        own = rooms.room(_tenant(settings, java, seat), made_of, engines=settings.engines)
        return embed(own, locks=[lock])

    def planner() -> Gateway:
        here = fleet.at(SHARED)
        if not isinstance(here, Embedded):
            raise Unavailable("nothing here plans jobs")
        return here.gateway()

    fleet = Fleet(make)
    return fleet


def _tenant(settings: Settings, java: Path, seat: Seat) -> flink.Settings:
    """Return how the JVM of a seat is run; all log where the usual one does, so a job that moves keeps its log."""
    home = settings.home / "flink"
    connectors = settings.home / "connectors"
    usual = flink.Settings(home=home, java=java, slots=settings.slots, heap=settings.heap, connectors=connectors)
    usual = replace(
        usual, archive=settings.archive or home / "archive", filesystem=settings.filesystem, network=settings.network
    )
    if seat == SHARED:
        return usual
    own = replace(usual, home=home / seat.folder, logs=usual.job_logs)
    if seat.engine:  # the archive of classes is the usual engine's
        own = replace(own, engines=settings.engines, engine=seat.engine, archive=None)
    heap = seat.heap or settings.own_heap
    return replace(own, slots=settings.own_slots, network="64m", heap=heap) if seat.group else own


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                advice = "stop what listens there, or pass another --listen; port 0 picks a free one"
                raise Conflict(f"port {port} of {host} is taken", advice=advice) from error
            reason = getattr(error, "strerror", None) or str(error)
            raise Unavailable(
                f"cannot listen on {host}:{port}: {reason.lower()}", advice="pass another --listen"
            ) from error
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
