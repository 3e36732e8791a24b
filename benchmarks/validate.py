"""What it costs to validate n scripts, against the bare planner explaining the same scripts from as many threads.

Candidate: `flinkform validate` in a checkout of n job files, cold (nothing is known, a JVM is started) and warm (the
same again). Floor: a whole process that starts the same JVM, takes each script in statement by statement and
explains what writes, from as many threads; it says nothing and remembers nothing.

The scripts are variants of real ones, as a repository has them: FLINKFORM_CORPUS, default ../shared/corpus, has the
program that builds it. Times are CPU seconds, user and system, of the process and its JVM, as other work on the
machine falsifies wall time, which is printed beside them. Memory is the most that any one process held.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flinkform.cli.planned import THREADS
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.jvm import Jvm
from flinkform.flink.settings import Settings
from flinkform.flink.sql import batch, statements

SIZE = 3_000
ROOT = Path(__file__).parents[1]
CORPUS = Path(os.environ.get("FLINKFORM_CORPUS") or ROOT.parent / "shared" / "corpus")
_SURPLUS = 1.25
"""Jobs to build for one that is SQL: every eighth is something else, and some are deleted again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a process: CPU and wall seconds, megabytes of its biggest process, and its last word."""

    cpu: float
    wall: float
    memory: float
    said: str


def main() -> int:
    """Measure, and print one JSON line a figure; with `--floor` be the measured process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=int, default=SIZE, metavar="N", help="number of scripts")
    parser.add_argument("--floor", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        floor(options.floor)
        return 0
    if not (CORPUS / "build_monorepo.py").is_file():
        print(f"skipped: there is no {CORPUS}; FLINKFORM_CORPUS names another folder")
        return 0
    print(__doc__)
    for figure in measured(options.size):
        print(json.dumps(figure))
    return 0


def measured(count: int) -> list[dict[str, Any]]:
    """Build the scripts, run everything once, and return the figures."""
    with tempfile.TemporaryDirectory(prefix="flinkform-validate-") as name:
        folder = Path(name)
        project = build(count, folder)
        validate = [sys.executable, "-m", "flinkform.cli.main", "validate"]
        bare = cost([sys.executable, "-m", "benchmarks.validate", "--floor", str(project / "jobs")], ROOT, folder)
        cold = cost(validate, project, folder)
        warm = cost(validate, project, folder)
    for side, one in (("floor", bare), ("cold", cold), ("warm", warm)):
        print(f"{side}: {one.cpu:.1f} CPU s, {one.wall:.1f} s, {one.memory:.0f} MB; {one.said}", flush=True)
    return [
        _figure("validate cold", count, cold.cpu, bare.cpu, "CPU s"),
        _figure("validate warm", count, warm.cpu, bare.cpu, "CPU s"),
        _figure("validate cold, memory", count, cold.memory, bare.memory, "MB"),
    ]


def build(count: int, folder: Path) -> Path:
    """Write a checkout of *count* jobs from the history that the corpus's program makes."""
    command = [sys.executable, str(CORPUS / "build_monorepo.py"), str(folder / "history")]
    subprocess.run([*command, "--jobs", str(int(count * _SURPLUS)), "--commits", "40"], check=True)
    archive = ["git", "-C", str(folder / "history" / "repo.git"), "archive", "--format=tar", "HEAD", "jobs"]
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as git, tarfile.open(fileobj=git.stdout, mode="r|") as files:
        files.extractall(folder / "project", filter="data")
    every = sorted(path for path in (folder / "project" / "jobs").rglob("*") if path.is_file())
    kept = [path for path in every if path.suffix == ".sql"][:count]
    for path in set(every) - set(kept):
        path.unlink()
    if len(kept) != count:
        raise RuntimeError(f"expected {count} scripts, got {len(kept)}")
    (folder / "project" / "cdktf.json").write_text("{}")
    (folder / "project" / "environments").mkdir()
    workspace = {"name": "bench", "vpc_id": "v", "vswitch_ids": ["s"], "bucket": "b"}
    (folder / "project" / "environments" / "dev.yaml").write_text(json.dumps({"workspace": workspace}))
    return folder / "project"


def cost(command: Sequence[str], place: Path, folder: Path) -> Cost:
    """Run one process to its end."""
    begun = time.perf_counter()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLINKFORM_")}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, cwd=place, stdout=said, stderr=said, env=kept | {"FLINKFORM_HOME": str(folder / "home")}
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: there is a script that Flink refuses
        raise RuntimeError((folder / "said").read_text()[-3000:])
    last = (folder / "said").read_text().splitlines()[-1]
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - begun, usage.ru_maxrss / 1024, last)


def floor(folder: Path) -> None:
    """Explain every script below *folder*."""
    scripts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql"))]
    with tempfile.TemporaryDirectory(prefix="flinkform-floor-") as home:
        jvm = Jvm(Settings(home=Path(home), java=Path(shutil.which("java") or "java")))
        jvm.start()
        with ThreadPoolExecutor(THREADS) as pool:
            refused = sum(pool.map(lambda script: not explain(jvm.gateway, script), scripts))
        print(f"{len(scripts)} scripts, {refused} refused")
        jvm.stop()


def explain(gateway: Gateway, script: str) -> bool:
    """Take a script in with the fewest calls that will do; whether Flink accepts it."""
    try:
        take(gateway, script)
    except Thrown:
        return False
    return True


def take(gateway: Gateway, script: str) -> None:
    """Make what a script makes, and explain what it writes."""
    parts = statements(script)
    mode = "batch" if batch(parts, default=False) else "streaming"
    api = gateway.flink.table.api
    configuration = gateway.configuration({"execution.runtime-mode": mode})
    environment = api.TableEnvironment.create(
        api.EnvironmentSettings.newInstance().withConfiguration(configuration).build()
    )
    none, text = gateway.array(api.ExplainDetail), api.ExplainFormat.TEXT
    for part in parts:
        operations = environment.getParser().parse(part.text)
        kind = str(operations.get(0).getClass().getSimpleName())
        if kind == "StatementSetOperation":
            environment.explainInternal(operations.get(0).getOperations(), text, none)
        elif kind == "SinkModifyOperation":
            environment.explainInternal(operations, text, none)
        elif kind not in ("SetOperation", "BeginStatementSetOperation", "EndStatementSetOperation"):
            environment.executeInternal(operations.get(0))


def _figure(name: str, count: int, candidate: float, base: float, unit: str) -> dict[str, Any]:
    figure: dict[str, Any] = {"benchmark": name, "n": count, "candidate": round(candidate, 2), "floor": round(base, 2)}
    return figure | {"ratio": round(candidate / base, 3), "unit": unit}


if __name__ == "__main__":
    sys.exit(main())
