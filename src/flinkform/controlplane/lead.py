"""Sees to it that one of several control planes on a database leads; the others answer, and wait for their turn."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Protocol, TypeVar

from flinkform.controlplane.store import leases
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.leases import Lease
from flinkform.errors import Conflict, FlinkformError
from flinkform.flink.fleet import Fleet

log = logging.getLogger(__name__)

_KEEP, _GIVE_UP = 0.2, 0.6
"""After which parts of its time a lease is prolonged, and given up when that did not work: the rest is for the end."""

_T = TypeVar("_T")


class Reconciler(Protocol):
    """What leads jobs to where they shall be; used for one reign."""

    @property
    def trouble(self) -> str: ...

    def start(self) -> None: ...

    def stop(self, *, rest: int = ...) -> None: ...

    def wake(self) -> None: ...


class Reign:
    """The reconciler while this control plane leads; otherwise nothing here looks at Flink or acts on it."""

    def __init__(self, make: Callable[[Store], Reconciler], fleet: Fleet) -> None:
        self._make = make
        self._fleet = fleet
        self._loop: Reconciler | None = None

    @property
    def trouble(self) -> str:
        """Why no job can run here, though this control plane leads; empty while another one does."""
        loop = self._loop
        return (loop.trouble or "Flink is starting") if loop else ""

    def wake(self) -> None:
        if loop := self._loop:
            loop.wake()

    def begin(self, store: Store) -> None:
        self._loop = self._make(store)
        self._loop.start()

    def end(self) -> None:
        """Put the jobs to rest and end every runtime; harmless between reigns."""
        if loop := self._loop:
            loop.stop()
            self._fleet.stop()
            self._loop = None

    def fall(self) -> None:
        """End every runtime at once: somebody else may start the same jobs soon."""
        if loop := self._loop:
            # Whatever the loop waits for, the runtimes do not; what it started meanwhile is ended afterwards.
            waiting = threading.Thread(target=lambda: loop.stop(rest=0), name="fall")
            waiting.start()
            self._fleet.stop()
            waiting.join()
            self._fleet.stop()
            self._loop = None


class Succession:
    """Holds the lease while it can, and takes it when it is free; *home* names who asks for it.

    The lease ends by the database's clock, and is given up by ours well before: between its loss here and its
    taking elsewhere there is time to end the jobs that run here.
    """

    def __init__(
        self,
        store: Store,
        reign: Reign,
        *,
        home: str,
        endpoint: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._reign = reign
        self._home = home
        self._endpoint = endpoint
        self._seconds = seconds
        self._clock = clock
        self._lease: Lease | None = None
        self._until = 0.0
        self._asking = ThreadPoolExecutor(1, "lease")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="succession", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the reign in peace, then let the next one begin theirs at once."""
        self._reign.end()
        self._stopping.set()
        self._thread.join()
        if lease := self._lease:
            self._ask(lambda: self._release(lease), self._seconds)
        self._asking.shutdown(wait=False, cancel_futures=True)

    def tick(self) -> None:
        """Prolong the lease or try to get it, and begin or end the reign accordingly."""
        before = self._clock()
        lease = self._lease
        if lease is None:
            if taken := self._ask(self._take, self._seconds * _GIVE_UP):
                log.info("leading", extra={"term": taken.term})
                self._lease, self._until = taken, before + self._seconds * _GIVE_UP
                self._reign.begin(self._store.guarded(lambda db: leases.check(db, taken, now=leases.clock(db))))
            return
        kept = self._ask(lambda: self._keep(lease), max(0.0, self._until - before))
        if kept:
            self._until = before + self._seconds * _GIVE_UP
        elif kept is False or self._clock() >= self._until:
            log.warning("not leading any more", extra={"term": lease.term})
            self._reign.fall()
            self._lease = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except Exception:
                log.exception("succession")
            self._stopping.wait(self._seconds * _KEEP)

    def _ask(self, question: Callable[[], _T], seconds: float) -> _T | None:
        """The database's answer, if it comes in time; a question it has not answered yet holds up the next."""
        asked: Future[_T] = self._asking.submit(question)
        try:
            return asked.result(seconds)
        except Late:
            asked.cancel()
        except FlinkformError as error:
            log.warning("lease", extra={"reason": str(error)})
        return None

    def _take(self) -> Lease | None:
        with self._store.read() as db:  # who waits for years need not write all the time
            if not leases.free(leases.find(db), self._home, now=leases.clock(db)):
                return None
        with self._store.write() as db:
            now = leases.clock(db)
            return leases.take(db, self._home, self._endpoint, milliseconds=int(self._seconds * 1000), now=now)

    def _keep(self, lease: Lease) -> bool:
        try:
            with self._store.write() as db:
                leases.keep(db, lease, milliseconds=int(self._seconds * 1000), now=leases.clock(db))
        except Conflict:
            return False
        return True

    def _release(self, lease: Lease) -> None:
        with self._store.write() as db:
            leases.release(db, lease)
