"""Which state a start begins from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile import restore
from flinkform.controlplane.store import deployments, runs, savepoints
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Conflict, Invalid
from flinkform.flink import checkpoints
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import WS, World


def restored(world: World, deployment: Deployment, kind: str, **asked: str) -> str | None:
    """Start, and say what Flink was told to begin from."""
    run = world.ask_start(deployment, kind, **asked)
    world.tick()
    found = world.fresh(run)
    assert found.state == "STARTING", found.failure
    sent = world.flink.jobs[run.job_id].submission.restore
    assert found.restored_from == sent
    return sent


def reason(world: World, run: Run) -> str:
    world.tick()
    failure = world.fresh(run).failure
    assert failure is not None
    return str(failure["reason"])


def aged(place: str, seconds: int) -> str:
    """Let a checkpoint or savepoint have been completed that long after the epoch."""
    os.utime(checkpoints.local(place) / "_metadata", (seconds, seconds))
    return place


def test_none_forgets(world: World) -> None:
    """NONE starts with nothing, whatever there is."""
    deployment = world.deployment()
    world.stopped(world.running(deployment))
    assert restored(world, deployment, "NONE") is None


def test_latest_savepoint(world: World) -> None:
    """LATEST_SAVEPOINT takes the newest one that is completed."""
    deployment = world.deployment()
    world.stopped(world.running(deployment))
    newest = world.stopped(world.running(deployment, "LATEST_SAVEPOINT"))
    assert restored(world, deployment, "LATEST_SAVEPOINT") == newest


def test_latest_savepoint_of_none_is_refused(world: World) -> None:
    """LATEST_SAVEPOINT without a savepoint fails, rather than silently starting with nothing."""
    run = world.ask_start(world.deployment(), "LATEST_SAVEPOINT")
    assert reason(world, run) == "bids has no completed savepoint to start from; start it with another state"


def test_from_savepoint(world: World) -> None:
    """FROM_SAVEPOINT takes the one that is named, even another deployment's."""
    first, other = world.deployment("first"), world.deployment("other")
    run = world.running(first)
    place = world.stopped(run)
    world.stopped(world.running(first))
    assert restored(world, other, "FROM_SAVEPOINT", savepointId=world.stop_savepoint(run).id) == place


@pytest.mark.parametrize("spell", [str, lambda path: f"file:{path}", lambda path: f"file://{path}/"])
def test_from_a_path(world: World, spell: Callable[[Path], str]) -> None:
    """FROM_SAVEPOINT takes a path too, however it is written: of a savepoint, a checkpoint, or what another wrote."""
    deployment = world.deployment()
    run = world.running(deployment)
    mine = world.flink.checkpoint(run.job_id)
    place = world.stopped(run)
    foreign = world.bench.storage / "elsewhere" / "savepoint-1"
    foreign.mkdir(parents=True)
    (foreign / "_metadata").touch()
    for wanted in (place, mine, foreign.as_uri()):
        named = spell(checkpoints.local(wanted))
        assert checkpoints.local(restored(world, deployment, "FROM_SAVEPOINT", savepointId=named) or "") == (
            checkpoints.local(wanted)
        )
        with world.store.read() as db:
            (live,) = runs.live_of(db, deployment.id)
        world.cancelled(live)


@pytest.mark.parametrize("name", ["no-such", "", "/no/such/path", "file:///no/such/path"])
def test_from_an_unknown_savepoint_is_refused(world: World, name: str) -> None:
    """FROM_SAVEPOINT of none fails and names what was asked for."""
    run = world.ask_start(world.deployment(), "FROM_SAVEPOINT", savepointId=name)
    said = reason(world, run)
    assert said.startswith(f"expected the id or the path of a completed savepoint in this namespace, got {name};")


def test_a_path_into_another_namespace_is_refused(world: World) -> None:
    """Neither savepoints nor checkpoints of other namespaces can be started from, by whatever name."""
    run = world.running(world.deployment())
    checkpoint = world.flink.checkpoint(run.job_id)
    place = world.stopped(run)
    with world.store.write() as db:
        theirs = deployments.create(
            db, "d-2", workspace=WS, namespace="other", name="x", document={}, creator="me", now=1
        )
    for name in (world.stop_savepoint(run).id, place, checkpoint):
        assert "in this namespace" in reason(world, world.ask_start(theirs, "FROM_SAVEPOINT", savepointId=name))


def test_a_path_that_is_being_deleted_is_refused(world: World) -> None:
    """A savepoint that shall go is gone for starts at once, by its path too."""
    deployment = world.deployment()
    run = world.running(deployment)
    place = world.stopped(run)
    with world.store.write() as db:
        savepoints.request_delete(db, world.stop_savepoint(run), now=world.clock())
        found = savepoints.at(db, place)
    assert found
    assert found.state == "DELETING"
    start = world.ask_start(deployment, "FROM_SAVEPOINT", savepointId=place)
    with world.store.read() as db, pytest.raises(Conflict, match="expected the id or the path"):
        restore.requested(db, world.bench, start)


def test_savepoint_whose_files_are_gone_is_refused(world: World) -> None:
    """A savepoint that is only a row is not started from."""
    deployment = world.deployment()
    place = world.stopped(world.running(deployment))
    checkpoints.delete(place)
    run = world.ask_start(deployment, "LATEST_SAVEPOINT")
    assert f"has no files at {place}" in reason(world, run)


def test_unknown_kind_is_refused(world: World) -> None:
    """A kind of restore that is none of the API's fails."""
    assert "got SOMEHOW" in reason(world, world.ask_start(world.deployment(), "SOMEHOW"))


def test_latest_state_of_a_cancelled_job_is_its_checkpoint(world: World) -> None:
    """LATEST_STATE takes the newest complete checkpoint of a job that ended without a savepoint."""
    deployment = world.deployment()
    run = world.running(deployment)
    world.flink.checkpoint(run.job_id)
    newest = world.flink.checkpoint(run.job_id)
    world.cancelled(run)
    assert restored(world, deployment, "LATEST_STATE") == newest


@pytest.mark.parametrize("savepoint_is_newer", [True, False])
def test_latest_state_is_the_newer_of_both(world: World, *, savepoint_is_newer: bool) -> None:
    """A savepoint and a checkpoint of one run are told apart by when Flink completed them."""
    deployment = world.deployment()
    run = world.running(deployment)
    checkpoint = aged(world.flink.checkpoint(run.job_id), 100)
    world.ask_savepoint(run)
    world.tick()
    savepoint = aged(world.flink.finish_savepoint() or "", 200 if savepoint_is_newer else 50)
    world.tick()
    world.cancelled(run)
    assert restored(world, deployment, "LATEST_STATE") == (savepoint if savepoint_is_newer else checkpoint)


def test_latest_state_of_a_job_that_never_checkpointed_is_where_it_began(world: World) -> None:
    """A restored job that died before its first checkpoint has not moved: the next goes on from the same place."""
    deployment = world.deployment()
    place = world.stopped(world.running(deployment))
    second = world.running(deployment, "LATEST_STATE")
    world.flink.see(second.job_id, Phase.FAILED)
    world.tick()
    assert restored(world, deployment, "LATEST_STATE") == place


def test_latest_state_skips_runs_that_never_ran(world: World) -> None:
    """A start that Flink refused does not cut the deployment off from its state."""
    deployment = world.deployment()
    place = world.stopped(world.running(deployment))
    refused = world.ask_start(deployment, "NONE")
    world.flink.submit_error = Invalid("no such table")
    world.tick()
    world.flink.submit_error = None
    assert world.fresh(refused).state == "FAILED"
    assert restored(world, deployment, "LATEST_STATE") == place


def test_latest_state_does_not_reach_behind_a_reset(world: World) -> None:
    """After a run that was meant to begin with nothing, the state before it stays forgotten."""
    deployment = world.deployment()
    world.stopped(world.running(deployment))
    reset = world.running(deployment, "NONE")
    world.flink.see(reset.job_id, Phase.FAILED)
    world.tick()
    assert restored(world, deployment, "LATEST_STATE") is None


def test_latest_state_of_a_new_deployment_is_nothing(world: World) -> None:
    """LATEST_STATE starts a deployment that never ran."""
    assert restored(world, world.deployment(), "LATEST_STATE") is None


def test_batch_restores_nothing(world: World) -> None:
    """A batch job has no state to begin from."""
    assert restored(world, world.deployment(batch=True), "LATEST_STATE") is None


def test_deleted_savepoint_takes_its_files_along(world: World) -> None:
    """A savepoint that is deleted is hidden at once; then its files go, then its row."""
    run = world.running(world.deployment())
    place = world.stopped(run)
    taken = world.stop_savepoint(run)
    with world.store.write() as db:
        savepoints.request_delete(db, taken, now=world.clock())
    world.tick()
    assert not checkpoints.local(place).exists()
    assert world.savepoint(taken.id) is None


def test_another_place(world: World, tmp_path: Path) -> None:
    """Where states are kept may be changed: a job goes on from the newest there is, and writes to the new place."""
    run = world.running(world.deployment())
    former = aged(world.flink.checkpoint(run.job_id), 10)
    elsewhere = (tmp_path / "elsewhere").as_uri()
    world.bench = replace(world.bench, stores={"": elsewhere})
    world.restart_controlplane()
    world.tick(8)
    sent = world.flink.jobs[run.job_id].submission
    assert (sent.restore, sent.checkpoint_dir) == (former, f"{elsewhere}/checkpoints/{run.deployment_id}")
    assert sent.savepoint_dir.startswith(elsewhere)
    newest = aged(world.flink.checkpoint(run.job_id), 20)
    world.restart_controlplane()
    world.tick(8)
    assert world.flink.jobs[run.job_id].submission.restore == newest
