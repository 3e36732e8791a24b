"""flink_job as a desired state: what one apply asks of the API, and what the state says afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.errors import Conflict, FlinkformError, JobFailed, NotFound
from flinkform.resources.job import RESOURCE
from tests.unit.provider.conftest import config, restored
from tests.unit.provider.core import World


def upgrade(**given: Any) -> dict[str, Any]:
    return _empty("upgrade") | given


def test_suspended(world: World) -> None:
    """A suspended job is a deployment and no job."""
    state = world.apply(config(state="suspended"))
    assert state["state"] == "suspended"
    assert world.cloud.changes() == ["CreateDeployment"]


def test_restore_from(world: World) -> None:
    """A first start goes on from the savepoint it is given, and later starts do not go back to it."""
    world.apply(config(restore_from="s-9", allow_non_restored_state=True))
    assert restored(world) == {"kind": "FROM_SAVEPOINT", "savepointId": "s-9", "allowNonRestoredState": True}
    world.cloud.kill("a")
    world.apply(config(restore_from="s-9"))
    assert restored(world)["kind"] == "LATEST_STATE"


def test_restore_from_too_late(world: World) -> None:
    """A job that has run goes on from its own state, and who names another is told."""
    world.apply(config())
    world.apply(config(restore_from="s-9"))
    assert world.result.warnings == ["restore_from does nothing to a, which has run: it goes on from its own state"]
    world.apply(config(restore_from="s-9", description="once is enough"))
    assert world.result.warnings == []


def test_restore_from_a_path(world: World) -> None:
    """A path becomes the id of the savepoint that is listed there, and is sent as it is where none is."""
    world.cloud.savepoints["s-3"] = {
        "savepointId": "s-3",
        "deploymentId": "gone",
        "savepointLocation": "oss://b/sp-3",
    }
    world.apply(config(restore_from="oss://b/sp-3"))
    assert restored(world)["savepointId"] == "s-3"
    world.destroy()
    world.apply(config(restore_from="/elsewhere/sp-4"))
    assert restored(world)["savepointId"] == "/elsewhere/sp-4"


def test_restore_from_after_failure(world: World) -> None:
    """While no job ever ran, each start is a first start."""
    world.apply(config(state="suspended"))
    world.cloud.broken["a"] = "boom"
    with pytest.raises(JobFailed):
        world.apply(config(restore_from="s-9"))
    world.cloud.broken.clear()
    world.apply(config(restore_from="s-9"))
    assert restored(world)["savepointId"] == "s-9"


@pytest.mark.parametrize(
    "change",
    [
        {"sql": "SELECT 2"},
        {"sql": "SELECT 2", "parallelism": 4},
        {"flink_options": {"a": "b"}},
    ],
    ids=str,
)
def test_upgrade(running: World, change: dict[str, Any]) -> None:
    """A change that needs a new job stops with a savepoint, updates, and starts from that savepoint."""
    state = running.apply(config(**change))
    assert running.cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob"]
    assert restored(running)["savepointId"] == next(iter(running.cloud.savepoints))
    assert running.refresh() == state


@pytest.mark.parametrize("change", [{"parallelism": 4}, {"parallelism": 4, "description": "x"}], ids=str)
def test_hot(running: World, change: dict[str, Any]) -> None:
    """Another parallelism, alone or with what costs nothing, is taken up by the job that runs."""
    state = running.apply(config(**change))
    assert running.cloud.changes() == ["UpdateDeployment", "HotUpdateJob"]
    assert running.refresh() == state
    assert len(running.cloud.jobs) == 1


@pytest.mark.parametrize("change", [{}, {"description": "x"}], ids=str)
def test_louder(running: World, change: dict[str, Any]) -> None:
    """Where a control plane changes log levels at once, the job runs on and nothing else is asked for."""
    running.cloud.listens = True
    state = running.apply(config(logging={"root": "DEBUG"}, **change))
    assert running.cloud.changes() == ["UpdateDeployment"]
    assert running.refresh() == state
    assert running.result.warnings == []


def test_louder_in_trouble(running: World) -> None:
    """A job that fails again and again may be told to say more; it is not stopped for that, nor waited for."""
    running.cloud.listens = True
    running.cloud.job("a")["status"]["running"] = {"observedFlinkJobStatus": "RESTARTING"}
    running.apply(config(logging={"root": "DEBUG"}))
    assert running.cloud.changes() == ["UpdateDeployment"]


def test_louder_and_wider(running: World) -> None:
    """Log levels and parallelism in one edit are one update and one change while the job runs."""
    running.cloud.listens = True
    state = running.apply(config(logging={"root": "DEBUG"}, parallelism=4))
    assert running.cloud.changes() == ["UpdateDeployment", "HotUpdateJob"]
    assert running.refresh() == state


def test_not_louder(running: World) -> None:
    """Where a control plane gives log levels to new jobs alone, the job is started again with its state."""
    state = running.apply(config(logging={"root": "DEBUG"}))
    assert running.cloud.changes() == ["UpdateDeployment", "StopJob", "UpdateDeployment", "StartJob"]
    assert restored(running)["kind"] == "FROM_SAVEPOINT"
    assert running.result.warnings == ["a had to be stopped for its new log levels"]
    assert running.refresh() == state


def test_hot_fails(running: World) -> None:
    """What the running job cannot take up now is an error that says why, and everything is as it was."""
    running.cloud.cold["a"] = "a needs 9 slots and 2 are free"
    with pytest.raises(JobFailed, match="a was not updated: a needs 9 slots and 2 are free"):
        running.apply(config(parallelism=9))
    assert running.cloud.changes() == ["UpdateDeployment", "HotUpdateJob", "UpdateDeployment"]
    assert running.result.state is not None
    assert (running.result.state["parallelism"], running.result.state["state"]) == (1, "running")


@pytest.mark.parametrize("refusal", [Conflict("the script decides"), NotFound("no such operation")], ids=repr)
def test_never_hot(running: World, refusal: FlinkformError) -> None:
    """Where a job cannot change while it runs it is stopped and started with its state, and a warning says why."""
    running.cloud.refused["HotUpdateJob"] = refusal
    running.apply(config(parallelism=4))
    assert running.cloud.changes()[-2:] == ["UpdateDeployment", "StartJob"]
    assert restored(running)["kind"] == "FROM_SAVEPOINT"
    assert refusal.message in running.result.warnings[0]


def test_not_hot_when_outdated(running: World) -> None:
    """A job that runs an older definition is not brought up to date by its parallelism alone."""
    running.cloud.named("a")["revision"] += 1
    running.apply(config(parallelism=4))
    assert running.cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob"]


@pytest.mark.parametrize("change", [{"description": "x"}, {"labels": {"team": "x"}}, {"name": "b"}], ids=str)
def test_harmless(running: World, change: dict[str, Any]) -> None:
    """A change that costs the running job nothing leaves it alone."""
    state = running.apply(config(**change))
    assert running.cloud.changes() == ["UpdateDeployment"]
    assert running.refresh() == state


@pytest.mark.parametrize("change", [{"timeouts": {"create": "5m"}}, {"upgrade": {"mode": "latest"}}], ids=str)
def test_only_ours(running: World, change: dict[str, Any]) -> None:
    """A change of what only Terraform knows asks nothing of the API that changes something."""
    running.apply(config(**{k: {**_empty(k), **v} for k, v in change.items()}))
    assert running.cloud.changes() == []


def _empty(name: str) -> dict[str, Any]:
    return {a.name: None for a in RESOURCE.attribute(name).nested}


@pytest.mark.parametrize(
    ("mode", "stop", "kind"),
    [
        ("latest", "NONE", "LATEST_STATE"),
        ("stateless", "NONE", "NONE"),
        ("savepoint", "STOP_WITH_SAVEPOINT", "FROM_SAVEPOINT"),
    ],
)
def test_policy(running: World, mode: str, stop: str, kind: str) -> None:
    """`upgrade.mode` says how a job is stopped and what the next goes on from."""
    running.apply(config(sql="SELECT 2", upgrade=upgrade(mode=mode)))
    stops = [body for name, body in running.cloud.said if name == "StopJob"]
    assert stops == [{"stopStrategy": stop}]
    assert restored(running)["kind"] == kind


def test_fallback(running: World) -> None:
    """A savepoint that cannot be taken is a warning, and the newest checkpoint is gone on from."""
    running.cloud.stubborn.add("a")
    running.apply(config(sql="SELECT 2"))
    assert "checkpoint declined" in running.result.warnings[0]
    assert restored(running)["kind"] == "LATEST_STATE"


def test_no_fallback(running: World) -> None:
    """Without the fallback the old definition runs on, and state says so."""
    running.cloud.stubborn.add("a")
    with pytest.raises(Conflict, match="checkpoint declined") as raised:
        running.apply(config(sql="SELECT 2", upgrade=upgrade(fallback=False)))
    assert raised.value.at == ("upgrade", "fallback")
    assert running.cloud.changes() == ["StopJob"]
    assert running.result.state is not None
    assert (running.result.state["sql"], running.result.state["state"]) == ("SELECT 1", "running")


def test_no_fallback_to_another_backend(running: World) -> None:
    """Only a savepoint takes state to another state backend: without one the old definition runs on."""
    running.cloud.stubborn.add("a")
    with pytest.raises(Conflict, match="its checkpoints are for the state backend that it has") as raised:
        running.apply(config(flink_options={"state.backend.type": "rocksdb"}))
    assert raised.value.at == ("flink_options",)
    assert running.cloud.changes() == ["StopJob"]


def test_suspend_and_resume(running: World) -> None:
    """Suspending takes a savepoint; an edit while suspended waits for the start, which goes on from state."""
    running.apply(config(state="suspended"))
    assert [body for _, body in running.cloud.said] == [{"stopStrategy": "STOP_WITH_SAVEPOINT"}]
    running.cloud.changes()
    running.apply(config(state="suspended", sql="SELECT 2"))
    assert running.cloud.changes() == ["UpdateDeployment"]
    running.apply(config(sql="SELECT 2"))
    assert running.cloud.changes() == ["StartJob"]
    assert restored(running)["kind"] == "LATEST_STATE"


def test_failed_is_drift(running: World) -> None:
    """A failed job reads as failed, and the next apply restarts it from its newest state."""
    running.cloud.kill("a")
    assert running.refresh() is not None
    assert running.result.state is not None
    assert running.result.state["state"] == "failed"
    running.apply(config())
    assert running.cloud.changes() == ["StartJob"]
    assert restored(running)["kind"] == "LATEST_STATE"


def test_failed_and_suspended(running: World) -> None:
    """A failed job that is to be suspended is: nothing runs; the next plan is empty."""
    running.cloud.kill("a")
    running.apply(config(state="suspended"))
    assert running.cloud.changes() == []
    assert running.plan(config(state="suspended")).values is running.result.state


def test_outdated(running: World) -> None:
    """A job that runs an older definition reads as outdated, and the next apply restarts it."""
    running.cloud.named("a")["revision"] += 1
    assert running.refresh() is not None
    assert running.result.state is not None
    assert running.result.state["state"] == "outdated"
    running.apply(config())
    assert running.cloud.changes() == ["StopJob", "StartJob"]


def test_batch(world: World) -> None:
    """A finished batch job is success: it stays as it is until its definition changes, and takes no savepoints."""
    batch = config(execution_mode="BATCH")
    world.apply(batch)
    assert world.plan(batch).values is world.result.state
    world.cloud.changes()
    world.apply({**batch, "description": "x"})
    assert world.cloud.changes() == ["UpdateDeployment"]
    world.apply({**batch, "sql": "SELECT 2"})
    assert world.cloud.changes() == ["UpdateDeployment", "StartJob"]
    assert restored(world)["kind"] == "NONE"
    world.apply({**batch, "sql": "SELECT 2", "state": "suspended"})
    assert world.plan({**batch, "sql": "SELECT 2", "state": "suspended"}).values is world.result.state


def test_mixed_history(world: World) -> None:
    """Where the summary does not say how the newest job ended, that job is asked, and only it."""
    world.apply(config())
    world.cloud.kill("a")
    world.apply(config())
    world.apply(config(state="suspended"))
    world.cloud.calls.clear()
    assert world.plan(config(state="suspended")).values is world.result.state
    assert dict(world.cloud.calls) == {"ListDeployments": 1, "ListJobs": 1}
