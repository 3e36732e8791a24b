"""A walk over the operations, with restarts in between, beside a model that says what each must answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from flinkform.controlplane import keyring
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.retention import Policy
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.database import Store
from flinkform.flink.fleet import Fleet
from flinkform.openapi.signature import Key
from tests.contract.served import Eager
from tests.unit.controlplane.api.world import Api, Client, deployment
from tests.unit.controlplane.reconcile.fake import Inline
from tests.unit.controlplane.tables import Kind
from tests.unit.controlplane.walk_nouns import Draft, Nouns

LIVE = ("STARTING", "RUNNING", "CANCELLING")
NAMES = st.sampled_from(["bids", "asks", "cars", "dogs", "eels"])
MEMBERS = st.sampled_from(["user:1", "user:2", "role:a"])
_CLOCK = itertools.count(1_800_000_000)


@dataclass
class Run:
    """What the model knows of a job."""

    id: str
    script: str
    state: str = "STARTING"


@dataclass
class Job:
    """What the model knows of a deployment; its newest run is the last."""

    id: str
    name: str
    script: str
    labels: dict[str, str]
    batch: bool = False
    runs: list[Run] = field(default_factory=list)

    @property
    def live(self) -> list[Run]:
        return [run for run in self.runs if run.state in LIVE]

    @property
    def changed(self) -> bool:
        newest = self.runs[-1:]
        return any(run.state in LIVE and run.script != self.script for run in newest)


class Walk(Nouns):
    """One workspace with two namespaces; every rule asks the API for something and knows the answer."""

    kind: Kind
    folders: Callable[[], Path]

    def __init__(self) -> None:
        super().__init__()
        self.home = self.folders()
        self.url = self.kind.url(self.home)
        self.flink = Eager()
        self.taken = 0
        self.jobs: dict[str, Job] = {}
        """By name, oldest first."""
        self.saved: list[tuple[str, str]] = []
        """Savepoints and their deployments, oldest first."""
        self.members: dict[str, str] = {}
        self.spaces: list[str] = []
        """Namespaces beside the default one."""
        self.open()

    steps: ClassVar[list[int]] = []
    """How long each walk was."""

    @initialize()
    def begin(self) -> None:
        made = self.api.call(
            "CreateInstance",
            InstanceName="main",
            ChargeType="POST",
            VpcId="vpc-1",
            VSwitchIds=["vsw-1"],
            Storage={"Oss": {"Bucket": "bucket"}},
            ResourceSpec={"Cpu": 200, "MemoryGB": 800},
        )
        self.api.instance = made["OrderInfo"]["InstanceId"]
        assert self.api.call("DescribeInstances")["Instances"][0]["ClusterStatus"] == "CREATING"
        blue = {"Namespace": "blue", "ResourceSpec": {"Cpu": 1, "MemoryGB": 4}}
        assert self.api.fails("CreateNamespace", **blue)[1].startswith("expected instance")
        self.settle()
        self.api.workspace = self.api.call("DescribeInstances")["Instances"][0]["ResourceId"]
        made_key = keyring.create(self.store, self.api.services.settings, description="colleague")
        self.other = Key(made_key.id, made_key.secret)

    def open(self) -> None:
        """Start a control plane on the database."""
        before = getattr(self, "api", None)
        settings = Settings(home=self.home, database=self.url)
        self.store = Store.open(self.url)
        key = keyring.root(self.store, settings)
        fleet = Fleet(lambda seat: Eager() if seat.cluster else self.flink)
        bench = Bench(self.store, fleet, self.home / "storage", lambda: next(_CLOCK) * 1000)
        self.loop = Loop(bench, executor=Inline(), minimum=0, policy=Policy(newest=10_000))
        services = Services(store=self.store, runtime=self.flink, settings=settings, clock=lambda: float(next(_CLOCK)))
        self.api = Api(services, Client(build(services)), Key(key.id, key.secret))
        if before:
            self.api.workspace, self.api.instance = before.workspace, before.instance
            self.api._nonces = before._nonces

    def close(self) -> None:
        self.api.client.close()
        self.store.close()

    def teardown(self) -> None:
        self.steps.append(self.taken)
        self.close()

    def settle(self) -> None:
        """Let the reconciler do all there is to do."""
        for _ in range(12):
            if not self.loop.tick():
                break
        for job in self.jobs.values():
            for run in job.runs:
                run.state = {"STARTING": "RUNNING", "CANCELLING": "CANCELLED"}.get(run.state, run.state)
        self.settled()

    def published(self, draft: Draft) -> bool:
        """A draft becomes the deployment that it was before, under its own name, or a new one of that name."""
        found = next((job for job in self.jobs.values() if job.id == draft.made), None)
        if self.jobs.get(draft.name, found) is not found:
            return False
        if found is None:
            self.jobs[draft.name] = Job(draft.made, draft.name, draft.script, {"team": "t0"})
            return True
        self.jobs = {draft.name if one is found else name: one for name, one in self.jobs.items()}
        found.name, found.script, found.labels = draft.name, draft.script, {"team": "t0"}
        return True

    # -- what people ask for

    @rule(name=NAMES, number=st.integers(0, 2), batch=st.booleans())
    def create(self, name: str, number: int, batch: bool) -> None:
        labels = {"team": f"t{number}"}
        mode = "BATCH" if batch and number == 2 else "STREAMING"
        body = deployment(name, labels=labels, executionMode=mode)
        if name in self.jobs:
            assert self.api.fails("CreateDeployment", body)[0] == "OperationConflict"
            return
        made = self.api.call("CreateDeployment", body)["data"]
        script = body["artifact"]["sqlArtifact"]["sqlScript"]
        self.jobs[name] = Job(made["deploymentId"], name, script, labels, batch=mode == "BATCH")

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), number=st.integers(0, 3), new=NAMES)
    def update(self, data: st.DataObject, number: int, new: str) -> None:
        job = self.pick(data)
        script = f"INSERT INTO b SELECT {number} FROM a"  # noqa: S608 -- nobody runs it
        body: dict[str, Any] = {"artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}}}
        if number == 3:
            body = {"name": new, "labels": {"team": "t9"}}
            if new != job.name and new in self.jobs:
                assert self.api.fails("UpdateDeployment", body, deploymentId=job.id)[0] == "OperationConflict"
                return
        self.api.call("UpdateDeployment", body, deploymentId=job.id)
        if number == 3:
            self.jobs = {new if one is job else name: one for name, one in self.jobs.items()}
            job.name, job.labels = new, {"team": "t9"}
        else:
            job.script = script

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        job = self.pick(data)
        if job.live:
            assert self.api.fails("DeleteDeployment", deploymentId=job.id)[0] == "OperationConflict"
            return
        self.api.call("DeleteDeployment", deploymentId=job.id)
        assert self.api.fails("GetDeployment", deploymentId=job.id)[0] == "990301"
        del self.jobs[job.name]
        self.saved = [one for one in self.saved if one[1] != job.id]

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), look=st.booleans())
    def start(self, data: st.DataObject, look: bool) -> None:
        job = self.pick(data)
        body = {"deploymentId": job.id, "restoreStrategy": {"kind": "NONE"}}
        if job.live and not job.batch:
            assert self.api.fails("StartJob", body)[0] == "OperationConflict"
            return
        made = self.api.call("StartJob", body)["data"]
        assert made["status"]["currentJobStatus"] == "STARTING"
        job.runs.append(Run(made["jobId"], job.script))
        if look:
            self.settle()

    @precondition(lambda self: any(job.live for job in self.jobs.values()))
    @rule(data=st.data(), save=st.booleans(), look=st.booleans())
    def stop(self, data: st.DataObject, save: bool, look: bool) -> None:
        job, run = self.running(data)
        if save:
            self.settle()  # a job that was not handed over yet has nothing to save
        if run.state not in LIVE:  # it was on its way to its end
            assert self.api.fails("StopJob", {"stopStrategy": "NONE"}, jobId=run.id)[0] == "OperationConflict"
            return
        strategy = "STOP_WITH_SAVEPOINT" if save and run.state == "RUNNING" else "NONE"
        before = run.state
        self.api.call("StopJob", {"stopStrategy": strategy}, jobId=run.id)
        run.state = "CANCELLING"
        if strategy != "NONE" and before == "RUNNING":
            self.settle()
            newest = self.api.call("ListSavepoints", pageSize=1)["data"][0]
            assert (newest["jobId"], newest["status"]["state"]) == (run.id, "COMPLETED")
            self.saved.append((newest["savepointId"], job.id))
        elif look:
            self.settle()

    @precondition(lambda self: any(job.runs for job in self.jobs.values()))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from([one for one in self.jobs.values() if one.runs]))
        run = data.draw(st.sampled_from(job.runs))
        if run.state in LIVE:
            assert self.api.fails("DeleteJob", jobId=run.id)[0] == "OperationConflict"
            return
        self.api.call("DeleteJob", jobId=run.id)
        assert self.api.fails("GetJob", jobId=run.id)[0] == "990301"
        job.runs.remove(run)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def save(self, data: st.DataObject) -> None:
        job = self.pick(data)
        self.settle()
        body = {"deploymentId": job.id, "description": "mine"}
        if not job.live:
            assert self.api.fails("CreateSavepoint", body)[0] == "OperationConflict"
            return
        made = self.api.call("CreateSavepoint", body)["data"]
        self.settle()
        found = self.api.call("GetSavepoint", savepointId=made["savepointId"])["data"]
        assert found["status"]["state"] == "COMPLETED"
        self.saved.append((made["savepointId"], job.id))

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.saved))
        self.api.call("DeleteSavepoint", savepointId=one[0])
        assert self.api.fails("GetSavepoint", savepointId=one[0])[0] == "990301"
        self.saved.remove(one)

    @rule(member=MEMBERS, role=st.sampled_from(["VIEWER", "EDITOR", "ADMIN"]))
    def admit(self, member: str, role: str) -> None:
        body = {"member": member, "role": role}
        if member in self.members:
            self.api.call("UpdateMember", body)
        else:
            self.api.call("CreateMember", body)
        self.members[member] = role

    @rule(member=MEMBERS)
    def dismiss(self, member: str) -> None:
        if member in self.members:
            self.api.call("DeleteMember", member=member)
            del self.members[member]
        else:
            assert self.api.fails("GetMember", member=member)[0] == "990301"

    @rule(name=st.sampled_from(["blue", "red"]), go=st.booleans())
    def namespace(self, name: str, go: bool) -> None:
        if go and name not in self.spaces:
            self.api.call("CreateNamespace", Namespace=name, ResourceSpec={"Cpu": 1, "MemoryGB": 4})
            self.spaces.append(name)
        elif not go and name in self.spaces:
            self.api.call("DeleteNamespace", Namespace=name)
            self.spaces.remove(name)
        elif not go:
            self.api.fails("DeleteNamespace", Namespace=name)
        self.settle()
        if not go and any(self.jobs):
            assert self.api.fails("DeleteNamespace", Namespace=self.api.namespace)[0] == "OperationConflict"

    # -- what befalls it

    @rule()
    def look(self) -> None:
        self.settle()

    @rule(flink=st.booleans())
    def restart(self, flink: bool) -> None:
        """The control plane is killed, and Flink with it or not; another one starts on the same database."""
        self.close()
        if flink:
            self.flink.crash()
        self.open()
        with suppress(StopIteration):
            self.settle()

    # -- what must be seen

    @invariant()
    def agrees(self) -> None:
        self.taken += 1
        if not self.api.workspace:
            return
        listed = self.api.call("ListDeployments", pageSize=100)
        assert listed["totalSize"] == len(self.jobs)
        assert [one["deploymentId"] for one in listed["data"]] == [job.id for job in reversed(self.jobs.values())]
        for shown, job in zip(listed["data"], reversed(self.jobs.values()), strict=True):
            self.same(shown, job)
        members = {one["member"]: one["role"] for one in self.api.call("ListMembers", pageSize=100)["data"]}
        assert members == self.members
        kept = {one["savepointId"] for one in self.api.call("ListSavepoints", pageSize=100)["data"]}
        assert {one for one, _ in self.saved} <= kept

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), size=st.integers(1, 3))
    def inspect(self, data: st.DataObject, size: int) -> None:
        """Pages, filters and single reads say what the whole list says."""
        job = self.pick(data)
        self.same(self.api.call("GetDeployment", deploymentId=job.id)["data"], job)
        runs = [run.id for run in reversed(job.runs)]
        paged = [
            one["jobId"]
            for page in range(1, len(runs) // size + 2)
            for one in self.api.call("ListJobs", deploymentId=job.id, pageSize=size, pageIndex=page)["data"]
        ]
        assert paged == runs
        labelled = self.api.call("ListDeployments", labelKey="team", labelValueArray=job.labels["team"], pageSize=100)
        expected = [one.id for one in reversed(self.jobs.values()) if one.labels == job.labels]
        assert [one["deploymentId"] for one in labelled["data"]] == expected
        named = self.api.call("GetDeploymentsByName", deploymentName=job.name)["data"]
        assert [one["deploymentId"] for one in named] == [job.id]
        told = self.api.call("GetEvents", deploymentId=job.id, pageSize=100)
        if told["totalSize"] <= 100:
            assert told["data"][-1]["eventName"] == "DEPLOYMENT_CREATED"
        part = self.api.call("ListDeployments", name=job.name[1:], pageSize=100)["data"]
        assert {one["name"] for one in part} == {name for name in self.jobs if job.name[1:] in name}

    def same(self, shown: dict[str, Any], job: Job) -> None:
        assert shown["name"] == job.name
        assert shown["labels"] == job.labels
        assert shown["artifact"]["sqlArtifact"]["sqlScript"] == job.script
        counts = {state.lower(): 0 for state in (*LIVE, "FAILED", "CANCELLED", "FINISHED")}
        for run in job.runs:
            counts[run.state.lower()] += 1
        assert shown["jobSummary"] == counts
        assert shown["deploymentHasChanged"] == job.changed

    def pick(self, data: st.DataObject) -> Job:
        return data.draw(st.sampled_from(list(self.jobs.values())))

    def running(self, data: st.DataObject) -> tuple[Job, Run]:
        job = data.draw(st.sampled_from([one for one in self.jobs.values() if one.live]))
        return job, data.draw(st.sampled_from(job.live))
