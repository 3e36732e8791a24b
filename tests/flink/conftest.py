"""One real Flink for the tests of a module, and helpers that wait for it with a deadline."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.errors import Missing
from flinkform.flink import engines
from flinkform.flink.archive import Archivist
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.flink.values import Observed, Phase, Submission
from tests.flink.programs import Jars, compiled
from tests.flink.standalone import Standalone
from tests.flink.waiting import until


@pytest.fixture(scope="session")
def java() -> Path:
    found = shutil.which("java")
    if not found:
        pytest.skip("no java on PATH")
    try:
        engines.find(None)
    except Missing as error:
        pytest.skip(str(error))
    return Path(found)


@pytest.fixture(scope="session")
def settings(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("flink")
    archive = Path(os.environ["FLINKFORM_ARCHIVE"])
    usual = Settings(home=home, java=java, slots=12, heap="512m", network="64m", checkpoint_interval=0.5)
    Archivist(replace(usual, archive=archive)).build(idle=False)
    return replace(usual, archive=archive)


@pytest.fixture(scope="session")
def planner(settings: Settings) -> Iterator[Planner]:
    with Planner(replace(settings, home=settings.home / "planner")) as running:
        yield running


@pytest.fixture(scope="session")
def flink(settings: Settings) -> Iterator[Embedded]:
    runtime = Embedded(replace(settings, home=settings.home / "cluster"))
    runtime.start()
    yield runtime
    runtime.stop()


@pytest.fixture(scope="session")
def cluster(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A session cluster that nobody here runs."""
    made = Standalone(tmp_path_factory.mktemp("cluster"), java)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def jars(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Jars:  # noqa: ARG001  no jar without a Flink
    """The programs of the tests."""
    return compiled(tmp_path_factory.mktemp("jars"))


Job = Callable[..., Submission]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Makes submissions that keep everything below the test's own folder and fail at the first failure."""

    def make(script: str, **changes: object) -> Submission:
        made = Submission(
            id=uuid.uuid4().hex,
            name="test",
            script=script,
            checkpoint_dir=str(tmp_path / "checkpoints"),
            savepoint_dir=str(tmp_path / "savepoints"),
            options={"restart-strategy.type": "none"},
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def run(flink: Embedded) -> Iterator[Callable[[Submission], str]]:
    """Submits jobs, waits until they run or end, and cancels what is left."""
    ids: list[str] = []

    def submit(job: Submission) -> str:
        ids.append(job.id)
        flink.submit(job)
        settled(flink, job.id)
        return job.id

    yield submit
    for job_id in ids:
        flink.cancel(job_id)
    until(lambda: all(not (seen := flink.observe().get(i)) or seen.state.final for i in ids))


def settled(flink: Embedded, job_id: str) -> Observed:
    until(lambda: (o := flink.observe().get(job_id)) and o.state not in (Phase.STARTING, Phase.STOPPING))
    return flink.observe()[job_id]


def ended(flink: Embedded, job_id: str) -> Phase:
    until(lambda: flink.observe()[job_id].state.final)
    return flink.observe()[job_id].state


def stopped(flink: Embedded, job_id: str, directory: Path | str) -> str:
    """Stop with a savepoint; its location."""
    trigger = flink.savepoint(job_id, str(directory), stop=True)
    until(lambda: flink.savepoint_status(job_id, trigger).done)
    status = flink.savepoint_status(job_id, trigger)
    assert status.location, status.error
    assert ended(flink, job_id) is Phase.FINISHED
    return status.location


def printed(home: Path, identifier: str) -> list[tuple[int, int]]:
    """The rows of two numbers that a print table with this identifier wrote, in order."""
    text = (home / "jvm.out").read_text() if (home / "jvm.out").exists() else ""
    row = re.compile(re.escape(identifier) + r"> \+[IU]\[(\d+), (\d+)\]")
    return [(int(match[1]), int(match[2])) for match in row.finditer(text)]
