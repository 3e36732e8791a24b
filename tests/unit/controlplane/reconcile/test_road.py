"""Under which plan a run goes to Flink, and what is refused before it goes."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.controlplane.store import deployments, events, runs
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Unavailable, Unplanned
from flinkform.flink.plan import Plan
from flinkform.flink.values import Phase, Submission
from tests.unit.controlplane.reconcile.conftest import NS, PLANS, WS, World, artifact


@pytest.fixture
def planned(world: World) -> Deployment:
    """A deployment that counts and sums; each file of plans is what the script of its name compiles to."""
    world.flink.plans |= {path.stem: Plan.load(path.read_text()) for path in PLANS.glob("*.json")}
    return world.deployment(artifact=artifact("aggregate"))


def kept(world: World, run: Run) -> Plan:
    with world.store.read() as db:
        text = runs.plan(db, run.id)
    assert text is not None
    return Plan.load(text)


def sent(world: World, run: Run) -> Submission:
    return world.flink.jobs[run.job_id].submission


def refusal(world: World, run: Run) -> str:
    """Why a run failed without Flink being called with it."""
    before = len(world.flink.asked("submit"))
    world.tick(2)
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert len(world.flink.asked("submit")) == before
    return str(found.failure["reason"])


def aggregate(plan: Plan) -> int:
    (number,) = (node["id"] for node in plan.nodes if "group-aggregate" in node["type"])
    return int(number)


def submission_told(world: World, run: Run) -> str:
    with world.store.read() as db:
        found = events.page(db, WS, NS, run_id=run.id, limit=1000).items
    return next(one.message for one in found if one.name == "JOB_SUBMITTED")


def test_a_streaming_job_runs_from_a_plan(world: World, planned: Deployment) -> None:
    """Flink is handed the compiled plan, and the run keeps it."""
    run = world.running(planned)
    assert kept(world, run) == world.flink.plans["aggregate"]
    assert sent(world, run).plan == kept(world, run).flink()
    assert sent(world, run).script == "aggregate"
    assert "from no state, under a compiled plan" in submission_told(world, run)


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_killed_job_runs_from_its_own_plan(world: World, planned: Deployment, *, checkpoint: bool) -> None:
    """What was handed over is handed over again, whatever the script would be compiled to now."""
    run = world.running(planned)
    before = kept(world, run)
    place = world.flink.checkpoint(run.job_id) if checkpoint else None
    world.flink.plans.clear()
    world.edit(planned, "max")
    world.restart_controlplane()
    world.tick(8)
    assert (sent(world, run).plan, sent(world, run).restore) == (before.flink(), place)
    assert not sent(world, run).allow_non_restored
    assert kept(world, run) == before
    assert len(world.flink.asked("compile")) == 1


def test_a_lost_answer_keeps_the_plan(world: World, planned: Deployment) -> None:
    """The plan is written down with the intent: asked again after a death, it is the same."""
    run = world.ask_start(planned)
    world.flink.lost.add("submit")
    world.tick(2)
    assert world.fresh(run).step == "CALLING"
    before = kept(world, run)
    world.flink.lost.clear()
    world.flink.plans.clear()
    world.restart_controlplane()
    world.tick(8)
    assert sent(world, run).plan == before.flink()


def test_a_planner_that_does_not_answer_is_asked_again(world: World, planned: Deployment) -> None:
    """Nothing is handed over without the plan it needs."""
    plan, world.flink.plans["aggregate"] = world.flink.plans["aggregate"], Unavailable("busy")
    run = world.ask_start(planned)
    world.tick(4)
    assert (world.fresh(run).step, world.flink.asked("submit")) == ("NEW", [])
    world.flink.plans["aggregate"] = plan
    world.tick(8)
    assert kept(world, run) == plan


@pytest.mark.parametrize("allowed", [True, False])
def test_an_edit_keeps_ids(world: World, planned: Deployment, *, allowed: bool) -> None:
    """The aggregate goes on under its id, the new join gets one of its own, and Flink may drop nothing."""
    first = world.running(planned)
    place = world.stopped(first)
    run = world.running(world.edit(planned, "join"), "LATEST_STATE", allowNonRestoredState=allowed)
    assert (sent(world, run).restore, sent(world, run).allow_non_restored) == (place, False)
    assert aggregate(kept(world, run)) == aggregate(kept(world, first))
    assert kept(world, run).high > kept(world, first).high
    assert f"from {place}, under a compiled plan, matched with that of its state (partly: " in submission_told(
        world, run
    )


def test_a_checkpoint_has_a_plan_too(world: World, planned: Deployment) -> None:
    """A job that ended without a savepoint is matched with the plan of its newest checkpoint."""
    first = world.running(planned)
    place = world.flink.checkpoint(first.job_id)
    world.flink.see(first.job_id, Phase.FAILED)
    world.tick()
    run = world.running(world.edit(planned, "join"), "LATEST_STATE")
    assert sent(world, run).restore == place
    assert aggregate(kept(world, run)) == aggregate(kept(world, first))


def test_state_that_would_be_dropped_is_refused(world: World, planned: Deployment) -> None:
    """SUM to MAX never reaches Flink, and the operator is named with what is wrong."""
    world.stopped(world.running(planned))
    run = world.ask_start(world.edit(planned, "max"), "LATEST_STATE")
    assert refusal(world, run) == (
        "bids was not started, for its new script would drop state: aggregate (groupBy=[k], select=[k, COUNT(*) AS "
        "EXPR$1, SUM(v) AS EXPR$2]): it computes something else; take that edit back, start without state, or allow "
        "non-restored state to drop it"
    )


def test_state_is_dropped_where_that_is_allowed(world: World, planned: Deployment) -> None:
    """The start says so, and only then Flink is told to leave state alone; after a death too."""
    first = world.running(planned)
    place = world.stopped(first)
    run = world.running(world.edit(planned, "max"), "LATEST_STATE", allowNonRestoredState=True)
    assert (sent(world, run).restore, sent(world, run).allow_non_restored) == (place, True)
    assert aggregate(kept(world, run)) > kept(world, first).high
    world.restart_controlplane()
    world.tick(8)
    assert (sent(world, run).restore, sent(world, run).allow_non_restored) == (place, True)
    world.flink.checkpoint(run.job_id)
    world.restart_controlplane()
    world.tick(8)
    assert not sent(world, run).allow_non_restored


def test_ids_are_never_used_twice(world: World, planned: Deployment) -> None:
    """Over a start without state, and from a savepoint older than the newest run, new operators get new ids."""
    first = world.running(planned)
    world.stopped(first)
    old = world.stop_savepoint(first)
    second = world.running(world.edit(planned, "max"))
    world.stopped(second)
    ids = {node["id"] for node in kept(world, second).nodes}
    assert min(ids) == kept(world, first).high + 1
    third = world.running(world.edit(planned, "max"), "FROM_SAVEPOINT", savepointId=old.id, allowNonRestoredState=True)
    assert aggregate(kept(world, third)) > kept(world, second).high
    assert sent(world, third).restore == old.location


def test_batch_runs_as_written(world: World) -> None:
    """A batch job has no plan, and nothing is compiled."""
    run = world.running(world.deployment(batch=True))
    assert sent(world, run).plan is None
    assert world.flink.asked("compile") == []
    assert "as written: a batch job keeps no state" in submission_told(world, run)


def test_what_cannot_be_compiled_runs_as_written(world: World, planned: Deployment) -> None:
    """A script without a plan starts, the event says why; from a plan's state it is refused unless that may go."""
    world.flink.plans["odd"] = Unplanned("no JSON for this operator")
    odd = world.running(world.deployment("odd", artifact=artifact("odd")))
    assert sent(world, odd).plan is None
    assert "as written: Flink compiles no plan of it: no JSON for this operator" in submission_told(world, odd)
    place = world.stopped(world.running(planned))
    refused = world.ask_start(world.edit(planned, "odd"), "LATEST_STATE")
    assert "would drop state: all of it: Flink compiles no plan of it" in refusal(world, refused)
    run = world.running(planned, "LATEST_STATE", allowNonRestoredState=True)
    assert (sent(world, run).restore, sent(world, run).allow_non_restored) == (place, False)


def test_state_without_a_plan_is_restored_as_written(world: World, planned: Deployment) -> None:
    """What ran without a plan goes on without one: Flink knows that state by other names. A new beginning has one."""
    world.flink.plans["aggregate"] = Unplanned("not yet")
    world.stopped(world.running(planned))
    world.flink.plans["aggregate"] = world.flink.plans["alias"]
    run = world.running(planned, "LATEST_STATE", allowNonRestoredState=True)
    assert (sent(world, run).plan, sent(world, run).allow_non_restored) == (None, True)
    assert "as written: so was the job whose state it begins from" in submission_told(world, run)
    world.stopped(run)
    assert sent(world, world.running(planned)).plan is not None


@pytest.mark.parametrize("whole", [True, False])
def test_a_savepoint_outlives_its_run(world: World, planned: Deployment, *, whole: bool) -> None:
    """When its run, or its whole deployment, is deleted a savepoint still knows the plan it was written under."""
    first = world.running(planned)
    world.stopped(first)
    before, taken = kept(world, first), world.stop_savepoint(first)
    with world.store.write() as db:
        runs.remove(db, world.fresh(first)) if not whole else deployments.remove(db, planned)
    other = world.deployment("other", artifact=artifact("join"))
    run = world.running(other, "FROM_SAVEPOINT", savepointId=taken.id)
    assert aggregate(kept(world, run)) == aggregate(before)


def test_a_stop_while_it_is_compiled_counts(world: World, planned: Deployment) -> None:
    """What is asked for while the planner works is not overtaken by the start."""

    class Slow(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            world.ask_stop(run)
            return super().get(key, default)

    run = world.ask_start(planned)
    world.flink.plans = Slow(world.flink.plans)
    world.tick(4)
    assert world.fresh(run).state == "CANCELLED"
    assert world.flink.asked("submit") == []
