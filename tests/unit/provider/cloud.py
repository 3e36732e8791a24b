"""The API in memory, as far as the provider uses it, with the failures a test wants; no HTTP, no time."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from flinkform.errors import Conflict, FlinkformError, NotFound, Refused, Unavailable
from flinkform.openapi.operation import operation
from flinkform.openapi.request import build

Params = Mapping[str, Any]
STARTING, RUNNING, CANCELLING, CANCELLED = "STARTING", "RUNNING", "CANCELLING", "CANCELLED"


@dataclass
class Cloud:
    """One region. A job starts in *start_looks* looks at it, unless its deployment's name is in *broken*."""

    start_looks: int = 2
    broken: dict[str, str] = field(default_factory=dict)
    """Name of a deployment, and why its jobs fail."""
    stubborn: set[str] = field(default_factory=set)
    """Names of deployments whose savepoints fail."""
    cold: dict[str, str] = field(default_factory=dict)
    """Names of deployments whose jobs cannot change their parallelism now, and why."""
    listens: bool = False
    """Whether jobs that run take up other log levels at once."""
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)
    definitions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Those that a deployment ever had: one that is put back is the revision that it was."""
    lost: Counter[str] = field(default_factory=Counter)
    """Operations that are carried out and whose answer does not arrive, so many times."""
    down: set[str] = field(default_factory=set)
    """Operations that cannot be called."""
    refused: dict[str, FlinkformError] = field(default_factory=dict)
    """Operations that are turned away, and how."""
    ignored: set[str] = field(default_factory=set)
    """Fields of a deployment that an update silently keeps."""
    wrong: dict[str, str] = field(default_factory=dict)
    """A script, and what is wrong with it."""
    verdicts: dict[str, dict[str, Any]] | None = field(default_factory=dict)
    """A script, and what an edit to it does to state, `same` if it is not here; `None` for an API that cannot tell."""
    unfit: dict[str, str] = field(default_factory=dict)
    """A script, and why no state that another one left can be taken over by it."""
    calls: Counter[str] = field(default_factory=Counter)
    said: list[tuple[str, Any]] = field(default_factory=list)
    """Every call that changes something, with its body or parameters."""
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    namespaces: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    savepoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    proposed: Any = None
    """The update that a verdict was asked about last."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What was uploaded, by name."""
    number: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: Any = field(default_factory=Lock)

    def call(self, name: str, params: Params | None = None, body: Any = None) -> dict[str, Any]:
        """Answer one operation, as the client would."""
        given = {"Region": "r", **(params or {})} if "Region" in operation(name).fields else dict(params or {})
        build(operation(name), given, body)
        with self.lock:
            return self._answer(name, given, body)

    def _answer(self, name: str, params: Params, body: Any) -> dict[str, Any]:
        self.calls[name] += 1
        if name in self.down:
            raise Unavailable(f"cannot connect for {name}")
        if name in self.refused:
            raise self.refused[name]
        if not name.startswith(("Get", "List", "Describe", "Validate")):
            self.said.append((name, deepcopy(body) if body is not None else dict(params)))
        answer = getattr(self, f"_{name}")(params, deepcopy(body))
        if self.lost[name]:
            self.lost[name] -= 1
            raise Unavailable(f"{name}: no answer")
        found = deepcopy(answer)
        return found if "InstanceId" in operation(name).fields or not operation(name).data else {"data": found}

    def pages(self, name: str, params: Params | None = None, *, items: str = "data", size: int = 100) -> Iterator[Any]:
        """Yield what an operation lists, a call a page."""
        found = self.call(name, params)[items]
        with self.lock:
            self.calls[name] += max(0, -(-len(found) // size) - 1)
        yield from found

    def put(self, url: str, body: bytes) -> None:
        """Take a file."""
        self.said.append(("PUT", url))
        self.files[url.removeprefix("https://store/")] = body

    def _GetPreSignedUrlForPutObject(self, params: Params, _: Any) -> Any:  # noqa: N802
        name = params["fileName"]
        return {"jarUrl": f"oss://bucket/{name}", "preSignedUrl": f"https://store/{name}"}

    # The console.

    def _CreateInstance(self, params: Params, _: Any) -> Any:  # noqa: N802
        key = f"f-{next(self.number)}"
        told = {"Tags": params.get("Tag", []), **{k: v for k, v in params.items() if k not in ("Region", "Tag")}}
        self.instances[key] = {**told, "InstanceId": key, "ResourceId": f"w-{key}", "ClusterStatus": "CREATING"}
        return {"OrderInfo": {"InstanceId": key}}

    def _DescribeInstances(self, params: Params, _: Any) -> Any:  # noqa: N802
        found = [i for i in self.instances.values() if params.get("InstanceId", i["InstanceId"]) == i["InstanceId"]]
        told = deepcopy(found)
        _advance(found, "ClusterStatus", "RUNNING")
        return {"Instances": told}

    def _ModifyInstanceSpec(self, params: Params, _: Any) -> Any:  # noqa: N802
        one = self.instances[params["InstanceId"]]
        one.update(ResourceSpec=params["ResourceSpec"], ClusterStatus="MODIFYING")
        return {}

    def _DeleteInstance(self, params: Params, _: Any) -> Any:  # noqa: N802
        if self.instances.pop(params["InstanceId"], None) is None:
            raise NotFound("no such instance")
        return {}

    def _CreateNamespace(self, params: Params, _: Any) -> Any:  # noqa: N802
        key = (params["InstanceId"], params["Namespace"])
        if key in self.namespaces:
            raise Conflict("namespace exists")
        told = {k: params[k] for k in ("Namespace", "ResourceSpec", "Ha") if k in params}
        self.namespaces[key] = {**told, "Status": "CREATING"}
        return {}

    def _DescribeNamespaces(self, params: Params, _: Any) -> Any:  # noqa: N802
        # The filter is fuzzy, as the documentation of the public service leaves open.
        wanted = params.get("Namespace", "")
        found = [n for (i, name), n in self.namespaces.items() if i == params["InstanceId"] and wanted in name]
        told = deepcopy(found)
        _advance(found, "Status", "SUCCESS")
        return {"Namespaces": told}

    def _ModifyNamespaceSpecV2(self, params: Params, _: Any) -> Any:  # noqa: N802
        one = self.namespaces[params["InstanceId"], params["Namespace"]]
        one.update(Status="MODIFYING")
        if "GuaranteedResourceSpec" not in self.ignored:
            one.update(ResourceSpec=params["GuaranteedResourceSpec"])
        return {}

    def _DeleteNamespace(self, params: Params, _: Any) -> Any:  # noqa: N802
        if self.namespaces.pop((params["InstanceId"], params["Namespace"]), None) is None:
            raise NotFound("no such namespace")
        return {}

    # Deployments and their jobs.

    def _ValidateSqlStatement(self, _: Params, body: Any) -> Any:  # noqa: N802
        if reason := self.wrong.get(body["statement"]):
            details = {"lineNumber": "3", "columnNumber": "7", "message": reason}
            return {"success": False, "errorDetails": details, "message": reason}
        return {"success": True}

    def _GetStateVerdict(self, params: Params, body: Any) -> Any:  # noqa: N802
        self._deployment(params)
        self.proposed = body
        if self.verdicts is None:
            raise refusal("InvalidAction.NotFound", 404)
        text = body.get("artifact", {}).get("sqlArtifact", {}).get("sqlScript", "")
        if reason := self.wrong.get(text):
            raise refusal("InvalidParameter", 200, f"the script is not valid: line 3, column 7: {reason}")
        return self.verdicts.get(text, {"verdict": "same", "summary": "", "operators": []})

    def _CreateDeployment(self, params: Params, body: Any) -> Any:  # noqa: N802
        if any(d["name"] == body["name"] for d in self.deployments.values()):
            raise Conflict(f"the name {body['name']} is taken")
        key = f"d-{next(self.number)}"
        body.setdefault("engineVersion", "vvr-1")
        self.deployments[key] = {**body, **_scope(params), "deploymentId": key, "revision": 1}
        self.definitions[key] = [_definition(self.deployments[key])]
        return self._shown(key)

    def _UpdateDeployment(self, params: Params, body: Any) -> Any:  # noqa: N802
        one = self._deployment(params)
        before = _definition(one)
        for name, value in body.items():
            if name not in self.ignored:
                one[name] = _merged(one.get(name), value) if name not in ("labels", "flinkConf") else value
        if before != _definition(one):
            known = self.definitions[one["deploymentId"]]
            if _definition(one) not in known:
                known.append(_definition(one))
            one["revision"] = known.index(_definition(one)) + 1
        if self.listens and {**before, "logging": None} == {**_definition(one), "logging": None}:
            for job in self._of(one["deploymentId"]):
                job["revision"] = one["revision"]
        return self._shown(one["deploymentId"])

    def _GetDeployment(self, params: Params, _: Any) -> Any:  # noqa: N802
        return self._shown(self._deployment(params)["deploymentId"])

    def _ListDeployments(self, params: Params, _: Any) -> Any:  # noqa: N802
        found = [d for d in self.deployments.values() if _scope(d) == _scope(params)]
        named = [d for d in found if params.get("name", "") in d["name"]]
        return [self._shown(d["deploymentId"]) for d in named]

    def _DeleteDeployment(self, params: Params, _: Any) -> Any:  # noqa: N802
        one = self._deployment(params)
        if any(_status(j) in (STARTING, RUNNING, CANCELLING) for j in self._of(one["deploymentId"])):
            raise Conflict("a job has not ended")
        del self.deployments[one["deploymentId"]]
        return {}

    def _ListJobs(self, params: Params, _: Any) -> Any:  # noqa: N802
        found = [self._looked(j) for j in self._of(params["deploymentId"])]
        return found[::-1]

    def _GetJob(self, params: Params, _: Any) -> Any:  # noqa: N802
        return self._looked(self.jobs[params["jobId"]])

    def _StartJob(self, _: Params, body: Any) -> Any:  # noqa: N802
        one = self.deployments[body["deploymentId"]]
        key = f"j-{next(self.number)}"
        self.jobs[key] = {
            "jobId": key,
            "deploymentId": one["deploymentId"],
            "createdAt": str(next(self.number)),
            "revision": one["revision"],
            "looks": 0,
            "restoreStrategy": body["restoreStrategy"],
            "script": one["artifact"].get("sqlArtifact", {}).get("sqlScript", ""),
            "status": {"currentJobStatus": STARTING},
        }
        return self.jobs[key]

    def _StopJob(self, params: Params, body: Any) -> Any:  # noqa: N802
        job = self.jobs[params["jobId"]]
        one = self.deployments[job["deploymentId"]]
        if body["stopStrategy"] == "STOP_WITH_SAVEPOINT":
            if _status(job) != RUNNING:
                raise Conflict(f"job is {_status(job)}")
            key = f"s-{next(self.number)}"
            state: dict[str, Any] = {"state": "COMPLETED"}
            if one["name"] in self.stubborn:
                state = {"state": "FAILED", "failure": {"message": "checkpoint declined"}}
            self.savepoints[key] = {"savepointId": key, "deploymentId": one["deploymentId"], "status": state}
            if one["name"] in self.stubborn:
                return job
        job["status"]["currentJobStatus"] = CANCELLING
        return job

    def _HotUpdateJob(self, params: Params, _: Any) -> Any:  # noqa: N802
        job = self.jobs[params["jobId"]]
        one = self.deployments[job["deploymentId"]]
        status: dict[str, Any] = {"status": "HOT_UPDATING"}
        if reason := self.cold.get(one["name"]):
            status = {"status": "HOT_UPDATE_FAILED", "failure": {"message": reason}}
        else:
            job["revision"] = one["revision"]
        self.updates[params["jobId"]] = {"jobHotUpdateId": params["jobId"], "status": status}
        return self.updates[params["jobId"]]

    def _GetHotUpdateJobResult(self, params: Params, _: Any) -> Any:  # noqa: N802
        found = self.updates[params["jobHotUpdateId"]]
        told = deepcopy(found)
        if found["status"]["status"] == "HOT_UPDATING":
            found["status"]["status"] = "HOT_UPDATED"
        return told

    def _ListSavepoints(self, params: Params, _: Any) -> Any:  # noqa: N802
        wanted = params.get("deploymentId")
        found = [s for s in self.savepoints.values() if wanted in (None, s["deploymentId"])]
        return found[::-1]

    def _GetJobDiagnosis(self, _: Params, __: Any) -> Any:  # noqa: N802
        symptom = {"name": "SLOT_SHORTAGE", "description": "no slots are free", "recommendation": "add some"}
        return {"symptoms": {"startup": [symptom], "others": []}}

    def _GetLatestJobStartLog(self, _: Params, __: Any) -> Any:  # noqa: N802
        return "\n".join(f"log line {n}" for n in range(100))

    def _ListEngineVersionMetadata(self, _: Params, __: Any) -> Any:  # noqa: N802
        return {
            "defaultEngineVersion": "vvr-1",
            "engineVersionMetadata": [{"engineVersion": "vvr-1", "status": "STABLE"}],
        }

    # What a test does behind the provider's back.

    def kill(self, name: str, status: str = "FAILED") -> None:
        """End the running job of a deployment."""
        job = self.job(name)
        job["status"] = {"currentJobStatus": status, "failure": {"reason": "killed", "message": "by the test"}}

    def job(self, name: str) -> dict[str, Any]:
        """Return the newest job of the deployment called *name*."""
        return self._of(self.named(name)["deploymentId"])[-1]

    def named(self, name: str) -> dict[str, Any]:
        """Return the deployment called *name*."""
        return next(d for d in self.deployments.values() if d["name"] == name)

    def changes(self) -> list[str]:
        """Return the names of the calls that changed something, and forget them."""
        names = [name for name, _ in self.said]
        self.said.clear()
        return names

    def _deployment(self, params: Params) -> dict[str, Any]:
        one = self.deployments.get(params["deploymentId"])
        if one is None or _scope(one) != _scope(params):
            raise NotFound("no such deployment")
        return one

    def _of(self, key: str) -> list[dict[str, Any]]:
        return [j for j in self.jobs.values() if j["deploymentId"] == key]

    def _looked(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a job as it is now, and let it get on."""
        job["looks"] += 1
        name = self.deployments[job["deploymentId"]]["name"]
        if _status(job) == CANCELLING:
            told = deepcopy(job)
            job["status"]["currentJobStatus"] = CANCELLED
            return told
        if _status(job) == STARTING and job["looks"] >= self.start_looks:
            failure = {"reason": "JOB_FAILED", "message": self.broken.get(name)}
            job["status"] = {"currentJobStatus": RUNNING}
            reason = self.unfit.get(job["script"])
            if reason and not _tolerant(job["restoreStrategy"]):
                job["status"] = {"currentJobStatus": "FAILED", "failure": {"reason": reason, "message": reason}}
            elif name in self.broken:
                job["status"] = {"currentJobStatus": "FAILED", "failure": failure}
            elif self.deployments[job["deploymentId"]].get("executionMode") == "BATCH":
                job["status"] = {"currentJobStatus": "FINISHED"}
        return job

    def _shown(self, key: str) -> dict[str, Any]:
        one, jobs = self.deployments[key], self._of(key)
        live = [j for j in jobs if _status(j) in (STARTING, RUNNING, CANCELLING)]
        summary = Counter(_status(j).lower() for j in jobs)
        changed = any(j["revision"] != one["revision"] for j in live)
        return {**one, "jobSummary": dict(summary), "deploymentHasChanged": changed}


def failing(error: FlinkformError) -> Callable[..., Any]:
    """Return a function that raises *error*."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def refusal(code: str, status: int, message: str = "no such operation") -> Refused:
    """Return what a client raises for an answer that is an error."""
    return Refused(message, operation="", code=code, status=status, request_id="r")


def _tolerant(restore: Mapping[str, Any]) -> bool:
    return bool(restore.get("allowNonRestoredState")) or restore["kind"] == "NONE"


def _advance(found: list[dict[str, Any]], field_: str, done: str) -> None:
    for one in found:
        one[field_] = done


def _status(job: Mapping[str, Any]) -> str:
    return str(job["status"]["currentJobStatus"])


def _scope(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"workspace": values["workspace"], "namespace": values["namespace"]}


def _merged(old: Any, new: Any) -> Any:
    """Merge a partial update field by field; maps and lists are replaced."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}


def _definition(one: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("artifact", "deploymentTarget", "engineVersion", "flinkConf", "logging", "streamingResourceSetting")
    return deepcopy({name: one.get(name) for name in kept})
