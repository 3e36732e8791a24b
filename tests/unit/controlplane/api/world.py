"""A control plane without a process: the application in memory, a Flink that only answers, requests signed by hand."""

# ruff: noqa: ARG002  the protocol says what it is called with

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from flinkform.controlplane.api import shape
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.store import instances, namespaces, runs, savepoints
from flinkform.controlplane.store.database import Store
from flinkform.errors import FlinkformError, Unavailable
from flinkform.flink.plan import Plan
from flinkform.flink.rest import Page, Rest
from flinkform.flink.values import Problem
from flinkform.openapi import request, signature
from flinkform.openapi.operation import operation

REGION = "cn-hangzhou"
HOST = "127.0.0.1:8711"


@dataclass
class Flink:
    """What a test sets is what the control plane is told."""

    alive: bool = True
    silent: str = ""
    adaptive: bool = True
    rest_url: str = ""
    said: str = ""
    path: Path | None = None
    problems: list[Problem] = field(default_factory=list)
    validated: list[tuple[str, bool, dict[str, str]]] = field(default_factory=list)
    plans: dict[str, Plan | FlinkformError] = field(default_factory=dict)
    """What each script compiles to."""
    woken: int = 0
    """How often the reconciler was told to look."""

    def wake(self) -> None:
        self.woken += 1

    @property
    def rest(self) -> str:
        if not self.rest_url:
            raise Unavailable("Flink does not run")
        return self.rest_url

    def page(self, path: str) -> Page:
        with closing(Rest(self.rest, timeout=10)) as rest:
            return rest.page(path)

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        self.validated.append((script, batch, dict(options)))
        return self.problems

    def compile(self, script: str, options: Mapping[str, str], *, name: str, batch: bool) -> Plan | None:
        found = self.plans.get(script)
        if isinstance(found, FlinkformError):
            raise found
        return found

    def log_path(self, job_id: str) -> Path | None:
        return self.path

    def log(self, job_id: str, *, tail: int = 65536) -> str:
        return self.said[-tail:] if tail else ""


@dataclass
class Clock:
    """Seconds since the epoch, moved by the test alone."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """Sends requests to the application as a server on this machine would, one after the other."""

    def __init__(self, app: Starlette, *, host: str = HOST, peer: str = "127.0.0.1") -> None:
        self._loop = asyncio.Runner()
        transport = httpx.ASGITransport(app=app, client=(peer, 40000))
        self._http = httpx.AsyncClient(transport=transport, base_url=f"http://{host}")

    def request(self, method: str, target: str, **given: Any) -> httpx.Response:
        return self._loop.run(self._http.request(method, target, **given))

    def beside(
        self, work: Callable[[], Awaitable[None]], method: str, target: str, key: signature.Key
    ) -> httpx.Response:
        """Return the answer to a request that is open while *work* is done."""

        async def both() -> httpx.Response:
            asked = asyncio.ensure_future(self._http.request(method, target, auth=(key.id, key.secret)))
            await work()
            return await asked

        return self._loop.run(both())

    def close(self) -> None:
        self._loop.run(self._http.aclose())
        self._loop.close()


class Api:
    """Calls operations as a client would, and holds every answer against the API's models."""

    def __init__(self, services: Services, client: Client, key: signature.Key) -> None:
        self.services = services
        self.client = client
        self.key = key
        self.workspace = ""
        self.instance = ""
        self.namespace = "main-default"
        self._nonces = itertools.count()

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def now(self) -> int:
        return self.services.now

    def send(
        self, name: str, params: Mapping[str, Any], body: Any = None, **changed: Any
    ) -> tuple[int, dict[str, Any]]:
        """Return status and body; *changed* spoils the signing: key, now, nonce, content, target, headers."""
        built = request.build(operation(name), params, body)
        headers = signature.sign(
            built,
            changed.get("key", self.key),
            host=HOST,
            now=changed.get("now", self.services.clock()),
            nonce=changed.get("nonce", f"nonce-{next(self._nonces)}"),
        )
        answer = self.client.request(
            built.method,
            changed.get("target", built.target),
            content=changed.get("content", built.body),
            headers={**headers, **changed.get("headers", {})},
        )
        found: dict[str, Any] = answer.json()
        assert answer.headers["x-acs-request-id"] == found.get("requestId", found.get("RequestId"))
        return answer.status_code, found

    def call(self, name: str, body: Any = None, /, **params: Any) -> dict[str, Any]:
        """Return the answer of an operation that succeeds, every field of which has the type of the API's model."""
        status, answer = self.send(name, self.filled(name, params), body)
        assert status == 200, answer
        assert answer.get("success", answer.get("Success")) is True, answer
        for one in operation(name).answer:
            if answer.get(one.name) is not None:
                shape.check(answer[one.name], one.type, operation(name).product, at=(one.name,))
        return answer

    def fails(self, name: str, body: Any = None, /, **params: Any) -> tuple[str, str]:
        """Return code and message of an operation that fails, through whichever channel is right for it."""
        status, answer = self.send(name, self.filled(name, params), body)
        if status == 200:
            assert answer["success"] is False, answer
            assert not operation(name).rpc
            return answer["errorCode"], answer["errorMessage"]
        assert set(answer) == {"RequestId", "HostId", "Code", "Message"}
        return answer["Code"], answer["Message"]

    def fails_denied(self, name: str, body: Any = None, /, **params: Any) -> str:
        """Return the action that the refusal of an operation names as lacking."""
        status, answer = self.send(name, self.filled(name, params), body)
        assert (status, answer["Code"]) == (403, "Forbidden.RAM"), answer
        return str(answer["AccessDeniedDetail"]["AuthAction"])

    def filled(self, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return *params* with where everything plays, unless they say otherwise."""
        usual = {
            "workspace": self.workspace,
            "namespace": self.namespace,
            "Region": REGION,
            "InstanceId": self.instance,
        }
        known = operation(name).fields
        wanted = {one: value for one, value in usual.items() if one in known and value and name != "DescribeInstances"}
        if name == "DescribeInstances":
            wanted = {"Region": REGION}
        return {one: value for one, value in {**wanted, **params}.items() if value is not None}

    def settle(self) -> None:
        """Do what the reconciler does with instances and namespaces."""
        with self.store.write() as db:
            for one in namespaces.moving(db):
                if one.status == "DELETING":
                    namespaces.remove(db, one.instance_id, one.name)
                else:
                    namespaces.settle(db, one.instance_id, one.name, "SUCCESS", now=self.now)
            for found in instances.moving(db):
                if found.status == "DELETING":
                    instances.remove(db, found.id)
                else:
                    instances.settle(db, found.id, "RUNNING", now=self.now)

    def run_is(self, run_id: str, state: str, **values: Any) -> None:
        """Let a job be in a state, as the reconciler would write it."""
        with self.store.write() as db:
            found = runs.find(db, run_id)
            assert found is not None
            assert runs.change(db, found, {"state": state, **values}, now=self.now) is not None

    def savepoint_is(self, savepoint_id: str, state: str, **values: Any) -> None:
        with self.store.write() as db:
            savepoints.change(db, savepoint_id, {"state": state, **values}, now=self.now)

    def make(self, name: str = "bids", **fields: Any) -> str:
        """Return the id of a new deployment."""
        made = self.call("CreateDeployment", deployment(name, **fields))
        return str(made["data"]["deploymentId"])

    def started(self, deployment_id: str, *, state: str = "RUNNING") -> str:
        """Return the id of a new job of a deployment, already in *state*."""
        made = self.call("StartJob", {"deploymentId": deployment_id, "restoreStrategy": {"kind": "NONE"}})
        run_id = str(made["data"]["jobId"])
        if state != "STARTING":
            self.run_is(run_id, state, started_at=self.now)
        return run_id


def deployment(name: str = "bids", **fields: Any) -> dict[str, Any]:
    """Return the body of a deployment."""
    return {
        "name": name,
        "executionMode": "STREAMING",
        "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "INSERT INTO b SELECT * FROM a"}},
        **fields,
    }
