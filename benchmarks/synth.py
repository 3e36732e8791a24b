"""How long it takes to turn jobs into Terraform JSON, against a bare `json.dump` of the same values.

Candidate: a whole process that starts Python, imports the constructs, starts Node, declares n jobs and writes the
app. From memory the program makes the values and puts the jobs into one stack; from files it does what main.py does
to a repository of ten teams: scripts, defaults in every team's folder, a sidecar for every tenth job.

Floor: a whole process that starts Python, makes the same values and writes them with `json.dump` in the form that
the CDK writes, indented and sorted; from files it reads every file before, and knows without parsing what the values
are. A second figure takes the bare `json.dump(values, file)` as its floor: less work, and no form one could review.

All are CPU seconds, user and system, of the process and its children (Node is the candidate's child), as other
work on the machine falsifies wall time. All run without garbage collection, as main.py does, and with the byte code
that Python keeps of what it has run before. A figure is the median of three rounds, in each of which all run.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

SIZES = (3_000, 10_000)
SOURCES = ("memory", "files")
ROUNDS = 3
TEAMS = 10
ROOT = Path(__file__).parents[1]
_SQL = """\
CREATE TEMPORARY TABLE bids_{index} (
{columns}  bid_time TIMESTAMP(3),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TEMPORARY TABLE out_{index} (bidder STRING) WITH ('connector' = 'blackhole');
INSERT INTO out_{index} SELECT bid_attribute_00 FROM bids_{index} WHERE bid_attribute_01 <> '{{}}';
"""


def main() -> int:
    """Measure everything, or with `--run` be one of the measured processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="N", help="numbers of jobs")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--run", nargs=4, metavar=("SIDE", "SOURCE", "N", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        side, source, count, folder = options.run
        gc.disable()
        RUNS[side, source](int(count), Path(folder))
        gc.freeze()
        return 0
    print(__doc__)
    figures = [figure for n in options.sizes for source in SOURCES for figure in measured(n, source, options.rounds)]
    for figure in figures:
        print(json.dumps(figure))
    return 0


def measured(count: int, source: str, rounds: int) -> list[dict[str, Any]]:
    """Return the figures of one size: medians over *rounds*, each of which runs candidate and floors."""
    times: dict[str, list[float]] = {"candidate": [], "floor": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="flinkform-synth-") as name:
        folder = Path(name)
        if source == "files":
            print(f"{count} jobs from {source}: writing the files", flush=True)
            write_files(count, folder)
        cpu_seconds("candidate", source, count, folder)
        for number in range(1, rounds + 1):
            for side, seconds in times.items():
                seconds.append(cpu_seconds(side, source, count, folder))
            shown = ", ".join(f"{side} {seconds[-1]:.2f} s" for side, seconds in times.items())
            print(f"{count} jobs from {source}, round {number} of {rounds}: {shown}", flush=True)
    candidate, floor, bare = (statistics.median(seconds) for seconds in times.values())
    return [
        figure(f"synth from {source}", count, candidate, floor),
        figure(f"synth from {source}, bare floor", count, candidate, bare),
    ]


def figure(name: str, count: int, candidate: float, floor: float) -> dict[str, Any]:
    """Return one line of the result."""
    return {
        "benchmark": name,
        "n": count,
        "candidate": round(candidate, 3),
        "floor": round(floor, 3),
        "ratio": round(candidate / floor, 2),
        "unit": "CPU s",
    }


def cpu_seconds(side: str, source: str, count: int, folder: Path) -> float:
    """Run one process and return what it and its children took."""
    command = [sys.executable, "-m", "benchmarks.synth", "--run", side, source, str(count), str(folder)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=ROOT, env={**environ, "PYTHONPYCACHEPREFIX": str(folder / "code")})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime


def values(index: int) -> dict[str, Any]:
    """Return the arguments of a job such as people write: twenty attributes, a script of 2 KB."""
    return {
        "name": f"job-{index:05}",
        "description": f"Bids per seller, shard {index}",
        "sql": script(index),
        "execution_mode": "STREAMING",
        "engine_version": "vvr-11.1-jdk11-flink-1.20",
        "deployment_target": "default-queue",
        "parallelism": index % 8 + 1,
        "flink_options": {f"execution.checkpointing.option-{n}": f"{n} min" for n in range(8)},
        "labels": {"team": f"team-{index % TEAMS}", "tier": "gold", "owner": "auction", "cost-centre": "4711"},
        "logging": {"root": "INFO", "org.apache.flink": "WARN", "com.example.bids": "DEBUG"},
        "state": "suspended",
        "upgrade": {"mode": "savepoint", "fallback": True},
        "restore_from": f"savepoint-{index}",
        "allow_non_restored_state": False,
        "savepoint_on_destroy": True,
        "deletion_protection": index % 2 == 0,
        "timeouts": {"create": "10m", "update": "15m", "delete": "10m"},
    }


def script(index: int) -> str:
    """Return 2 KB of SQL."""
    columns = "".join(f"  bid_attribute_{n:02} STRING COMMENT 'as the event says',\n" for n in range(30))
    return _SQL.format(columns=columns, index=index)


def shared(index: int) -> dict[str, Any]:
    """Return what a team's defaults say: all but what is the job's own."""
    return {key: value for key, value in values(index).items() if key not in ("name", "sql", "restore_from")}


def write_files(count: int, folder: Path) -> None:
    """Write a repository of *count* jobs; every tenth has a sidecar."""
    (folder / "environments").mkdir()
    workspace = {"name": "auction", "vpc_id": "v", "vswitch_ids": ["s"], "bucket": "b"}
    (folder / "environments/dev.yaml").write_text(json.dumps({"workspace": workspace}))
    for index in range(count):
        given = values(index)
        team = folder / "jobs" / f"team-{index % TEAMS}"
        if index < TEAMS:
            team.mkdir(parents=True)
            (team / "_defaults.yaml").write_text(json.dumps(shared(index)))
        (team / f"{given['name']}.sql").write_text(given["sql"])
        if index % 10 == 3:
            (team / f"{given['name']}.yaml").write_text(json.dumps({"parallelism": given["parallelism"]}))


def read_files(folder: Path) -> Iterator[dict[str, Any]]:
    """Read every file; return what the jobs are, knowing it without a look at YAML."""
    known = shared(0)
    for path, _, names in os.walk(folder / "jobs"):
        for name in names:
            text = Path(path, name).read_text(encoding="utf-8")
            if name.endswith(".sql"):
                yield {**known, "name": name[:-4], "sql": text, "namespace": "n", "workspace": "w"}


def floor_memory(count: int, folder: Path, **form: Any) -> None:
    dump({str(n): {"workspace": "w", "namespace": "n", **values(n)} for n in range(count)}, folder, form)


def floor_files(_: int, folder: Path, **form: Any) -> None:
    dump({str(n): job for n, job in enumerate(read_files(folder))}, folder, form)


def dump(jobs: dict[str, Any], folder: Path, form: dict[str, Any]) -> None:
    """Write what a stack of *jobs* is at the least."""
    with (folder / "floor.json").open("w", encoding="utf-8") as file:
        json.dump({"resource": {"flink_job": jobs}}, file, **form)


def candidate_memory(count: int, folder: Path) -> None:
    from flinkform_constructs import App, FlinkProvider, Job, Namespace, cdk  # noqa: PLC0415 - the floor has no Node

    app = App(outdir=folder / "out")
    stack = cdk.TerraformStack(app, "team")
    FlinkProvider(stack)
    namespace = Namespace(stack, "namespace", workspace_id="i", name="bids")
    for index in range(count):
        given = values(index)
        Job(stack, given["name"], workspace="w", namespace=namespace.name, **given)
    app.synth()


def candidate_files(_: int, folder: Path) -> None:
    from flinkform_constructs import App  # noqa: PLC0415 - the floor has no Node
    from stacks import Setting, declare  # noqa: PLC0415

    app = App(outdir=folder / "out")
    declare(app, Setting.read(folder, {}))
    app.synth()


RUNS: dict[tuple[str, str], Callable[[int, Path], None]] = {
    ("floor", "memory"): partial(floor_memory, indent=2, sort_keys=True),
    ("floor", "files"): partial(floor_files, indent=2, sort_keys=True),
    ("bare", "memory"): floor_memory,
    ("bare", "files"): floor_files,
    ("candidate", "memory"): candidate_memory,
    ("candidate", "files"): candidate_files,
}

if __name__ == "__main__":
    sys.exit(main())
