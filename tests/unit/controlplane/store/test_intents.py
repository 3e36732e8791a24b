"""What people may ask of runs, and when they are refused."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from flinkform.controlplane.store import deployments, events, intents, runs, savepoints
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Conflict, NotFound
from tests.unit.controlplane.store.conftest import Make

pytestmark = pytest.mark.both


def start(db: Connection, deployment: Deployment, **changes: object) -> Run:
    return intents.start(db, deployment, restore={"kind": "NONE"}, creator="ann", now=5, changes=changes)


def running(db: Connection, deployment: Deployment) -> Run:
    run = runs.change(db, start(db, deployment), {"state": "RUNNING", "step": "CALLED", "home": "life"}, now=6)
    assert run is not None
    return run


def stop(db: Connection, run: Run, strategy: str = "NONE") -> Run:
    return intents.stop(db, run, strategy, creator="ann", now=7)


def test_a_run_is_a_snapshot(db: Connection, deploy: Make) -> None:
    """A run keeps the definition it was started with, its changes and the deployment's revision."""
    made = deploy("a", flinkConf={"a": 1})
    run = start(db, made, flinkConf={"b": 2})
    deployments.replace(db, made, {**made.document, "flinkConf": {}}, name="a", modifier="ann", now=1)
    found = runs.get(db, "ws", "team", run.id)
    assert found == run
    assert (found.revision, found.definition["flinkConf"], found.state, found.seq) == (1, {"b": 2}, "STARTING", 1)
    assert found.job_id == found.id.replace("-", "")


def test_streaming_runs_once(db: Connection, deploy: Make) -> None:
    """A streaming deployment has one run that has not ended; then it may have another."""
    made = deploy("a")
    run = start(db, made)
    with pytest.raises(Conflict, match=r"deployment a already has job .* which is STARTING"):
        start(db, made)
    runs.change(db, run, {"state": "CANCELLED"}, now=1)
    assert start(db, made).seq == 2


def test_batch_runs_many(db: Connection, deploy: Make) -> None:
    """A batch deployment may have many runs at once."""
    made = deploy("a", executionMode="BATCH")
    assert [start(db, made).seq for _ in range(3)] == [1, 2, 3]
    assert len(runs.live_of(db, made.id)) == 3


def test_stop_of_an_ended_run_is_refused(db: Connection, deploy: Make) -> None:
    """What has ended cannot be stopped, nor saved."""
    run = runs.change(db, start(db, deploy("a")), {"state": "FAILED"}, now=1)
    assert run is not None
    with pytest.raises(Conflict, match="is FAILED already"):
        stop(db, run)
    with pytest.raises(Conflict, match=r"expected job .* RUNNING, got FAILED"):
        intents.savepoint(db, run, creator="ann", now=1)


def test_stop_twice_is_one_stop(db: Connection, deploy: Make) -> None:
    """Asking again changes nothing and takes no second savepoint."""
    stopping = stop(db, running(db, deploy("a")), "STOP_WITH_SAVEPOINT")
    assert stop(db, stopping, "STOP_WITH_DRAIN") == stopping
    assert savepoints.page(db, "ws", "team").total == 1


def test_none_overrides_a_waiting_stop(db: Connection, deploy: Make) -> None:
    """A stop that waits for a savepoint can be turned into a cancel, not the other way round."""
    stopping = stop(db, stop(db, running(db, deploy("a")), "STOP_WITH_SAVEPOINT"))
    assert stopping.strategy == "NONE"
    assert stop(db, stopping, "STOP_WITH_SAVEPOINT").strategy == "NONE"


def test_stale_reader_cannot_write(db: Connection, deploy: Make) -> None:
    """Who read a run before somebody else changed it does not overwrite that change."""
    run = running(db, deploy("a"))
    stop(db, run)
    assert runs.change(db, run, {"state": "RUNNING"}, now=1) is None
    found = runs.find(db, run.id)
    assert found is not None
    assert found.state == "CANCELLING"
    with pytest.raises(Conflict, match="changed meanwhile; ask again"):
        stop(db, run)


def test_everything_asked_is_an_event(db: Connection, deploy: Make) -> None:
    """Start, savepoint and stop are told with who asked, newest first, by deployment, name or run."""
    run = running(db, deploy("a"))
    intents.savepoint(db, run, creator="bob", now=8)
    stop(db, run, "STOP_WITH_SAVEPOINT")
    for wanted in ({"deployment_id": run.deployment_id}, {"deployment_name": "a"}, {"run_id": run.id}, {}):
        found = events.page(db, "ws", "team", **wanted)
        assert [one.name for one in found.items] == ["JOB_STOP_REQUESTED", "SAVEPOINT_REQUESTED", "JOB_START_REQUESTED"]
    assert events.page(db, "ws", "team", offset=1, limit=1).items[0].message.startswith("bob asked for savepoint")
    assert events.page(db, "ws", "team", deployment_name="b").total == 0


def test_events_are_bounded(db: Connection, deploy: Make) -> None:
    """Each deployment keeps its newest events."""
    for name in ("a", "b"):
        run = start(db, deploy(name))
        for number in range(5):
            intents.tell(db, run, f"E{number}", "", now=1)
    events.prune(db, kept=2)
    found = events.page(db, "ws", "team", deployment_id="d-a")
    assert [one.name for one in found.items] == ["E4", "E3"]
    assert events.page(db, "ws", "team").total == 4


def test_runs_are_paged_newest_first(db: Connection, deploy: Make) -> None:
    """ListJobs sees the newest run first."""
    made = deploy("a", executionMode="BATCH")
    made_runs = [start(db, made).id for _ in range(3)]
    found = runs.page(db, made.id, offset=0, limit=2)
    assert ([run.id for run in found.items], found.total) == (made_runs[:0:-1], 3)


def test_live_run_cannot_be_removed(db: Connection, deploy: Make) -> None:
    """DeleteJob is for runs that have ended; their savepoints stay."""
    run = running(db, deploy("a"))
    taken = intents.savepoint(db, run, creator="ann", now=1)
    with pytest.raises(Conflict, match="is RUNNING; stop it first"):
        runs.remove(db, run)
    ended = runs.change(db, run, {"state": "FAILED"}, now=1)
    assert ended is not None
    runs.remove(db, ended)
    with pytest.raises(NotFound):
        runs.get(db, "ws", "team", run.id)
    assert savepoints.get(db, "ws", "team", taken.id) == taken


def test_savepoints_are_listed_and_hidden(db: Connection, deploy: Make) -> None:
    """Lists are by deployment or run, newest first; one that is being deleted is not shown any more."""
    run = running(db, deploy("a"))
    first = intents.savepoint(db, run, creator="ann", now=1, description="mine", native=True)
    second = intents.savepoint(db, run, creator="ann", now=2)
    assert (first.description, first.native) == ("mine", True)
    for wanted in ({"deployment_id": "d-a"}, {"run_id": run.id}, {}):
        assert [one.id for one in savepoints.page(db, "ws", "team", **wanted).items] == [second.id, first.id]
    with pytest.raises(Conflict, match="is being taken"):
        savepoints.request_delete(db, first, now=1)
    savepoints.change(db, first.id, {"state": "COMPLETED"}, now=1)
    savepoints.request_delete(db, savepoints.get(db, "ws", "team", first.id), now=1)
    assert [one.id for one in savepoints.page(db, "ws", "team").items] == [second.id]
    with pytest.raises(NotFound):
        savepoints.get(db, "ws", "team", first.id)
