"""What an edit would do to the state that the next run begins from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flinkform.controlplane.reconcile.foresight import foreseen
from flinkform.controlplane.store import runs
from flinkform.controlplane.store.deployments import Deployment
from flinkform.errors import Unplanned
from flinkform.flink.contents import Contents
from flinkform.flink.values import Phase
from flinkform.flink.verdict import Fate, Outcome, Verdict
from tests.unit.controlplane.reconcile.conftest import World, artifact
from tests.unit.controlplane.reconcile.test_road import planned

__all__ = ["planned"]


def said(world: World, deployment: Deployment, script: str, **document: Any) -> Verdict:
    """The verdict on an edit; asking starts nothing and writes nothing."""
    proposed = replace(deployment, document={**deployment.document, "artifact": artifact(script), **document})
    before = len(world.flink.asked("submit"))
    found = foreseen(world.bench, proposed, lambda _: world.flink)
    world.tick(2)
    assert len(world.flink.asked("submit")) == before
    return found


@pytest.mark.parametrize(
    ("script", "outcome"),
    [("aggregate", Outcome.SAME), ("filter", Outcome.COMPATIBLE), ("max", Outcome.LOST), ("batch", Outcome.LOST)],
)
def test_running(world: World, planned: Deployment, script: str, outcome: Outcome) -> None:
    """Of a job that runs, its own plan is compared, whatever the deployment says meanwhile."""
    world.running(planned)
    changed = world.edit(planned, "join")
    assert said(world, changed, script).outcome is outcome


def test_stopped(world: World, planned: Deployment) -> None:
    """Of a job that was stopped, the plan under which its newest state was written."""
    world.stopped(world.running(planned))
    assert said(world, planned, "max").outcome is Outcome.LOST
    assert said(world, planned, "filter").outcome is Outcome.COMPATIBLE


def test_no_state(world: World, planned: Deployment) -> None:
    """A job that never ran, or left nothing, has nothing to lose."""
    assert said(world, planned, "max").outcome is Outcome.COMPATIBLE
    run = world.running(planned)
    world.ask_stop(run)
    world.tick()
    world.flink.see(run.job_id, Phase.CANCELED)
    world.tick(2)
    assert world.fresh(run).state == "CANCELLED"
    assert said(world, planned, "max").reason == "there is no state to take over"


def test_batch(world: World) -> None:
    """A batch job keeps none."""
    assert said(world, world.deployment(batch=True), "aggregate").outcome is Outcome.SAME


@pytest.mark.usefixtures("planned")
def test_as_written(world: World) -> None:
    """Of a job without a plan nobody can tell, unless nothing changes."""
    written = world.deployment("written", artifact=artifact("no plan of this"))
    world.running(written)
    assert said(world, written, "no plan of this").outcome is Outcome.SAME
    assert said(world, written, "aggregate").outcome is Outcome.UNKNOWN


def test_unplanned(world: World, planned: Deployment) -> None:
    """A script that has no plan takes over nothing, and the reason is Flink's."""
    world.running(planned)
    world.flink.plans["odd"] = Unplanned("no plan of a table function")
    found = said(world, planned, "odd")
    assert (found.outcome, "no plan of a table function" in found.reason) == (Outcome.LOST, True)
    assert Fate.DROPPED in {o.fate for o in found.operators}


def test_engine(world: World, planned: Deployment) -> None:
    """A newer engine's own plan is compared; of an older one, or one that runs nothing yet, nobody knows."""
    world.running(planned)
    found = said(world, planned, "aggregate", engineVersion="vvr-flinkform-flink-1.20")
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "Flink 1.20 may not read what 2.3 wrote")
    world.flink.alive = False
    proposed = replace(planned, document={**planned.document, "engineVersion": "vvr-flinkform-flink-2.2"})
    assert "Flink 2.2 runs no job now" in foreseen(world.bench, proposed, lambda _: world.flink).reason


def test_newer_engine(world: World, planned: Deployment) -> None:
    """From an older engine to the usual one the two plans say what becomes of state."""
    run = world.running(planned)
    old = {**run.definition, "engineVersion": "vvr-flinkform-flink-1.20"}
    with world.store.write() as db:
        assert runs.change(db, world.fresh(run), {"definition": old}, now=world.clock())
    for script, outcome in (("aggregate", Outcome.SAME), ("max", Outcome.LOST)):
        proposed = replace(planned, document={**planned.document, "artifact": artifact(script)})
        assert foreseen(world.bench, proposed, lambda _: world.flink).outcome is outcome


def test_contents(world: World, planned: Deployment) -> None:
    """The newest checkpoint of the running job is looked into."""
    run = world.running(planned)
    place = world.flink.checkpoint(run.job_id)
    world.flink.held = Contents({}, ("Mystery",))
    assert said(world, planned, "filter").outcome is Outcome.UNKNOWN
    assert ("contents", place) in world.flink.asked("contents")
