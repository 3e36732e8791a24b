"""What 3,000 jobs cost in Terraform, against Terraform's own smallest resource with the same values.

Candidate: n suspended `flink_job` resources that set every attribute, through the installed provider, an embedded
control plane and its `http` state backend. Floor: n `terraform_data` resources, which live inside Terraform, whose
`input` is the same object, over the same backend. Both are JSON as the constructs write it, applied from a saved plan.

All are CPU seconds, user and system, of terraform and the providers it starts; the control plane is not in them. A
figure is the median of the rounds. The last figure counts the API calls of a plan that changes nothing, against the
fewest that could do: one a hundred jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flinkform import __version__
from flinkform.client import api, credentials, endpoints
from flinkform.provider import build
from flinkform.resources import PROVIDER

SIZE, ROUNDS = 3_000, 3
STEPS = ("validate", "plan", "apply", "no-op plan")
PROGRAM = shutil.which(os.environ.get("TERRAFORM_BINARY_NAME", "terraform")) or "terraform"
_PATIENCE = 120.0
_SQL = """\
CREATE TEMPORARY TABLE bids_{index} (
  auction BIGINT, bidder BIGINT, price DECIMAL(10, 2), bid_time TIMESTAMP(3),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TEMPORARY TABLE out_{index} (auction BIGINT, bids BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO out_{index} SELECT auction, COUNT(*) FROM bids_{index} GROUP BY auction;
"""


@dataclass(frozen=True, slots=True)
class Plane:
    """A control plane: where it answers and what a process needs to use it."""

    endpoint: str
    environment: dict[str, str]
    log: Path
    workspace: str

    def calls(self, since: int) -> int:
        """Count the API calls that its log tells of, from the byte *since* on."""
        with self.log.open("rb") as file:
            file.seek(since)
            return sum(event["event"] == "answered" for event in map(json.loads, file))


@contextmanager
def plane(home: Path) -> Iterator[Plane]:
    """Run a control plane in *home* with a workspace and a namespace in it."""
    environment = {**os.environ, "FLINKFORM_LOG_LEVEL": "debug"}
    command = [sys.executable, "-m", "flinkform.cli.main", "controlplane", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            endpoint = json.loads(process.stdout.readline() if process.stdout else "")["endpoint"]
            key = json.loads((home / "credentials.json").read_text())
            found = {
                "FLINKFORM_ENDPOINT": endpoint,
                "ALIBABA_CLOUD_ACCESS_KEY_ID": key["access_key_id"],
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key["access_key_secret"],
            }
            yield Plane(endpoint, found, home / "logs" / "controlplane.jsonl", _workspace(found))
        finally:
            process.terminate()


def _workspace(environment: dict[str, str]) -> str:
    """Make a workspace with a namespace `bench`; return what the `workspace` header wants."""
    client = api.Client(credentials.find(environment), endpoints.find(environment), region="cn-hangzhou")
    storage = {"Oss": {"Bucket": "bucket"}}
    asked = {"InstanceName": "bench", "ChargeType": "POST", "VpcId": "vpc", "VSwitchIds": ["vsw"], "Storage": storage}
    instance = client.call("CreateInstance", asked)["OrderInfo"]["InstanceId"]
    ready = _until(lambda: next((i for i in _instances(client, instance) if i["ClusterStatus"] == "RUNNING"), None))
    client.call("CreateNamespace", {"InstanceId": instance, "Namespace": "bench"})
    params = {"InstanceId": instance, "Namespace": "bench"}
    _until(
        lambda: next(
            (n for n in client.pages("DescribeNamespaces", params) if n["Status"] == "SUCCESS"),
            None,
        )
    )
    return str(ready["ResourceId"])


def _instances(client: api.Client, instance: str) -> list[dict[str, Any]]:
    return list(client.pages("DescribeInstances", {"InstanceId": instance}))


def _until(look: Any) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("the control plane did not get ready")
        time.sleep(0.1)
    return found


def values(index: int, workspace: str) -> dict[str, Any]:
    """Return one job in full, so that what the provider keeps of it and what the floor keeps are the same values."""
    return {
        "workspace": workspace,
        "namespace": "bench",
        "name": f"team.job-{index:05}",
        "description": f"Bids per auction, variant {index}",
        "sql": _SQL.format(index=index),
        "execution_mode": "STREAMING",
        "engine_version": "vvr-flinkform-flink-2.3",
        "deployment_target": "default-queue",
        "parallelism": 2,
        "flink_options": {"execution.checkpointing.interval": "10 s", "table.exec.state.ttl": "1 d"},
        "labels": {"team": "bids", "commit": f"{index:040x}"},
        "logging": {"root": "INFO"},
        "state": "suspended",
        "upgrade": {"mode": "savepoint", "fallback": True},
        "restore_from": "",
        "allow_non_restored_state": False,
        "savepoint_on_destroy": True,
        "deletion_protection": False,
        "timeouts": {"create": "10m", "update": "15m", "delete": "10m"},
    }


def configuration(side: str, count: int, workspace: str, address: str) -> dict[str, Any]:
    """Return a stack of *count* resources."""
    jobs = {f"job_{n:05}": values(n, workspace) for n in range(count)}
    backend = {"address": address, "lock_address": address, "unlock_address": address}
    backend |= {"lock_method": "LOCK", "unlock_method": "UNLOCK"}
    terraform: dict[str, Any] = {"backend": {"http": backend}}
    if side == "floor":
        return {"terraform": terraform, "resource": {"terraform_data": {n: {"input": v} for n, v in jobs.items()}}}
    terraform["required_providers"] = {"flink": {"source": PROVIDER, "version": __version__}}
    return {"terraform": terraform, "resource": {"flink_job": jobs}}


class Stack:
    """One stack in a folder of its own."""

    def __init__(self, folder: Path, plane: Plane, home: Path) -> None:
        self.folder = folder
        self.plane = plane
        key = plane.environment
        self.environment = {
            **os.environ,
            **key,
            "TF_HTTP_USERNAME": key["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            "TF_HTTP_PASSWORD": key["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            "TF_CLI_CONFIG_FILE": str(build.install(home)),
            "FLINKFORM_PYTHON": sys.executable,
            "CHECKPOINT_DISABLE": "1",
        }

    def run(self, *words: str) -> float:
        """Run terraform; return its CPU seconds and its providers'."""
        with subprocess.Popen(
            [PROGRAM, *words], cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL
        ) as run:
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            raise RuntimeError(f"terraform {words[0]} ended with {run.returncode}")
        return usage.ru_utime + usage.ru_stime

    def measure(self) -> dict[str, float]:
        """Run every step once, on a stack that does not exist yet; then destroy it."""
        self.run("init", "-input=false")
        found = {
            "validate": self.run("validate"),
            "plan": self.run("plan", "-input=false", "-out=plan"),
            "apply": self.run("apply", "-input=false", "plan"),
            "no-op plan": self.run("plan", "-input=false", "-detailed-exitcode"),
        }
        self.run("destroy", "-input=false", "-auto-approve", "-refresh=false")
        return found


def measured(count: int, rounds: int) -> list[dict[str, Any]]:
    """Return the figures of *count* resources."""
    times: dict[str, dict[str, list[float]]] = {s: {step: [] for step in STEPS} for s in ("candidate", "floor")}
    with tempfile.TemporaryDirectory(prefix="flinkform-terraform-") as name, plane(Path(name) / "home") as served:
        for number in range(1, rounds + 1):
            for side, steps in times.items():
                folder = Path(name) / f"{side}-{number}"
                folder.mkdir()
                address = f"{served.endpoint}/state/bench/{side}-{number}"
                stack = configuration(side, count, served.workspace, address)
                (folder / "main.tf.json").write_text(json.dumps(stack, indent=2))
                for step, seconds in Stack(folder, served, Path(name)).measure().items():
                    steps[step].append(seconds)
                shown = ", ".join(f"{step} {seconds[-1]:.2f} s" for step, seconds in steps.items())
                print(f"{side}, round {number} of {rounds}: {shown}", flush=True)
        calls = counted(Path(name), count, served)
    middle = {side: {step: statistics.median(s) for step, s in steps.items()} for side, steps in times.items()}
    figures = [_figure(step, count, middle["candidate"][step], middle["floor"][step], "CPU s") for step in STEPS]
    return [*figures, _figure("no-op plan, API calls", count, calls, -(-count // 100), "calls")]


def counted(folder: Path, count: int, served: Plane) -> int:
    """Return the API calls of a plan that changes nothing."""
    place = folder / "counted"
    place.mkdir()
    stack = configuration("candidate", count, served.workspace, f"{served.endpoint}/state/bench/counted")
    (place / "main.tf.json").write_text(json.dumps(stack))
    terraform = Stack(place, served, folder)
    terraform.run("init", "-input=false")
    terraform.run("apply", "-input=false", "-auto-approve")
    since = served.log.stat().st_size
    terraform.run("plan", "-input=false", "-detailed-exitcode")
    return served.calls(since)


def _figure(name: str, count: int, candidate: float, floor: float, unit: str) -> dict[str, Any]:
    figure: dict[str, Any] = {"benchmark": f"terraform {name}", "n": count, "candidate": round(candidate, 3)}
    return figure | {"floor": round(floor, 3), "ratio": round(candidate / floor, 3), "unit": unit}


def main() -> None:
    """Measure, and print one JSON line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=int, default=SIZE, metavar="N", help="number of jobs")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(__doc__)
    for figure in measured(options.size, options.rounds):
        print(json.dumps(figure))


if __name__ == "__main__":
    main()
