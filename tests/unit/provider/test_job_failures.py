"""What is left of a flink_job when something goes wrong on the way, and how the next apply goes on from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flinkform.errors import Conflict, Interrupted, Invalid, JobFailed, NotFound, TimedOut, Unavailable
from flinkform.provider.record import NONCE
from flinkform.resources.job import RESOURCE
from tests.unit.provider.cloud import Cloud
from tests.unit.provider.conftest import config, restored
from tests.unit.provider.core import World


def test_wrong_script(running: World) -> None:
    """A wrong script is refused with line and column before anything is stopped, and before anything is made."""
    running.cloud.wrong["SELEC"] = "unexpected SELEC"
    with pytest.raises(Invalid, match=r"line 3, column 7: unexpected SELEC") as raised:
        running.apply(config(sql="SELEC"))
    assert raised.value.at == ("sql",)
    assert running.cloud.changes() == []
    with pytest.raises(Invalid):
        World(RESOURCE, running.cloud).apply(config(name="b", sql="SELEC"))
    assert running.cloud.changes() == []


def test_unable_to_validate(running: World) -> None:
    """Where nobody can tell whether a script is right, the job is started all the same."""
    running.cloud.down.add("ValidateSqlStatement")
    running.apply(config(sql="SELECT 2"))
    assert running.cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob"]


def test_failing_start(world: World) -> None:
    """A job that cannot start fails at once with reason, diagnosis and the end of its log; the deployment is kept."""
    world.cloud.broken["a"] = "no such table"
    with pytest.raises(JobFailed) as raised:
        world.apply(config(deletion_protection=True))
    said = str(raised.value)
    assert "JOB_FAILED: no such table" in said
    assert "SLOT_SHORTAGE: no slots are free: add some" in said
    assert said.endswith("log line 99")
    assert "log line 74" not in said
    assert world.time.now < 10
    state = world.result.state
    assert state is not None
    assert (state["state"], state["deployment_id"], state["deletion_protection"]) == ("failed", "d-1", False)


def test_failing_upgrade(running: World) -> None:
    """After an upgrade that does not start, state has the new definition and says failed; a fix goes on from state."""
    running.cloud.broken["a"] = "state is not compatible"
    with pytest.raises(JobFailed, match="state is not compatible"):
        running.apply(config(sql="SELECT 2"))
    assert running.result.state is not None
    assert (running.result.state["sql"], running.result.state["state"]) == ("SELECT 2", "failed")
    running.cloud.broken.clear()
    running.apply(config(sql="SELECT 3"))
    assert restored(running)["kind"] == "LATEST_STATE"


def test_refused_update(running: World) -> None:
    """An update that the API refuses leaves a suspended job, and the next apply goes on from its savepoint."""
    running.cloud.down.add("UpdateDeployment")
    with pytest.raises(Unavailable):
        running.apply(config(sql="SELECT 2"))
    assert running.result.state is not None
    assert (running.result.state["sql"], running.result.state["state"]) == ("SELECT 1", "suspended")
    running.cloud.down.clear()
    running.apply(config(sql="SELECT 2"))
    assert restored(running)["kind"] == "LATEST_STATE"


def test_ignored_update(running: World) -> None:
    """An update that is accepted and not carried out is an error that names the attribute."""
    running.cloud.ignored.add("flinkConf")
    with pytest.raises(Conflict, match="kept another flink_options") as raised:
        running.apply(config(flink_options={"a": "b"}))
    assert raised.value.at == ("flink_options",)


def test_lost_create(world: World) -> None:
    """A create whose answer was lost is adopted by its nonce; that label is kept and never shown."""
    world.cloud.lost["CreateDeployment"] = 1
    state = world.apply(config(labels={"team": "x"}))
    assert len(world.cloud.deployments) == 1
    assert state["labels"] == {"team": "x"}
    world.apply(config(labels={"team": "y"}))
    kept = world.cloud.named("a")["labels"]
    assert (kept["team"], NONCE in kept) == ("y", True)


def test_lost_create_and_then_nobody_to_ask(world: World) -> None:
    """A control plane that dies with the answer: what it made is found by its nonce at the next read, and replaced."""
    world.cloud.lost["CreateDeployment"] = 1
    world.cloud.down.add("ListDeployments")
    with pytest.raises(Unavailable):
        world.apply(config(deletion_protection=True))
    assert world.result.state is not None
    assert (world.result.state["deployment_id"], world.result.state["id"]) == (None, None)
    world.cloud.down.clear()
    found = world.refresh()
    assert found is not None
    assert (found["deployment_id"], found["deletion_protection"]) == ("d-1", False)
    world.destroy()  # as terraform does with what it could not create
    assert world.cloud.deployments == {}


def test_lost_create_that_made_nothing(world: World) -> None:
    """A deployment of that name which somebody else makes meanwhile is not taken for it."""
    world.cloud.down |= {"CreateDeployment", "ListDeployments"}
    with pytest.raises(Unavailable):
        world.apply(config())
    world.cloud.down.clear()
    World(RESOURCE, world.cloud).apply(config())
    assert world.refresh() is None


def test_never_by_name(world: World) -> None:
    """A deployment that merely has the same name is not adopted."""
    World(RESOURCE, world.cloud).apply(config())
    with pytest.raises(Conflict, match="is taken"):
        world.apply(config())
    world.cloud.down.add("CreateDeployment")
    with pytest.raises(Unavailable):
        world.apply(config())
    assert world.result.state is None


def test_a_name_that_is_taken(world: World) -> None:
    """The attribute, and the id to import the other one with; a conflict about anything else stays as it is."""
    World(RESOURCE, world.cloud).apply(config())
    with pytest.raises(Conflict, match=r"is taken; choose another name, or import .* with id 'w/n/d-1'") as taken:
        world.apply(config())
    assert taken.value.at == ("name",)
    world.cloud.deployments["d-1"]["name"] = "other"
    world.cloud.refused["CreateDeployment"] = Conflict("the namespace is being made")
    with pytest.raises(Conflict, match=r"^the namespace is being made$"):
        world.apply(config())


def test_a_namespace_that_is_not_there(world: World) -> None:
    """The attribute that is wrong, and what it should refer to; nothing was made."""
    world.cloud.refused["CreateDeployment"] = NotFound("no namespace n in workspace w")
    with pytest.raises(NotFound, match=r"no namespace n in workspace w; expected .* of a flink_namespace") as missing:
        world.apply(config())
    assert missing.value.at == ("namespace",)
    assert (world.result.state, world.cloud.deployments) == (None, {})


def test_a_reason_is_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failure, diagnosis and log of a job that never got as far as logging are one sentence, and shown as one."""
    said = "a needs 2 slots and 1 of 2 are free; held by b (1)"
    world.cloud.broken["a"] = said
    symptom = {"name": said, "description": said, "recommendation": "stop jobs"}
    monkeypatch.setattr(world.cloud, "_GetJobDiagnosis", lambda *_: {"symptoms": {"startup": [symptom]}})
    monkeypatch.setattr(world.cloud, "_GetLatestJobStartLog", lambda *_: f"{said}\n")
    with pytest.raises(JobFailed) as raised:
        world.apply(config())
    assert str(raised.value).count(said) == 1
    assert str(raised.value).endswith("diagnosis: stop jobs")


TRACE = """2026-01-01 INFO  flink - Source switched from DEPLOYING to RUNNING.
java.lang.ArithmeticException: / by zero
\tat StreamExecCalc$7.processElement(Unknown Source)
\t... 12 more
Caused by: java.lang.ArithmeticException: / by zero"""


@pytest.mark.parametrize(("advice", "shown"), [("guard it", False), ("", True)])
def test_trace(world: World, monkeypatch: pytest.MonkeyPatch, advice: str, *, shown: bool) -> None:
    """Java's trace is shown to whoever was not told what to do, and nobody else; the job's log has it."""
    said = f"division by zero at line 2; {advice}"
    world.cloud.broken["a"] = f"{said}\n\tat java.base/java.lang.Thread.run(Thread.java:840)"
    symptom = {"name": said, "description": "/ by zero", "recommendation": advice}
    monkeypatch.setattr(world.cloud, "_GetJobDiagnosis", lambda *_: {"symptoms": {"runtime": [symptom]}})
    monkeypatch.setattr(world.cloud, "_GetLatestJobStartLog", lambda *_: TRACE)
    with pytest.raises(JobFailed, match="division by zero at line 2") as raised:
        world.apply(config())
    assert ("StreamExecCalc" in str(raised.value)) is shown
    assert ("`flinkform logs n/a`" in str(raised.value)) is not shown
    assert "java.base" not in str(raised.value)


def test_gone(running: World) -> None:
    """A deployment that is gone from the list is asked for once before it counts as gone."""
    running.cloud.deployments.clear()
    running.cloud.calls.clear()
    assert running.refresh() is None
    assert dict(running.cloud.calls) == {"ListDeployments": 1, "GetDeployment": 1}


def test_not_listed(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that a page missed is still there."""
    monkeypatch.setattr(running.cloud, "_ListDeployments", lambda *_: [])
    assert running.refresh() is not None


def test_deleted_since(running: World) -> None:
    """An update of what was deleted since the plan says so."""
    prior = dict(running.result.state or {})
    running.cloud.deployments.clear()
    running.result.state = prior
    with pytest.raises(Conflict, match="was deleted since the plan"):
        running.engine().update(prior, prior | {"sql": "SELECT 2"}, running.result)
    assert running.result.state is None


@pytest.mark.parametrize(("saved", "strategy"), [(None, "STOP_WITH_SAVEPOINT"), (False, "NONE")])
def test_destroy(world: World, saved: bool | None, strategy: str) -> None:
    """A running job is stopped with a savepoint before it is destroyed, unless told otherwise."""
    world.apply(config(savepoint_on_destroy=saved))
    world.cloud.said.clear()
    world.destroy()
    assert world.cloud.said[0] == ("StopJob", {"stopStrategy": strategy})
    assert not world.cloud.deployments


def test_destroy_without_savepoint(running: World) -> None:
    """A job whose savepoint fails is not destroyed."""
    running.cloud.stubborn.add("a")
    with pytest.raises(Conflict, match="checkpoint declined") as raised:
        running.destroy()
    assert raised.value.at == ("savepoint_on_destroy",)
    assert running.result.state is not None
    assert running.cloud.deployments


def test_destroy_what_fails_again_and_again(running: World) -> None:
    """No savepoint can be taken of a job that Flink is starting again: it goes without, as fallback allows."""
    running.cloud.stubborn.add("a")
    running.cloud.job("a")["status"]["running"] = {"observedFlinkJobStatus": "RESTARTING"}
    running.destroy()
    assert [said["stopStrategy"] for name, said in running.cloud.said if name == "StopJob"][-1] == "NONE"
    assert "left no savepoint" in running.result.warnings[0]
    assert not running.cloud.deployments


def test_destroy_protected(world: World) -> None:
    """Protection holds in the apply too, where -replace and taint come by without a plan."""
    world.apply(config(deletion_protection=True))
    with pytest.raises(Conflict, match="is protected"):
        world.destroy()


def test_destroy_what_is_gone(running: World) -> None:
    """What is gone already is destroyed."""
    running.cloud.deployments.clear()
    running.cloud.jobs.clear()
    running.destroy()


def test_interrupted_start(world: World) -> None:
    """Ctrl-C while waiting for a start leaves the job as it is, with a state the next plan goes on from."""
    world.cloud.start_looks = 1000
    world.time.limit = 3
    state = world.apply(config())
    assert "stopped waiting" in world.result.warnings[0]
    assert state["state"] == "running"
    world.time.limit = float("inf")
    world.cloud.start_looks = 1
    assert world.plan(config()).values is world.result.state


def test_interrupted_stop(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a job stops is an error at once; the next apply carries the change through."""
    _hold(running.cloud, monkeypatch, until=lambda: False)
    running.time.limit = running.time.now + 3
    with pytest.raises(Interrupted):
        running.apply(config(sql="SELECT 2"))
    monkeypatch.undo()
    running.time.limit = float("inf")
    running.apply(config(sql="SELECT 2"))
    assert restored(running)["kind"] == "LATEST_STATE"


def _hold(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, *, until: Callable[[], bool]) -> None:
    """Keep jobs CANCELLING."""
    look = cloud._looked

    def held(job: dict[str, Any]) -> dict[str, Any]:
        return dict(job) if job["status"]["currentJobStatus"] == "CANCELLING" and not until() else look(job)

    monkeypatch.setattr(cloud, "_looked", held)


@pytest.mark.parametrize(
    ("timeouts", "after"), [(None, 600), ({"create": "1m30s", "update": None, "delete": None}, 90)]
)
def test_timeout(world: World, timeouts: dict[str, Any] | None, after: float) -> None:
    """A job that does not get anywhere is given up after the time that was allowed."""
    world.cloud.start_looks = 1_000_000
    with pytest.raises(TimedOut, match=f"after {after} s") as raised:
        world.apply(config(timeouts=timeouts))
    assert raised.value.at == ("timeouts",)
    assert world.time.now == pytest.approx(after)


def test_slow_starting_upgrade(world: World) -> None:
    """A job that is only starting has nothing to save: it is stopped without a savepoint."""
    world.cloud.start_looks = 1000
    world.time.limit = 3
    world.apply(config())
    world.time.limit = float("inf")
    world.cloud.changes()
    world.cloud.start_looks = world.cloud.job("a")["looks"] + 1000
    _quickly(world)
    world.apply(config(sql="SELECT 2"))
    assert ("StopJob", {"stopStrategy": "NONE"}) in world.cloud.said


def _quickly(world: World) -> None:
    """Let every job after the present one start at once."""
    present = world.cloud.job("a")["jobId"]
    look = world.cloud._looked

    def looked(job: dict[str, Any]) -> dict[str, Any]:
        world.cloud.start_looks = 10_000 if job["jobId"] == present else 1
        return look(job)

    world.cloud._looked = looked  # type: ignore[method-assign]


def test_seen_running(world: World) -> None:
    """A job that somebody else started after a failed start counts as having run."""
    world.cloud.broken["a"] = "boom"
    with pytest.raises(JobFailed):
        world.apply(config())
    assert world.result.private == {"started": False}
    world.cloud.broken.clear()
    world.cloud.call("StartJob", {"workspace": "w", "namespace": "n"}, {"deploymentId": "d-1", "restoreStrategy": {}})
    world.cloud.call("GetJob", {"workspace": "w", "namespace": "n", "jobId": world.cloud.job("a")["jobId"]})
    world.cloud.call("GetJob", {"workspace": "w", "namespace": "n", "jobId": world.cloud.job("a")["jobId"]})
    world.refresh()
    assert world.result.private == {"started": True}


@pytest.mark.parametrize(("looks", "settles"), [(5, True), (10_000, False)])
@pytest.mark.parametrize(
    ("told", "limit"),
    [
        ({"currentJobStatus": "RUNNING", "running": {"observedFlinkJobStatus": "RESTARTING"}}, 60),
        ({"currentJobStatus": "STARTING", "failure": {"reason": "no such file"}}, 20),
    ],
)
def test_restarting(
    world: World, monkeypatch: pytest.MonkeyPatch, looks: int, told: dict[str, Any], limit: float, *, settles: bool
) -> None:
    """A job that Flink starts again and again gets a while to settle, less if it never ran; then its start failed."""
    seen = iter(range(10_000))
    look = world.cloud._looked

    def restarting(job: dict[str, Any]) -> dict[str, Any]:
        found = look(job)
        return {**found, "status": told} if next(seen) < looks else found

    monkeypatch.setattr(world.cloud, "_looked", restarting)
    if settles:
        assert world.apply(config())["state"] == "running"
    else:
        with pytest.raises(JobFailed, match="restarting again and again"):
            world.apply(config())
        assert world.time.now < limit


def test_silent_end(running: World) -> None:
    """When all went well and only the last look goes unanswered, that is a warning."""
    running.refresh()
    prior = dict(running.result.state or {})
    planned = prior | {"timeouts": {"create": "5m", "update": None, "delete": None}}
    get, looks = running.cloud._GetDeployment, iter([True])

    def once(params: Any, body: Any) -> Any:
        if next(looks, False):
            return get(params, body)
        raise Unavailable("gone")

    running.cloud._GetDeployment = once  # type: ignore[method-assign, assignment]
    running.engine().update(prior, planned, running.result)
    assert running.result.state == planned
    assert "could not be read once more" in running.result.warnings[0]
