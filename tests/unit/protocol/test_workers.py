"""Threads on demand."""

from __future__ import annotations

import threading

from flinkform.provider.protocol.workers import THREADS, Workers

LONG = 10.0
"""Seconds after which a test that waits has failed."""


def test_no_thread_before_there_is_work() -> None:
    """A process that never waits for anything pays for none."""
    before = threading.active_count()
    Workers().close(LONG)
    assert threading.active_count() == before


def test_jobs_run_side_by_side_up_to_the_limit() -> None:
    """As many as there are threads at once, the others after them, each of them once."""
    workers = Workers()
    together = threading.Barrier(THREADS)
    done: list[int] = []

    def job(number: int) -> None:
        if number < THREADS:
            together.wait(LONG)
        done.append(number)

    for number in range(THREADS + 10):
        workers.submit(lambda number=number: job(number))  # type: ignore[misc]
    workers.close(LONG)
    assert sorted(done) == list(range(THREADS + 10))
    assert workers.busy == 0


def test_one_thread_is_used_again() -> None:
    """Work that comes one after the other needs no second thread."""
    workers = Workers()
    names = set()
    for _ in range(5):
        finished = threading.Event()

        def job(finished: threading.Event = finished) -> None:
            names.add(threading.current_thread())
            finished.set()

        workers.submit(job)
        assert finished.wait(LONG)
        while workers.busy:  # the thread counts down just after the event
            threading.Event().wait(0.001)
    workers.close(LONG)
    assert len(names) == 1
