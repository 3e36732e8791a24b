"""Threads for what has to wait: made when work comes, 64 at most."""

from __future__ import annotations

from collections.abc import Callable

TYPE_CHECKING = False  # typing costs the start some milliseconds; type checkers know this name
if TYPE_CHECKING:
    from queue import SimpleQueue
    from threading import Lock, Thread

    Job = Callable[[], None]

THREADS = 64


class Workers:
    """`submit` from one thread only; *busy* is how many jobs are queued or running."""

    __slots__ = ("_lock", "_queue", "_threads", "busy")

    def __init__(self) -> None:
        self._threads: list[Thread] = []
        self._queue: SimpleQueue[Job | None] | None = None
        self._lock: Lock | None = None
        self.busy = 0

    def submit(self, job: Job) -> None:
        """Run *job*, which must not raise, on a thread."""
        # Most processes (validate, a plan read from lists) never get here: they save importing threading.
        from queue import SimpleQueue  # noqa: PLC0415
        from threading import Lock, Thread  # noqa: PLC0415

        if self._queue is None or self._lock is None:
            self._queue, self._lock = SimpleQueue(), Lock()
        with self._lock:
            self.busy += 1
        if len(self._threads) < min(self.busy, THREADS):
            thread = Thread(target=self._run, args=(self._queue, self._lock), name="flinkform-worker", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(job)

    def close(self, timeout: float) -> None:
        """Let the threads end after what they are at; waits *timeout* seconds for each at most."""
        for _ in self._threads:
            if self._queue is not None:
                self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout)

    def _run(self, queue: SimpleQueue[Job | None], lock: Lock) -> None:
        while (job := queue.get()) is not None:
            try:
                job()
            finally:
                with lock:
                    self.busy -= 1
