"""A monorepo of 3,000 jobs as a checkout of flinkform's, worked on as a whole: `make whole`.

Synthesised, validated, planned, applied (its jobs are suspended) and planned again by the commands that a person types,
against a control plane of its own. A line of JSON each says what came of it and what it cost: CPU seconds of the
command and of all that it started, wall seconds, and megabytes of the biggest process. What the control plane took
stands in the last.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flinkform import jobfile
from tests import monorepo
from tests.composed import compose

FLINKFORM = str(Path(sys.executable).with_name("flinkform"))
SIZE, SURPLUS = 3_000, 1.06
"""Jobs, and how many files the builder has to make for one: of Python files flinkform makes no jobs."""
_JAR = re.compile(
    r"^entryClass: (?P<entry>\S+)$.*?^jarUri: (?P<uri>\S+)$.*?^args: (?P<args>\[.*\])$", re.MULTILINE | re.DOTALL
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a command: CPU and wall seconds, megabytes of its biggest process, and what it printed."""

    cpu: float
    wall: float
    memory: float
    code: int
    said: str = field(repr=False)
    told: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """A checkout of a monorepo with a control plane; *process* is the latter's id."""

    root: Path
    shell: dict[str, str]
    process: int

    def run(self, *words: str, ok: tuple[int, ...] = (0,)) -> Cost:
        """Run a command to its end."""
        found = cost(list(words), self.root, self.shell)
        if found.code not in ok:
            raise RuntimeError(f"{' '.join(words)}: {found.code}\n{found.said[-2000:]}\n{found.told[-4000:]}")
        return found

    def git(self, *words: str) -> str:
        """Run git in the checkout."""
        command = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", *words]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout.strip()

    def served(self) -> float:
        """Return the CPU seconds that the control plane took so far, without its Flink."""
        stat = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS


def checkout(folder: Path, size: int, *words: str) -> tuple[Path, list[str]]:
    """Build a monorepo below *folder*, move it to flinkform and return where it is, and what was refused by name."""
    monorepo.build(folder, "--jobs", str(round(size * SURPLUS)), *words)
    root = folder / "checkout"
    subprocess.run(["git", "clone", "-q", str(folder / "repo.git"), str(root)], check=True)
    compose(root)
    for path in (root / "jobs").rglob("*.jar*.yaml"):
        path.write_text(_job(path.read_text()))
    refused = [str(one) for one in jobfile.survey(root / "jobs").problems]
    for place in (one.position for one in jobfile.survey(root / "jobs").problems):
        if place:
            Path(place.file).unlink(missing_ok=True)
    return root, refused


def _job(text: str) -> str:
    """Return a job file of a program in a jar, from the description of one that the builder makes."""
    found = _JAR.search(text)
    if found is None:
        return text
    digest = hashlib.sha256(found["uri"].encode()).hexdigest()
    said = {"uri": found["uri"], "sha256": digest, "entry_class": found["entry"], "args": json.loads(found["args"])}
    return json.dumps({"jar": said}, indent=2) + "\n"


@contextmanager
def serving(root: Path, home: Path) -> Iterator[Whole]:
    """Run a control plane in *home* for the checkout in *root*."""
    dropped = ("FLINKFORM_", "ALIBABA_CLOUD_", "TF_", "CDKTF_", "JSII_")
    shell = {k: v for k, v in os.environ.items() if not k.startswith(dropped)} | {"FLINKFORM_HOME": str(home)}
    with subprocess.Popen(
        [FLINKFORM, "controlplane", "--home", str(home)], stdout=subprocess.PIPE, env=shell, text=True
    ) as process:
        try:
            endpoint = json.loads(process.stdout.readline() if process.stdout else "")["endpoint"]
            made = Whole(root, {**shell, "FLINKFORM_ENDPOINT": endpoint}, process.pid)
            made.git("add", "-A")
            made.git("commit", "-q", "-m", "Compose the stacks")
            yield made
        finally:
            process.terminate()


def cost(command: list[str], place: Path, shell: dict[str, str]) -> Cost:
    """Run one process to its end."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, cwd=place, stdout=said, stderr=told, env=shell)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        texts = [file.seek(0) or file.read() for file in (said, told)]
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, process.returncode, *map(str, texts))


def worked(here: Whole) -> Iterator[tuple[str, dict[str, Any], Cost]]:
    """Yield each step with what came of it."""
    done = here.run(sys.executable, "main.py")
    stacks = list((here.root / "cdktf.out" / "stacks").iterdir())
    yield "synth", {"stacks": len(stacks)}, done
    done = here.run(FLINKFORM, "validate", "--json", ok=(0, 1))
    said = json.loads(done.said)
    rules: dict[str, int] = {}
    for one in said["problems"]:
        rules[one["rule"]] = rules.get(one["rule"], 0) + 1
    yield "validate", {"checked": said["checked"], "problems": rules}, done
    for one in said["problems"]:
        if one["rule"] == "flink":
            sys.stderr.write(f"refused, and taken out: {one['file']}:{one['line']}: {one['message']}\n")
            (here.root / one["file"]).unlink(missing_ok=True)
    here.git("commit", "-q", "-a", "--allow-empty", "-m", "Take out what Flink refuses")
    yield from _applied(here)


def _applied(here: Whole) -> Iterator[tuple[str, dict[str, Any], Cost]]:
    done = here.run(FLINKFORM, "plan", "--json")
    yield "plan of all that is new", {"changes": len(json.loads(done.said)["items"])}, done
    done = here.run(FLINKFORM, "up", "--json")
    said = json.loads(done.said)
    added = sum(stack["add"] for stack in said["stacks"])
    yield "apply", {"added": added, "jobs": len(said["jobs"])}, done
    done = here.run(FLINKFORM, "plan", "--json")
    yield "plan of nothing", {"changes": len(json.loads(done.said)["items"])}, done


def main() -> int:
    """Work on a monorepo whole, and print a line a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=int, default=SIZE, metavar="N", help="number of jobs")
    parser.add_argument("--hostile", action="store_true", help="with hostile names and contents in it")
    options = parser.parse_args()
    words = ("--hostile",) if options.hostile else ()
    with tempfile.TemporaryDirectory(prefix="flinkform-whole-") as name:
        root, refused = checkout(Path(name), options.size, *words)
        for line in refused:
            sys.stderr.write(f"refused, and taken out: {line}\n")
        with serving(root, Path(name) / "home") as here:
            for step, came, took in worked(here):
                figures = {k: round(v, 1) for k, v in asdict(took).items() if isinstance(v, float)}
                print(json.dumps({"whole": step, **came, **figures}), flush=True)  # noqa: T201
            print(json.dumps({"whole": "control plane", "cpu": round(here.served(), 1)}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
