"""A whole control plane in a process of its own, on real Flink, spoken to as any client does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flinkform.client import api, credentials, endpoints
from flinkform.client.retry import Retry

ENDED = frozenset({"FINISHED", "FAILED", "CANCELLED"})
NAMESPACE = "team"


@dataclass(frozen=True, slots=True)
class Plane:
    """Where it keeps everything, and a client with a workspace and a namespace."""

    home: Path
    client: api.Client
    workspace: str
    pid: int

    def call(self, operation: str, params: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """Call an operation below the namespace; return its `data`."""
        place = {"workspace": self.workspace, "namespace": NAMESPACE}
        return self.client.call(operation, {**place, **(params or {})}, body).get("data")

    def deploy(
        self, name: str, script: str, *, batch: bool = False, options: Mapping[str, str] | None = None, engine: str = ""
    ) -> str:
        """Create a deployment and return its id; *engine* is a line of Flink."""
        body: dict[str, Any] = {"engineVersion": f"vvr-flinkform-flink-{engine}"} if engine else {}
        body |= {
            "name": name,
            "executionMode": "BATCH" if batch else "STREAMING",
            "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}},
            "flinkConf": dict(options or {}),
        }
        return str(self.call("CreateDeployment", body=body)["deploymentId"])

    def edit(self, deployment: str, script: str) -> None:
        self.update(deployment, artifact={"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}})

    def update(self, deployment: str, **fields: Any) -> None:
        self.call("UpdateDeployment", {"deploymentId": deployment}, fields)

    def start(self, deployment: str, restore: str = "NONE") -> str:
        """Start a job and return its id."""
        body = {"deploymentId": deployment, "restoreStrategy": {"kind": restore, "allowNonRestoredState": False}}
        return str(self.call("StartJobWithParams", body=body)["jobId"])

    def stop(self, job: str, strategy: str = "NONE") -> None:
        self.call("StopJob", {"jobId": job}, {"stopStrategy": strategy})

    def state(self, job: str) -> str:
        return str(self.call("GetJob", {"jobId": job})["status"]["currentJobStatus"])

    def reason(self, job: str) -> str:
        return str(self.call("GetJob", {"jobId": job})["status"].get("failure", {}).get("message", ""))

    def until(self, job: str, *states: str, seconds: float = 120) -> str:
        """Wait for one of *states*, or for the job's end; return where it got to."""
        wait(lambda: self.state(job) in ENDED.union(states), f"{job} to be {' or '.join(states)}", seconds=seconds)
        return self.state(job)

    def kill(self) -> None:
        """Kill Flink's JVM as an out-of-memory killer would."""
        pid = int((self.home / "flink" / "jvm.pid").read_text())
        os.kill(pid, signal.SIGKILL)

    def peak(self) -> int:
        """Bytes that Flink's JVM has held at most."""
        pid = int((self.home / "flink" / "jvm.pid").read_text())
        status = Path(f"/proc/{pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


@contextmanager
def plane(home: Path, **environment: str) -> Iterator[Plane]:
    """Run a control plane in *home* until the block ends; jobs can run when it begins."""
    java = shutil.which("java")
    command = [sys.executable, "-m", "flinkform.cli.main", "controlplane", "--home", str(home), "--java", str(java)]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "stderr").open("wb") as err:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, env={**os.environ, **environment})
    try:
        line = process.stdout.readline() if process.stdout else b""
        assert line, (home / "stderr").read_text()
        client = opened(home, json.loads(line)["endpoint"])
        yield Plane(home, client, furnished(client), process.pid)
        client.close()
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout:
            process.stdout.close()


def opened(home: Path, endpoint: str, *, retry: Retry | None = None) -> api.Client:
    """Return a client with the home's own key."""
    key = json.loads((home / "credentials.json").read_text())
    shell = {
        "FLINKFORM_ENDPOINT": endpoint,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key["access_key_id"],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key["access_key_secret"],
    }
    return api.Client(credentials.find(shell), endpoints.find(shell), region="cn-hangzhou", retry=retry)


def furnished(client: api.Client) -> str:
    """Make a workspace with a namespace; return what the `workspace` header wants."""
    storage = {"Oss": {"Bucket": "bucket"}}
    asked = {"InstanceName": "test", "ChargeType": "POST", "VpcId": "vpc", "VSwitchIds": ["vsw"], "Storage": storage}
    instance = client.call("CreateInstance", asked)["OrderInfo"]["InstanceId"]
    found: list[str] = []

    def made() -> bool:
        every = client.pages("DescribeInstances", {"InstanceId": instance})
        found.extend(str(one["ResourceId"]) for one in every if one["ClusterStatus"] == "RUNNING")
        return bool(found)

    wait(made, "the workspace")
    client.call("CreateNamespace", {"InstanceId": instance, "Namespace": NAMESPACE})
    params = {"InstanceId": instance, "Namespace": NAMESPACE}
    wait(lambda: any(n["Status"] == "SUCCESS" for n in client.pages("DescribeNamespaces", params)), "the namespace")
    return found[0]


def wait(met: Callable[[], object], what: str, *, seconds: float = 120, pause: float = 0.1) -> None:
    """Wait until *met*."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(pause)
