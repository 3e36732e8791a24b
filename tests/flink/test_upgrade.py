# ruff: noqa: S608 -- the scripts are ours
"""Jobs on real Flink that are edited through the API: they count on, or nothing is begun."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flinkform.controlplane import keyring, vault
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.database import Store
from flinkform.flink import checkpoints
from flinkform.flink.contents import Contents
from flinkform.flink.fleet import Fleet
from flinkform.flink.runtime import Embedded
from flinkform.openapi import signature
from tests.flink.conftest import until
from tests.unit.controlplane.api.world import Api, Client

Rows = list[tuple[int, ...]]

# n counts from 1, a hundred a second; where nothing is lost or doubled the count is n, and the sum its triangle.
TABLES = """
CREATE TABLE a (n BIGINT, k AS CAST(n - n AS INT)) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
    'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');
CREATE TABLE o (p BIGINT, q BIGINT, r BIGINT) WITH ('connector' = 'print', 'print-identifier' = '{name}');
CREATE TABLE o2 (p BIGINT, q BIGINT) WITH ('connector' = 'blackhole');
"""
JOINED = """INSERT INTO o SELECT x.n, x.c, x.s FROM (SELECT k, MAX(n) AS n, COUNT(*) AS c, SUM(n) AS s FROM a
    GROUP BY k) x JOIN (SELECT k, MIN(n) AS m FROM a GROUP BY k) y ON x.k = y.k;"""
FILTERED = JOINED.removesuffix(";") + " WHERE MOD(x.c, 2) = 0;"
ANOTHER_SINK = FILTERED + "INSERT INTO o2 SELECT n, n + 1 FROM a WHERE MOD(n, 10) = 0;"
RENAMED = ANOTHER_SINK.replace(" x ", " counted ").replace("x.", "counted.")
GREATEST = JOINED.replace("SUM(n)", "MAX(n)")


@dataclass(frozen=True, slots=True)
class World:
    """A control plane without a socket: requests go in as bytes, jobs run on the Flink of this session."""

    api: Api
    flink: Embedded

    def deploy(self, name: str, script: str, **conf: str) -> str:
        made = self.api.call(
            "CreateDeployment",
            {
                "name": name,
                "executionMode": "STREAMING",
                "artifact": artifact(name, script),
                "flinkConf": {"restart-strategy.type": "none", **conf},
            },
        )
        return str(made["data"]["deploymentId"])

    def edit(self, deployment: str, name: str, script: str) -> None:
        self.api.call("UpdateDeployment", {"artifact": artifact(name, script)}, deploymentId=deployment)

    def start(self, deployment: str, kind: str = "LATEST_STATE", *, state: str = "RUNNING") -> dict[str, Any]:
        body = {"deploymentId": deployment, "restoreStrategy": {"kind": kind}}
        run = str(self.api.call("StartJob", body)["data"]["jobId"])
        return self.wait(run, state)

    def stop(self, job: dict[str, Any], strategy: str = "STOP_WITH_SAVEPOINT", *, state: str = "CANCELLED") -> None:
        self.api.call("StopJob", {"stopStrategy": strategy}, jobId=job["jobId"])
        self.wait(job["jobId"], state)

    def job(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.call("GetJob", jobId=run)["data"]
        return found

    def wait(self, run: str, state: str) -> dict[str, Any]:
        ends = (state, "FAILED", "CANCELLED", "FINISHED")
        until(lambda: self.job(run)["status"]["currentJobStatus"] in ends)
        found = self.job(run)
        assert found["status"]["currentJobStatus"] == state, found["status"]
        return found

    def log(self, deployment: str) -> str:
        return str(self.api.call("GetLatestJobStartLog", deploymentId=deployment)["data"])

    def rows(self, name: str) -> Rows:
        """What a job printed, in order: the rows that were inserted or put in the place of others."""
        row = re.compile(re.escape(name) + r"> \+[IU]\[(\d+), (\d+), (\d+)\]")
        file = self.flink.home / "jvm.out"
        text = file.read_text() if file.exists() else ""
        return [tuple(int(value) for value in found.groups()) for found in row.finditer(text)]

    def after(self, name: str, seen: int, *, rows: int = 8) -> Rows:
        """What a job prints behind the first *seen* rows, once it is enough."""
        until(lambda: len(self.rows(name)) >= seen + rows)
        return self.rows(name)[seen:]

    def saved(self, deployment: str) -> bool:
        """Whether there is a complete checkpoint."""
        folder = self.api.services.settings.home / "storage" / "checkpoints" / deployment
        return bool(list(folder.glob("*/chk-*/_metadata")))


def artifact(name: str, script: str) -> dict[str, Any]:
    return {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": TABLES.format(name=name) + script}}


def exact(rows: Rows) -> bool:
    """Whether each row is the count and the sum of all numbers up to its own."""
    return all((q, r) == (p, p * (p + 1) // 2) for p, q, r in rows)


@pytest.fixture(scope="module")
def world(flink: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("upgrade")
    settings = Settings(home=home)
    store = Store.open(settings.database_url)
    key = keyring.root(store, settings)
    bench = Bench(store, Fleet(lambda _: flink), home / "storage", opened=vault.opener(settings))
    loop = Loop(bench, minimum=0)
    services = Services(store=store, runtime=flink, settings=settings, clock=time.time, poke=loop.wake)
    loop.start()
    client = Client(build(services))
    api = Api(services, client, signature.Key(key.id, key.secret))
    made = api.call(
        "CreateInstance",
        InstanceName="main",
        ChargeType="POST",
        VpcId="vpc-1",
        VSwitchIds=["vsw-1"],
        Storage={"Oss": {"Bucket": "bucket"}},
        ResourceSpec={"Cpu": 10, "MemoryGB": 40},
    )
    api.instance = made["OrderInfo"]["InstanceId"]
    until(lambda: api.call("DescribeInstances")["Instances"][0]["ClusterStatus"] == "RUNNING")
    api.workspace = api.call("DescribeInstances")["Instances"][0]["ResourceId"]
    until(lambda: all(one["Status"] == "SUCCESS" for one in api.call("DescribeNamespaces")["Namespaces"]))
    yield World(api, flink)
    loop.stop(rest=0)
    for job_id in flink.observe():
        flink.cancel(job_id)
    until(lambda: all(one.state.final for one in flink.observe().values()))
    client.close()
    store.close()


def test_edits_of_a_running_job(world: World) -> None:
    """A filter in the middle, one more sink, a renamed alias: the counts go on exactly; SUM to MAX never begins."""
    deployment = world.deploy("edited", JOINED)
    job = world.start(deployment, "NONE")
    assert world.log(deployment).startswith("the job was handed to Flink, from no state, under a compiled plan")
    world.after("edited", 0)
    for script in (FILTERED, ANOTHER_SINK, RENAMED):
        world.stop(job)
        before = world.rows("edited")
        world.edit(deployment, "edited", script)
        job = world.start(deployment)
        rows = world.after("edited", len(before))
        assert exact(rows), (world.log(deployment), rows)
        assert 0 < rows[0][0] - before[-1][0] <= 25
        assert "matched with that of its state" in world.log(deployment)

    world.stop(job)
    world.edit(deployment, "edited", GREATEST)
    before, known = world.rows("edited"), set(world.flink.observe())
    refused = world.start(deployment, state="FAILED")
    reason = refused["status"]["failure"]["reason"]
    assert "would drop state: aggregate (groupBy=[k], select=[k, MAX(n)" in reason
    assert "it computes something else" in reason
    assert set(world.flink.observe()) == known
    assert world.rows("edited") == before

    world.edit(deployment, "edited", RENAMED)
    job = world.start(deployment)
    assert exact(before + world.after("edited", len(before)))
    world.stop(job, "NONE")


def test_a_failing_job_is_mended(world: World) -> None:
    """No savepoint can be taken of a job that keeps failing: edited, it goes on from its newest checkpoint, exactly."""
    failing = JOINED.replace("x.n, x.c", "x.n + 0 / (x.n - 500), x.c")
    conf = {"restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.delay": "1 h"}
    deployment = world.deploy("failing", failing, **conf)
    job = world.start(deployment, "NONE")
    until(lambda: world.job(job["jobId"])["status"].get("failure"))
    assert "by zero" in world.job(job["jobId"])["status"]["failure"]["reason"]
    world.stop(job, state="RUNNING")
    world.stop(job, "NONE")
    world.edit(deployment, "failing", JOINED)
    job = world.start(deployment)
    assert "/chk-" in world.log(deployment)
    until(lambda: (rows := world.rows("failing")) and rows[-1][0] > 510)
    assert exact(world.rows("failing"))
    world.stop(job, "NONE")


def test_a_savepoint_that_cannot_be_written(world: World, tmp_path: Path) -> None:
    """The job runs on as it was; without a savepoint the edit goes on from its newest checkpoint."""
    deployment = world.deploy("unsaved", JOINED)
    job = world.start(deployment, "NONE")
    until(lambda: world.saved(deployment))
    storage = world.api.services.settings.home / "storage" / "savepoints"
    storage.mkdir(exist_ok=True)
    (storage / deployment).write_text(f"in the way, for {tmp_path.name}")
    world.stop(job, state="RUNNING")
    (savepoint,) = world.api.call("ListSavepoints", deploymentId=deployment)["data"]
    assert savepoint["status"]["state"] == "FAILED"
    assert exact(world.after("unsaved", len(world.rows("unsaved"))))
    world.stop(job, "NONE")
    world.edit(deployment, "unsaved", FILTERED)
    job = world.start(deployment)
    assert "/chk-" in world.log(deployment)
    assert exact(world.after("unsaved", len(world.rows("unsaved"))))
    world.stop(job, "NONE")


def test_a_secret_that_a_script_names(world: World) -> None:
    """Flink has the value when the job runs, edited or not; database, checkpoints and the log as it is shown never."""
    secret = "a-planted-secret"
    world.api.call("CreateVariable", {"name": "mark", "value": secret, "kind": "Encrypted"})
    deployment = world.deploy("secretive", JOINED)
    world.edit(deployment, "${secret_values.mark}", JOINED)
    job = world.start(deployment)
    until(lambda: len(world.rows(secret)) > 8 and world.saved(deployment))
    world.stop(job)
    seen = len(world.rows(secret))
    world.edit(deployment, "${secret_values.mark}", FILTERED)
    job = world.start(deployment)
    assert exact(world.after(secret, seen))
    assert secret not in world.log(deployment)
    assert secret not in repr([world.job(job["jobId"]), world.api.call("GetEvents", deploymentId=deployment)])
    world.stop(job)
    home = world.api.services.settings.home
    assert [file for file in home.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()] == []


def verdict(world: World, deployment: str, name: str, script: str) -> dict[str, Any]:
    """What the control plane says of an edit before anything is stopped."""
    found: dict[str, Any] = world.api.call(
        "GetStateVerdict", {"artifact": artifact(name, script)}, deploymentId=deployment
    )["data"]
    return found


def test_verdict_before_the_fact(world: World, tmp_path: Path) -> None:
    """What is said of a running job, looking into its checkpoint, is what happens then; asking executes nothing.

    A sink that is taken away takes what its connector kept with it: that is nobody's loss, and needs no leave.
    """
    files = f"""CREATE TABLE f (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{tmp_path.as_uri()}/out',
        'format' = 'csv');"""
    both = files + JOINED + "INSERT INTO f SELECT n FROM a;"
    deployment = world.deploy("foreseen", both)
    job = world.start(deployment, "NONE")
    until(lambda: world.saved(deployment))
    held = looked(world, deployment, job)
    assert {name.partition("[")[0] for name in held.held.values()} >= {"GroupAggregate", "Join", "StreamingFileWriter"}
    assert held.strangers == ()

    known = set(world.flink.observe())
    assert verdict(world, deployment, "foreseen", both)["verdict"] == "same"
    lost = verdict(world, deployment, "foreseen", GREATEST)
    assert lost["verdict"] == "partly"
    assert ("aggregate", "dropped") in {(one["name"].partition(":")[0], one["fate"]) for one in lost["operators"]}
    kept = verdict(world, deployment, "foreseen", JOINED)
    assert kept["verdict"] == "compatible"
    assert [one["name"].partition(":")[0] for one in kept["operators"] if one["fate"] == "dropped"] == ["sink"]
    code, message = world.api.fails(
        "GetStateVerdict", {"artifact": artifact("foreseen", "INSERT INTO o SELEC 1;")}, deploymentId=deployment
    )
    assert (code, message.partition(" column")[0]) == ("InvalidParameter", "the script is not valid: line 6,")
    assert set(world.flink.observe()) == known

    world.stop(job)
    world.edit(deployment, "foreseen", JOINED)
    seen = len(world.rows("foreseen"))
    job = world.start(deployment)
    assert exact(world.after("foreseen", seen))
    world.stop(job, "NONE")


def looked(world: World, deployment: str, job: dict[str, Any]) -> Contents:
    """What the newest checkpoint of a job holds; one that was let go of while it was read says nothing."""
    folder = (world.api.services.settings.home / "storage" / "checkpoints" / deployment).as_uri()
    found: list[Contents] = []

    def look() -> bool:
        place = checkpoints.newest(folder, job["jobId"].replace("-", ""))
        held = world.flink.contents(place) if place else None
        found.extend([held] if held else [])
        return bool(found)

    until(look)
    return found[0]
