"""A session cluster behind TLS and a token is lost and found again; its jobs run on, and are killed by others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile.absent import Absent
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import instances, namespaces
from flinkform.controlplane.store.database import Store
from flinkform.errors import Denied, Unavailable
from flinkform.flink import jobs
from flinkform.flink.fleet import Fleet
from flinkform.flink.rest import Rest
from flinkform.flink.runtime import Embedded
from flinkform.flink.session import Remote, Session
from flinkform.flink.settings import Settings
from tests.flink.gate import TOKEN, Gate, opened
from tests.flink.plane import plane
from tests.flink.standalone import Standalone
from tests.flink.waiting import until
from tests.flink.world import COUNTING, World


@pytest.fixture
def gate(cluster: Standalone, tmp_path: Path) -> Iterator[Gate]:
    with opened(cluster.url, tmp_path) as one:
        yield one


@pytest.fixture
def remote(gate: Gate, tmp_path: Path) -> Remote:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    storage = (tmp_path / "state").as_uri()
    return Remote(name="big", url=gate.url, storage=storage, headers=headers, ca=gate.ca, timeout=30)


@pytest.fixture
def world(remote: Remote, cluster: Standalone, flink: Embedded, settings: Settings, tmp_path: Path) -> Iterator[World]:
    store = Store.at(tmp_path / "home")
    with store.write() as db:
        instances.create(db, "f-1", workspace="w", name="main", region="r", document={}, now=1)
        namespaces.create(db, "f-1", "n", document={}, now=1)
    session = Session(remote, flink.gateway, replace(settings, home=tmp_path / "session"))
    made = World(store, session, loop(store, session, remote, tmp_path), tmp_path, cluster.output, print, "big")
    yield made
    made.loop.stop(rest=0)
    made.flink.stop()
    store.close()


def loop(store: Store, session: Session, remote: Remote, folder: Path) -> Loop:
    nothing = Absent("all of it is somewhere else")
    fleet = Fleet(lambda seat: session if seat.target else nothing)
    made = Loop(Bench(store, fleet, folder / "here", stores={"big": remote.storage}))
    made.start()
    return made


def test_lost_and_found(
    world: World, gate: Gate, remote: Remote, cluster: Standalone, flink: Embedded, settings: Settings, tmp_path: Path
) -> None:
    """Unseen, nothing is told of a job; a new control plane takes it up again; whoever kills it there makes drift."""
    run = world.start(world.deploy("seen"))
    world.wait(run, "RUNNING")
    until(lambda: len(world.counts("seen")) > 20)
    gate.asked.clear()
    for _ in range(5):
        world.flink.observe()
    assert set(gate.asked) == {"/jobs/overview"}

    gate.shut()
    until(lambda: world.flink.silent)
    assert "the session cluster big does not answer" in world.flink.silent
    assert TOKEN not in world.flink.silent
    told = world.told(run)
    world.loop.stop()
    world.flink.stop()
    world.flink = Session(remote, flink.gateway, replace(settings, home=tmp_path / "session"))
    world.loop = loop(world.store, world.flink, remote, tmp_path)
    seen = len(world.counts("seen"))
    until(lambda: len(world.counts("seen")) > seen + 100)
    assert world.fresh(run).state == "RUNNING"

    gate.open()
    until(lambda: world.flink.alive)
    assert world.flink.observe()[run.job_id].state == "RUNNING"
    assert world.told(run) == told
    assert {count == highest for count, highest in world.counts("seen")} == {True}

    with closing(Rest(cluster.url, timeout=30)) as rest:
        jobs.cancel(rest, run.job_id)
    assert world.wait(run, "CANCELLED").intent == "RUN"


def test_whole_road(gate: Gate, cluster: Standalone, tmp_path: Path) -> None:
    """A control plane that is told of the cluster runs a job there, changes it hot, and ends without it."""
    home = tmp_path / "home"
    file = tmp_path / "targets.yaml"
    session = {"url": gate.url, "storage": (tmp_path / "state").as_uri(), "ca": str(gate.ca), "token_from": "BIG"}
    file.write_text(json.dumps({"targets": {"big": {"session": session}}}))
    told = {"FLINKFORM_TARGETS": str(file), "BIG": TOKEN}
    with plane(home, **told) as one:
        script = COUNTING.replace("{name}", "road")
        deployment = one.deploy("road", script, options={"execution.checkpointing.interval": "500 ms"})
        one.call("UpdateDeployment", {"deploymentId": deployment}, {"deploymentTarget": {"name": "big"}})
        job = one.start(deployment)
        assert one.until(job, "RUNNING") == "RUNNING", one.reason(job)
        basic = {"streamingResourceSetting": {"basicResourceSetting": {"parallelism": 3}}}
        one.call("UpdateDeployment", {"deploymentId": deployment}, basic)
        update = one.call("HotUpdateJob", {"jobId": job})["jobHotUpdateId"]

        def status() -> str:
            found = one.call("GetHotUpdateJobResult", {"jobHotUpdateId": update})["status"]
            assert "failure" not in found, found
            return str(found["status"])

        until(lambda: status() == "HOT_UPDATED")
        assert one.call("GetDeployment", {"deploymentId": deployment})["deploymentHasChanged"] is False
        assert TOKEN not in (home / "logs" / "controlplane.jsonl").read_text()
    with closing(Rest(cluster.url, timeout=30)) as rest:
        seen = jobs.overview(rest)[uuid.UUID(job).hex]
        assert seen.state == "RUNNING"
        jobs.cancel(rest, uuid.UUID(job).hex)


def test_strangers(remote: Remote, flink: Embedded, settings: Settings) -> None:
    """A wrong token is told as such, and so is a certificate that nobody here signed; no secret is in either."""
    wrong = Session(replace(remote, headers={"Authorization": "Bearer nope"}), flink.gateway, settings)
    with pytest.raises(Denied, match="does not let us in") as denied:
        wrong.start()
    assert "nope" not in str(denied.value)
    with pytest.raises(Unavailable, match="is not trusted"):
        Session(replace(remote, ca=None), flink.gateway, settings).start()
