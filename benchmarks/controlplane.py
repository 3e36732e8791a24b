"""What the control plane's API costs: deployments created, listed and updated over HTTP, one after the other.

The floor is a bare Starlette in the same run, which does the same work: it checks the signature, reads the JSON, writes
it to SQLite in a transaction that is on disk before it is answered, and answers in JSON; it holds nothing against a
model, allows everything and records nothing. Compared is the processor's time of the servers, which a busy machine
changes little. Growth is a call's work among ten times as many deployments, against
before; the many are put into the database directly.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from flinkform.controlplane.store import deployments
from flinkform.controlplane.store.database import Store
from flinkform.openapi import request, signature
from flinkform.openapi.operation import operation

JOBS, SAMPLE, GROWTH = 3000, 300, 10
PAGE = 100
SCRIPT = "INSERT INTO sink SELECT id, SUM(price) FROM source GROUP BY id;\n" * 8


def document(name: str, parallelism: int = 1) -> dict[str, Any]:
    """A deployment as a job file of usual size makes it."""
    return {
        "name": name,
        "executionMode": "STREAMING",
        "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": SCRIPT}},
        "flinkConf": {"execution.checkpointing.interval": "10 s", "state.backend.type": "rocksdb"},
        "labels": {"team": f"t{len(name) % 7}", "tier": "gold"},
        "streamingResourceSetting": {"basicResourceSetting": {"parallelism": parallelism}},
    }


class Server:
    """A process that answers on loopback to who signs with its key."""

    key: signature.Key

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self._line = HTTPConnection("127.0.0.1", port, timeout=60)
        self._host = f"127.0.0.1:{port}"

    def send(self, asked: request.Request) -> Any:
        headers = signature.sign(asked, self.key, host=self._host, now=time.time(), nonce=uuid.uuid4().hex)
        self._line.request(asked.method, asked.target, body=asked.body, headers=headers)
        answer = self._line.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        return said

    @property
    def memory(self) -> float:
        """Its resident memory, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def work(self) -> float:
        """The processor's time that it took so far, in seconds."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self._line.close()
        self.process.terminate()
        self.process.wait(60)


class Plane(Server):
    """The control plane, without Java: nothing runs, everything is answered."""

    place: dict[str, str]

    def call(self, name: str, params: dict[str, Any], body: Any = None) -> Any:
        said = self.send(request.build(operation(name), params, body))
        assert said.get("success", said.get("Success")), said
        return said

    def create(self, name: str) -> str:
        return str(self.call("CreateDeployment", self.place, document(name))["data"]["deploymentId"])

    def update(self, one: str, name: str) -> None:
        self.call("UpdateDeployment", {**self.place, "deploymentId": one}, document(name, 2))

    def page(self, index: int) -> int:
        return len(self.call("ListDeployments", {**self.place, "pageSize": PAGE, "pageIndex": index})["data"])


class Floor(Server):
    """The least that could be done."""

    key = signature.Key("floor", "secret")

    def create(self, name: str) -> str:
        return str(self.send(_bare("POST", "/", document(name)))["id"])

    def update(self, one: str, name: str) -> None:
        self.send(_bare("PUT", f"/{one}", document(name, 2)))

    def page(self, index: int) -> int:
        return len(self.send(_bare("GET", "/", page=str(index)))["data"])


def _bare(method: str, path: str, sent: Any = None, **query: str) -> request.Request:
    body = json.dumps(sent).encode() if sent else b""
    return request.Request(method=method, path=path, query=query, headers={}, body=body)


@contextmanager
def plane(home: Path) -> Iterator[Plane]:
    words = ["controlplane", "--home", str(home), "--java", "/no/such/java"]
    process = subprocess.Popen([sys.executable, "-m", "flinkform.cli.main", *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    endpoint = json.loads(process.stdout.readline())["endpoint"]
    served = Plane(process, int(endpoint.rsplit(":", 1)[1]))
    try:
        kept = json.loads((home / "credentials.json").read_text())
        served.key = signature.Key(kept["access_key_id"], kept["access_key_secret"])
        _workspace(served)
        yield served
    finally:
        served.end()


def _workspace(served: Plane) -> None:
    region = {"Region": "cn-hangzhou"}
    asked = {"InstanceName": "main", "ChargeType": "POST", "VpcId": "v", "VSwitchIds": ["v"]}
    spec = {"ResourceSpec": {"Cpu": 10, "MemoryGB": 40}, "Storage": {"Oss": {"Bucket": "b"}}}
    served.call("CreateInstance", region | asked | spec)
    while (found := served.call("DescribeInstances", region)["Instances"][0])["ClusterStatus"] != "RUNNING":
        time.sleep(0.1)
    served.place = {"workspace": found["ResourceId"], "namespace": "main-default"}
    time.sleep(1)


@contextmanager
def floor(folder: Path) -> Iterator[Floor]:
    words = [sys.executable, "-m", "benchmarks.controlplane", "--floor", str(folder / "floor.db")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    served = Floor(process, int(process.stdout.readline()))
    try:
        yield served
    finally:
        served.end()


def serve(file: str) -> None:
    """Answer as the floor does, until told to end."""
    import socket  # noqa: PLC0415  this process alone serves

    import uvicorn  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import JSONResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE d (id TEXT PRIMARY KEY, doc TEXT)")

    seen: set[str] = set()

    async def verified(asked: Request) -> bytes:
        target = asked.url.path + ("?" + asked.url.query if asked.url.query else "")
        body = await asked.body()
        signature.verify(
            asked.method,
            target,
            asked.headers,
            body,
            find=lambda _: Floor.key,
            now=time.time(),
            replayed=lambda _, nonce: nonce in seen or bool(seen.add(nonce)),  # type: ignore[func-returns-value]
        )
        return body

    async def write(asked: Request) -> Response:
        one = asked.path_params.get("id") or str(uuid.uuid4())
        sent = json.loads(await verified(asked))
        await run_in_threadpool(db.execute, "INSERT OR REPLACE INTO d VALUES (?, ?)", (one, json.dumps(sent)))
        return JSONResponse({"id": one, "data": sent})

    async def read(asked: Request) -> Response:
        await verified(asked)
        offset = (int(asked.query_params["page"]) - 1) * PAGE
        rows = await run_in_threadpool(db.execute, "SELECT doc FROM d LIMIT ? OFFSET ?", (PAGE, offset))
        return JSONResponse({"data": [json.loads(doc) for (doc,) in rows]})

    routes = [Route("/", write, methods=["POST"]), Route("/{id}", write, methods=["PUT"]), Route("/", read)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


class Cost(NamedTuple):
    """Calls a second, and milliseconds of the server's processor for each, which a busy machine does not change."""

    rate: float
    work: float


def cost(served: Server, calls: int, call: Callable[[int], Any]) -> Cost:
    began, work = time.perf_counter(), served.work
    for number in range(calls):
        call(number)
    return Cost(calls / (time.perf_counter() - began), (served.work - work) * 1000 / calls)


def measure(served: Plane | Floor, jobs: int) -> dict[str, Cost]:
    """Create that many, list and update them."""
    made: list[str] = []
    created = cost(served, jobs, lambda number: made.append(served.create(f"job-{number}")))
    listed = cost(served, max(jobs // PAGE, 10), lambda number: served.page(number % (jobs // PAGE) + 1))
    updated = cost(served, min(jobs, SAMPLE * 3), lambda number: served.update(made[number], f"job-{number}"))
    return {"created": created, "listed": listed, "updated": updated}


def grown(served: Plane, home: Path, jobs: int, more: int) -> dict[str, float]:
    """A call's work among *more* deployments, in multiples of its work among *jobs*."""
    before = _sampled(served, "before", jobs)
    store = Store.at(home)
    workspace, namespace = served.place["workspace"], served.place["namespace"]
    with store.write() as db:
        for number in range(more - jobs):
            name = f"more-{number}"
            deployments.create(
                db,
                str(uuid.uuid4()),
                workspace=workspace,
                namespace=namespace,
                name=name,
                document=document(name),
                creator="b",
                now=time.time_ns() // 1_000_000,
            )
    store.close()
    after = _sampled(served, "after", more)
    return {name: after[name].work / before[name].work for name in before}


def _sampled(served: Plane, prefix: str, jobs: int) -> dict[str, Cost]:
    made: list[str] = []
    sample = min(SAMPLE, jobs)
    created = cost(served, sample, lambda number: made.append(served.create(f"{prefix}-{number}")))
    updated = cost(served, sample, lambda number: served.update(made[number], f"{prefix}-{number}"))
    step = max(1, jobs // PAGE // 20)
    listed = cost(served, 20, lambda number: served.page(number * step + 1))
    return {"created": created, "updated": updated, "listed": listed}


def _table(found: dict[str, Any]) -> None:
    print(f"{found['jobs']} deployments, load {found['load']:.1f}; a page is {PAGE} of them\n")
    print(f"{'':10}{'a second':>10}{'floor':>10}{'ms work':>10}{'floor':>10}{'ratio':>8}{f'at {GROWTH}x':>10}")
    for name, ours in found["ours"].items():
        least = found["floor"][name]
        print(
            f"{name:10}{ours.rate:10.0f}{least.rate:10.0f}{ours.work:10.2f}{least.work:10.2f}"
            f"{ours.work / least.work:8.1f}{found['growth'][name]:10.2f}"
        )
    memory = found["memory"]
    print(f"{'memory':10}{memory['ours']:7.0f} MB{memory['floor']:7.0f} MB{'':28}{memory['grown']:7.0f} MB")


def main(words: list[str] | None = None) -> int:
    """Measure, and print a table or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--floor", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.floor:
        serve(options.floor)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with floor(Path(folder)) as bare:
            least, small = measure(bare, options.jobs), bare.memory
        with plane(home) as served:
            ours, memory = measure(served, options.jobs), served.memory
            growth, large = grown(served, home, options.jobs, options.jobs * GROWTH), served.memory
    found = {"jobs": options.jobs, "load": os.getloadavg()[0], "ours": ours, "floor": least, "growth": growth}
    found |= {"memory": {"floor": small, "ours": memory, "grown": large}}
    if options.json:
        print(json.dumps(found))
        return 0
    _table(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
