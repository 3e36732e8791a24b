"""A session cluster as its REST shows it: who answers, whether it still does, and what there is room for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.errors import Conflict, Missing, Unavailable
from flinkform.flink.engines import find, version
from flinkform.flink.gateway import Gateway
from flinkform.flink.session import Remote, Session
from flinkform.flink.settings import Settings
from tests.unit.flink.server import Flink

TASKS = dict.fromkeys(("running", "finished", "total", "created"), 0)
JOB = {"jid": "j", "state": "RUNNING", "start-time": 1, "end-time": -1, "last-modification": 1, "tasks": TASKS}


def nobody() -> Gateway:
    raise Unavailable("nobody plans here")


def config(manager: str, scheduler: str = "adaptive") -> tuple[int, list[dict[str, str]]]:
    options = {"web.tmpdir": f"/tmp/{manager}", "jobmanager.scheduler": scheduler}  # noqa: S108  never touched
    return 200, [{"key": key, "value": value} for key, value in options.items()]


@pytest.fixture
def remote(flink: Flink) -> Remote:
    flink.answers |= {
        "/config": (200, {"flink-version": version(find(None))}),
        "/jobmanager/config": config("first"),
        "/jobs/overview": (200, {"jobs": [JOB]}),
        "/overview": (200, {"slots-total": 4, "slots-available": 1}),
    }
    url = f"http://127.0.0.1:{flink.server_address[1]}"
    return Remote(name="big", url=url, storage="file:///states", timeout=5)


@pytest.fixture
def session(remote: Remote, tmp_path: Path) -> Iterator[Session]:
    one = Session(remote, nobody, Settings(home=tmp_path, java=Path("java")))
    yield one
    one.stop()


def test_met(session: Session) -> None:
    """Before it was reached nothing is alive; then its job manager has a name."""
    assert (session.alive, session.life) == (False, None)
    session.start()
    assert (session.alive, session.life, session.adaptive) == (True, "/tmp/first", True)  # noqa: S108
    assert list(session.observe()) == ["j"]
    assert session.slots() == (4, 1)


def test_other_scheduler(session: Session, flink: Flink) -> None:
    """A cluster that cannot change the parallelism of a running job is known."""
    flink.answers["/jobmanager/config"] = config("first", "default")
    session.start()
    assert not session.adaptive


def test_other_flink(session: Session, flink: Flink) -> None:
    """A cluster of another Flink is refused: what is planned here is not for it."""
    flink.answers["/config"] = 200, {"flink-version": "1.20.1"}
    with pytest.raises(Missing, match=r"big runs Flink 1\.20\.1, and jobs are planned here by"):
        session.start()
    assert not session.alive


def test_silence(session: Session, flink: Flink) -> None:
    """Once it does not answer it is silent, asked beside, and alive all the time; then all is as it was."""
    session.start()
    flink.answers["/jobs/overview"] = 503, {"errors": ["Service temporarily unavailable"]}
    with pytest.raises(Unavailable):
        session.observe()
    assert "big does not answer" in session.silent
    asked = len(flink.asked)
    flink.answers["/config"] = 503, {"errors": ["no"]}
    for _ in range(20):
        with pytest.raises(Unavailable, match="big does not answer"):
            session.observe()
    assert len(flink.asked) - asked <= 2
    assert session.alive
    flink.answers |= {
        "/config": (200, {"flink-version": version(find(None))}),
        "/jobs/overview": (200, {"jobs": [JOB]}),
    }
    deadline = time.monotonic() + 20
    while session.silent and time.monotonic() < deadline:
        with pytest.raises(Unavailable):
            session.observe()
        time.sleep(0.05)
    assert list(session.observe()) == ["j"]


def test_another_job_manager(session: Session, flink: Flink) -> None:
    """Where a job is gone, who answers is asked; another job manager is no loss of this one's."""
    session.start()
    session.observe()
    flink.answers |= {"/jobs/overview": (200, {"jobs": []}), "/jobmanager/config": config("second")}
    with pytest.raises(Unavailable, match="has another job manager"):
        session.observe()
    assert session.observe() == {}
    assert session.life == "/tmp/second"  # noqa: S108


def test_another_job_manager_that_starts(session: Session, flink: Flink) -> None:
    """Where it cannot be asked yet who answers, it is asked again: no job is lost before that is known."""
    session.start()
    session.observe()
    flink.answers |= {"/jobs/overview": (200, {"jobs": []}), "/jobmanager/config": (503, {"errors": ["starting"]})}
    for _ in range(2):
        with pytest.raises(Unavailable, match="starting"):
            session.observe()
    flink.answers["/jobmanager/config"] = config("second")
    with pytest.raises(Unavailable, match="has another job manager"):
        session.observe()
    assert session.observe() == {}


def test_no_room(session: Session, flink: Flink) -> None:
    """More than is free is refused before anything is changed."""
    flink.answers["/jobs/j/resource-requirements"] = 200, {"a": {"parallelism": {"lowerBound": 1, "upperBound": 3}}}
    with pytest.raises(Conflict, match="needs 5 slots and 1 of 4 are free; add task managers to big"):
        session.rescale("j", 5)
    flink.answers["/overview"] = 200, {"slots-total": 0, "slots-available": 0}
    with pytest.raises(Unavailable, match="no task manager of big"):  # the cluster just started: ask again
        session.rescale("j", 5)
    assert "PUT" not in {method for method, _, _ in flink.asked}
