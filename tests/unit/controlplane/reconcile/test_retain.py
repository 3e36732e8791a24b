"""What is let go of, what never is, and that a removal which is cut short loses nothing and leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile import retain
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.retention import Policy
from flinkform.controlplane.store import deployments, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Conflict, Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.values import Phase
from tests.conftest import Bucket
from tests.unit.controlplane.reconcile.conftest import NS, WS, World
from tests.unit.controlplane.reconcile.fake import Inline

DAY = 86_400_000


def sweep(world: World, newest: int = 1, age: int | None = None) -> None:
    """Let go of what may go, its files too."""
    world.clock.now += 1
    retain.sweep(world.bench, Policy(newest, age), {})
    world.tick(2)


def completed(world: World) -> list[Savepoint]:
    """The savepoints that are there, oldest first; each has its files."""
    with world.store.read() as db:
        found = savepoints.page(db, WS, NS, limit=100).items
    assert all(checkpoints.exists(one.location or "") for one in found if one.state == "COMPLETED")
    return found[::-1]


def saved(world: World, run: Run) -> Savepoint:
    """The savepoint that somebody asks for."""
    asked = world.ask_savepoint(run)
    world.tick()
    world.flink.finish_savepoint()
    world.tick()
    found = world.savepoint(asked.id)
    assert found
    assert found.state == "COMPLETED"
    return found


def folders(world: World, name: str = "d-bids") -> list[str]:
    return checkpoints.folders(world.bench.roots(name)[0])


def aged(place: str, seconds: int) -> None:
    os.utime(checkpoints.local(place) / "_metadata", (seconds, seconds))


def test_the_newest_stay(world: World) -> None:
    """The newest so many of a deployment are kept; the others go with their files, and events tell."""
    deployment = world.deployment()
    places = [world.stopped(world.running(deployment, "LATEST_STATE")) for _ in range(4)]
    run = world.ask_start(deployment, "LATEST_STATE")
    world.tick()
    sweep(world, newest=2)
    assert [one.location for one in completed(world)] == places[2:]
    assert [checkpoints.exists(place) for place in places] == [False, False, True, True]
    assert world.fresh(run).restored_from == places[3]


def test_labels_decide(world: World) -> None:
    """A deployment's own policy wins."""
    deployment = world.deployment(labels={"savepoints.newest": "3"})
    for _ in range(4):
        world.stopped(world.running(deployment, "LATEST_STATE"))
    sweep(world, newest=1)
    assert len(completed(world)) == 3


def test_the_young_stay(world: World) -> None:
    """With an age, also what is younger is kept."""
    deployment = world.deployment()
    for _ in range(3):
        world.stopped(world.running(deployment, "LATEST_STATE"))
        world.clock.now += DAY
    sweep(world, newest=0, age=2 * DAY + DAY // 2)
    assert len(completed(world)) == 2


def test_what_somebody_asked_for_stays(world: World) -> None:
    """A savepoint that a person made is never taken, however old."""
    deployment = world.deployment()
    run = world.running(deployment)
    made = saved(world, run)
    world.stopped(run)
    for _ in range(2):
        world.stopped(world.running(deployment, "LATEST_STATE"))
    sweep(world, newest=0)
    assert completed(world)[0].id == made.id


def test_what_a_suspended_job_needs_stays(world: World) -> None:
    """The state that the next start begins from is kept even where nothing is to be kept."""
    deployment = world.deployment()
    world.stopped(world.running(deployment))
    place = world.stopped(world.running(deployment, "LATEST_STATE"))
    sweep(world, newest=0)
    assert [one.location for one in completed(world)] == [place]
    world.ask_start(deployment, "LATEST_STATE")
    world.tick()
    assert list(world.flink.jobs.values())[-1].submission.restore == place


def test_what_a_running_job_began_from_stays(world: World) -> None:
    """Until a job has a checkpoint of its own, it would begin there again."""
    deployment = world.deployment()
    first = world.running(deployment)
    place = world.stopped(first)
    run = world.running(deployment, "LATEST_STATE")
    made = saved(world, run)
    with world.store.write() as db:
        savepoints.request_delete(db, made, now=world.clock())
    sweep(world, newest=0)
    assert [one.location for one in completed(world)] == [place]


def test_what_another_deployment_began_from_stays(world: World) -> None:
    """A savepoint that another deployment was started from is that one's, too."""
    deployment, other = world.deployment(), world.deployment("other")
    first = world.running(deployment)
    place = world.stopped(first)
    world.cancelled(world.running(other, "FROM_SAVEPOINT", savepointId=world.stop_savepoint(first).id))
    last = world.stopped(world.running(deployment, "LATEST_STATE"))
    sweep(world, newest=0)
    assert [one.location for one in completed(world)] == [place, last]


def test_what_is_asked_for_meanwhile_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that is asked for while it is decided what may go keeps what it begins from."""
    deployment = world.deployment()
    first = world.running(deployment)
    world.stopped(first)
    world.stopped(world.running(deployment, "LATEST_STATE"))
    wanted = world.stop_savepoint(first)
    decide = retain.surplus

    def late(*found: object, **rest: object) -> list[str]:
        with suppress(Conflict):  # it was asked for before
            world.ask_start(deployment, "FROM_SAVEPOINT", savepointId=wanted.id)
        return decide(*found, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(retain, "surplus", late)
    sweep(world, newest=0)
    assert wanted.id in [one.id for one in completed(world)]


def test_failed_savepoints_go(world: World) -> None:
    """Those that failed are kept as the others are, and what they left goes with them."""
    deployment = world.deployment()
    run = world.running(deployment)
    for _ in range(3):
        world.ask_stop(run, "STOP_WITH_SAVEPOINT")
        world.tick()
        world.flink.finish_savepoint(error="no space", written=True)
        world.tick(2)
        assert world.fresh(run).state == "RUNNING"
    sweep(world, newest=1)
    assert len(completed(world)) == 3  # the job runs: one of them may be the stop that is waited for
    world.cancelled(run)
    sweep(world, newest=1)
    (left,) = completed(world)
    assert checkpoints.folders(world.bench.savepoints(run)) == [left.id]


def test_checkpoints_of_ended_runs_go(world: World) -> None:
    """Of the jobs that ended, the newest checkpoints are kept; one that a restart needs always is."""
    deployment = world.deployment()
    jobs = []
    for number in range(4):
        run = world.running(deployment, "LATEST_STATE")
        aged(world.flink.checkpoint(run.job_id), 1000 + number)
        world.cancelled(run)
        jobs.append(run.job_id)
    sweep(world, newest=0)
    assert folders(world) == [jobs[3]]
    run = world.ask_start(deployment, "LATEST_STATE")
    world.tick()
    assert jobs[3] in (world.fresh(run).restored_from or "")


def test_checkpoints_that_never_were_go(world: World) -> None:
    """A job that left no complete checkpoint left nothing of use."""
    deployment = world.deployment()
    run = world.running(deployment)
    world.cancelled(run)
    (checkpoints.local(world.bench.roots("d-bids")[0]) / run.job_id / "chk-1").mkdir(parents=True)
    sweep(world)
    assert folders(world) == []


def test_a_running_job_keeps_its_checkpoints(world: World) -> None:
    """Nothing of a job that runs is touched, but what Flink left behind when it was restored in place."""
    run = world.running(world.deployment())
    world.flink.checkpoint(run.job_id)
    world.flink.checkpoint(run.job_id)
    sweep(world, newest=0)
    folder = checkpoints.join(world.bench.roots("d-bids")[0], run.job_id)
    assert sorted(checkpoints.numbers(folder)) == [1, 2]

    world.flink.crash()
    world.tick(3, later=4000)
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    sweep(world, newest=0)
    assert sorted(checkpoints.numbers(folder)) == [1, 2]
    world.flink.checkpoint(run.job_id)
    sweep(world, newest=0)
    assert checkpoints.numbers(folder) == [3]


def test_a_deployment_that_is_gone(world: World) -> None:
    """Its checkpoints stay for a day, its newest savepoints for good: somebody may begin from one."""
    deployment = world.deployment()
    run = world.running(deployment)
    aged(world.flink.checkpoint(run.job_id), 2)
    place = world.stopped(run)
    with world.store.write() as db:
        deployments.remove(db, deployment)
    sweep(world)
    assert folders(world) == [run.job_id]
    world.clock.now += 2 * DAY
    sweep(world)
    assert folders(world) == []
    assert [one.location for one in completed(world)] == [place]


def test_strangers_are_left_alone(world: World) -> None:
    """What the store knows nothing of belongs to somebody else who keeps state in the same place."""
    stranger = checkpoints.local(world.bench.roots("d-other")[0]) / ("0" * 32) / "chk-1"
    stranger.mkdir(parents=True)
    world.clock.now += 2 * DAY
    sweep(world)
    assert stranger.is_dir()


def test_what_is_settled_is_not_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment costs nothing until something happens to it; one that is gone is looked at until time is up."""
    deployment, gone = world.deployment(), world.deployment("gone")
    run = world.running(deployment)
    world.stopped(world.running(gone))
    with world.store.write() as db:
        deployments.remove(db, gone)
    settled: dict[str, int] = {}
    retain.sweep(world.bench, Policy(), settled)
    looked: list[str] = []
    real = checkpoints.folders
    monkeypatch.setattr(checkpoints, "folders", lambda place: looked.append(place) or real(place))
    retain.sweep(world.bench, Policy(), settled)
    assert {place.rpartition("/")[2] for place in looked} == {"d-gone"}
    world.stopped(run)
    retain.sweep(world.bench, Policy(), settled)
    assert world.bench.roots("d-bids")[0] in looked


def test_the_loop_sweeps_now_and_then(world: World) -> None:
    """It is done by itself, by the policy that the loop was given."""
    deployment = world.deployment()
    for _ in range(3):
        world.stopped(world.running(deployment, "LATEST_STATE"))
    world.loop = Loop(world.bench, executor=Inline(), policy=Policy(newest=2))
    world.tick()
    assert len(completed(world)) == 3
    world.tick(later=retain.SWEEP_EVERY)
    world.tick()
    assert len(completed(world)) == 2


class Killed(BaseException):
    """The process is gone."""


def half(place: str) -> None:
    """Remove what makes it a savepoint, and no more."""
    for file in checkpoints.local(place).rglob("_metadata"):
        file.unlink()
    raise Killed


def die(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [(checkpoints, "check", die), (checkpoints, "remove", half), (savepoints, "remove", die)],
    ids=["before", "half", "after"],
)
def test_killed_while_deleting(
    world: World, monkeypatch: pytest.MonkeyPatch, module: object, name: str, instead: Callable[..., None]
) -> None:
    """A deletion that was begun is finished after a restart, wherever it was cut: no file and no row is left."""
    run = world.running(world.deployment())
    place = world.stopped(run)
    taken = world.stop_savepoint(run)
    data = checkpoints.local(place) / "data"
    data.write_bytes(b"state")
    with world.store.write() as db:
        savepoints.request_delete(db, taken, now=world.clock())
    with monkeypatch.context() as patched:
        patched.setattr(module, name, instead)
        with pytest.raises(Killed):
            world.tick()
    found = world.savepoint(taken.id)
    assert found
    assert found.state == "DELETING"
    world.restart_controlplane()
    world.tick()
    assert world.savepoint(taken.id) is None
    assert not checkpoints.local(world.bench.savepoint(taken, run)).exists()


def test_what_cannot_be_removed_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row stays as long as a file does, and nothing else waits for it."""
    deployment = world.deployment()
    run = world.running(deployment)
    world.stopped(run)
    taken = world.stop_savepoint(run)
    with world.store.write() as db:
        savepoints.request_delete(db, taken, now=world.clock())

    def refuse(place: str) -> None:
        raise Unavailable(f"cannot remove {place}")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "remove", refuse)
        world.tick(3)
        assert world.running(deployment).state == "RUNNING"
    assert world.savepoint(taken.id)
    world.tick(later=300_000)
    assert world.savepoint(taken.id) is None


def test_somebody_elses_folder_is_left_alone(world: World, tmp_path: Path) -> None:
    """A place that holds no savepoint is not removed, whatever the row says."""
    run = world.running(world.deployment())
    world.stopped(run)
    taken = world.stop_savepoint(run)
    (tmp_path / "photos").mkdir()
    with world.store.write() as db:
        savepoints.change(db, taken.id, {"location": str(tmp_path / "photos")}, now=world.clock())
        savepoints.request_delete(db, taken, now=world.clock())
    world.tick(3)
    assert (tmp_path / "photos").is_dir()
    assert world.savepoint(taken.id)


def test_savepoints_in_a_bucket(world: World, bucket: Bucket) -> None:
    """One that a cluster wrote to a bucket is started from, and deleted there; cut short, it is begun again."""
    deployment = world.deployment()
    run = world.running(deployment)
    world.stopped(run)
    taken = world.stop_savepoint(run)
    place = bucket.complete("flow/savepoint-1")
    with world.store.write() as db:
        savepoints.change(db, taken.id, {"location": place}, now=world.clock())
    second = world.running(deployment, "FROM_SAVEPOINT", savepointId=taken.id)
    assert world.flink.jobs[second.job_id].submission.restore == place

    def die_once(**_: object) -> None:
        bucket.client.meta.events.unregister("before-call.s3.DeleteObjects", die_once)
        raise Killed

    with world.store.write() as db:
        savepoints.request_delete(db, taken, now=world.clock())
    bucket.client.meta.events.register("before-call.s3.DeleteObjects", die_once)
    with pytest.raises(Killed):
        world.tick()
    assert len(bucket.keys) == 2
    world.restart_controlplane()
    world.tick()
    assert bucket.keys == []
    assert world.savepoint(taken.id) is None
