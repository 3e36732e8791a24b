"""What a walk does with the nouns beside members, jobs and savepoints, and what a model says must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flinkform.openapi.signature import Key
from tests.contract.served import until
from tests.unit.controlplane.api.world import Api

TWO = st.sampled_from(["one", "two"])
ROOT = "root"
UP = ("STARTING", "RUNNING")


@dataclass
class Folder:
    """What the model knows of a folder."""

    name: str
    parent: str


@dataclass
class Draft:
    """What the model knows of a draft; *made* is the deployment that it became."""

    name: str
    script: str
    made: str = ""


class Nouns(RuleBasedStateMachine):
    """The rules; what is below namespaces is in the default one."""

    api: Api
    other: Key
    """The key of a colleague."""
    settle: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self.resizing = False
        self.variables: dict[str, str] = {}
        self.targets: dict[str, float] = {}
        self.tree: dict[str, Folder] = {}
        self.clusters: dict[str, str] = {}
        self.drafts: dict[str, Draft] = {}
        self.drafted = 0

    def settled(self) -> None:
        """What the reconciler leads on has come to where it shall be."""
        self.resizing = False
        next_: dict[str, str] = {"STARTING": "RUNNING", "UPDATING": "RUNNING", "STOPPING": "STOPPED"}
        self.clusters = {name: next_.get(state, state) for name, state in self.clusters.items()}

    def published(self, draft: Draft) -> bool:
        """Tell the model of jobs what a draft is about to become; False if that cannot be."""
        raise NotImplementedError

    @rule(cpu=st.integers(200, 210))
    def resize(self, cpu: int) -> None:
        if self.resizing:
            assert self.api.fails("ModifyInstanceSpec", ResourceSpec={"Cpu": cpu, "MemoryGB": cpu * 4})
            return
        self.api.call("ModifyInstanceSpec", ResourceSpec={"Cpu": cpu, "MemoryGB": cpu * 4})
        self.resizing = True
        found = self.api.call("DescribeInstances")["Instances"][0]
        assert (found["ClusterStatus"], found["ResourceSpec"]["Cpu"]) == ("MODIFYING", cpu)

    @rule(name=TWO, value=st.text("ab é", max_size=3), go=st.booleans())
    def variable(self, name: str, value: str, go: bool) -> None:
        body = {"name": name, "kind": "Clear", "value": value or "x"}
        if go:
            self.api.call("DeleteVariable", name=name) if name in self.variables else self._gone("DeleteVariable", name)
            self.variables.pop(name, None)
            return
        if name in self.variables:
            assert self.api.fails("CreateVariable", body)[0] == "OperationConflict"
            self.api.call("UpdateVariable", body, name=name)
        else:
            self.api.call("CreateVariable", body)
        self.variables[name] = body["value"]

    def _gone(self, operation: str, name: str) -> None:
        assert self.api.fails(operation, name=name)[0] == "990301"

    @rule(name=TWO, cpu=st.integers(1, 4), go=st.booleans())
    def target(self, name: str, cpu: int, go: bool) -> None:
        body, params = {"cpu": float(cpu), "memory": f"{cpu * 4}Gi"}, {"deploymentTargetName": name}
        if go and name in self.targets:
            self.api.call("DeleteDeploymentTarget", **params)
            del self.targets[name]
        elif go:
            assert self.api.fails("DeleteDeploymentTarget", **params)[0] == "990301"
        else:
            self.api.call(f"{'Update' if name in self.targets else 'Create'}DeploymentTarget", body, **params)
            self.targets[name] = float(cpu)

    @rule(data=st.data(), name=TWO)
    def folder(self, data: st.DataObject, name: str) -> None:
        parent = data.draw(st.sampled_from([ROOT, *self.tree]))
        body = {"name": name, "parentId": parent}
        if any((one.name, one.parent) == (name, parent) for one in self.tree.values()):
            assert self.api.fails("CreateFolder", body)[0] == "OperationConflict"
            return
        self.tree[self.api.call("CreateFolder", body)["data"]["folderId"]] = Folder(name, parent)

    @precondition(lambda self: self.tree)
    @rule(data=st.data())
    def unfold(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(list(self.tree)))
        if self._inside(one):
            assert self.api.fails("DeleteFolder", folderId=one)[0] == "OperationConflict"
            return
        self.api.call("DeleteFolder", folderId=one)
        del self.tree[one]

    def _inside(self, folder: str) -> set[str]:
        return {one for one, found in self.tree.items() if found.parent == folder}

    @rule(name=TWO)
    def cluster(self, name: str) -> None:
        body = {"name": name, "deploymentTargetName": "default-queue"}
        if name in self.clusters:
            assert self.api.fails("CreateSessionCluster", body)[0] == "OperationConflict"
            return
        self.api.call("CreateSessionCluster", body)
        self.clusters[name] = "STOPPED"

    @precondition(lambda self: self.clusters)
    @rule(data=st.data(), verb=st.sampled_from(["Start", "Stop", "Update", "Delete"]), look=st.booleans())
    def turn(self, data: st.DataObject, verb: str, look: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.clusters)))
        state, params = self.clusters[name], {"sessionClusterName": name}
        operation, body = (
            f"{verb}SessionCluster",
            {"flinkConf": {"a": str(len(self.drafts))}} if verb == "Update" else None,
        )
        allowed = {"Start": ("STOPPED",), "Stop": UP, "Update": ("STOPPED", "RUNNING"), "Delete": ("STOPPED",)}[verb]
        shown = self.api.call("GetSessionCluster", **params)["data"]
        if verb == "Update" and shown.get("flinkConf") == (body or {}).get("flinkConf"):
            allowed = (state,)  # what changes nothing is always possible
        if state not in allowed:
            assert self.api.fails(operation, body, **params)[0] == "OperationConflict"
            return
        self.api.call(operation, body, **params)
        if verb == "Delete":
            del self.clusters[name]
        elif verb != "Update":
            self.clusters[name] = {"Start": "STARTING", "Stop": "STOPPING"}[verb]
        elif allowed != (state,) and state == "RUNNING":
            self.clusters[name] = "UPDATING"
        if look:
            self.settle()

    @rule(number=st.integers(0, 2))
    def draft(self, number: int) -> None:
        self.drafted += 1
        name, script = f"draft-{self.drafted}", f"INSERT INTO b SELECT {number} FROM a"  # noqa: S608
        body = {"name": name, "labels": {"team": "t0"}, "artifact": {"sqlArtifact": {"sqlScript": script}}}
        made = self.api.call("CreateDeploymentDraft", body)["data"]
        self.drafts[made["deploymentDraftId"]] = Draft(name, script)

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), number=st.integers(3, 5))
    def edit(self, data: st.DataObject, number: int) -> None:
        """Who edits has the lock: nobody else may."""
        one = data.draw(st.sampled_from(list(self.drafts)))
        script = f"INSERT INTO b SELECT {number} FROM a"  # noqa: S608
        body = {"artifact": {"sqlArtifact": {"sqlScript": script}}}
        held = self.api.call("GetDeploymentDraftLock", deploymentDraftId=one)["data"]
        assert held["holderId"] == self.api.key.id
        mine, self.api.key = self.api.key, self.other
        assert self.api.fails("UpdateDeploymentDraft", body, deploymentDraftId=one)[0] == "OperationConflict"
        assert self.api.fails("GetDeploymentDraftLock", deploymentDraftId=one)[0] == "OperationConflict"
        self.api.key = mine
        self.api.call("UpdateDeploymentDraft", body, deploymentDraftId=one)
        self.drafts[one].script = script

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), verb=st.sampled_from(["Validate", "Deploy"]))
    def publish(self, data: st.DataObject, verb: str) -> None:
        one = data.draw(st.sampled_from(list(self.drafts)))
        ticket = self.api.call(f"{verb}DeploymentDraftAsync", {"deploymentDraftId": one})["data"]["ticketId"]
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(self.api.call(f"Get{verb}DeploymentDraftResult", ticketId=ticket)["data"])
            return bool(found["ticketStatus"] != "EXECUTING")

        until(ended, "the ticket")
        if verb == "Validate":
            assert found["ticketStatus"] == "FINISHED"
            return
        before = self.drafts[one].made
        if found["success"]:
            self.drafts[one].made = found["deploymentId"]
        assert found["success"] is self.published(self.drafts[one]), (found, before)

    @precondition(lambda self: self.drafts)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(list(self.drafts)))
        self.api.call("DeleteDeploymentDraft", deploymentDraftId=one)
        assert self.api.fails("GetDeploymentDraft", deploymentDraftId=one)[0] == "990301"
        del self.drafts[one]

    @invariant()
    def nouns_agree(self) -> None:
        if not self.api.workspace:
            return
        listed = self.api.call("ListVariables", pageSize=100)["data"]
        assert {one["name"]: one["value"] for one in listed} == self.variables
        targets = self.api.call("ListDeploymentTargets", pageSize=100)["data"]
        assert {one["name"]: one["quota"]["limit"]["cpu"] for one in targets[1:]} == self.targets
        for folder in (ROOT, *self.tree):
            shown = self.api.call("GetFolder", folderId=folder)["data"]
            assert {one["folderId"] for one in shown["subFolder"]} == self._inside(folder)
        clusters = self.api.call("ListSessionClusters")["data"]
        states = {one["name"]: one["status"]["currentSessionClusterStatus"] for one in clusters}
        assert states == self.clusters
        drafts = self.api.call("ListDeploymentDrafts", pageSize=100)["data"]
        shown_drafts = {one["deploymentDraftId"]: one["artifact"]["sqlArtifact"]["sqlScript"] for one in drafts}
        assert shown_drafts == {one: draft.script for one, draft in self.drafts.items()}
