"""What it costs to know a repository of n jobs from its commits, against git alone.

clone and index: a whole process that clones the repository and lists every job with its inputs and their ids, against
`git clone` and `git ls-files`. fetch and select: the same for one new commit and the jobs that it changes, against
`git fetch`; once by a whole process, once by a Python that runs already. select: which jobs a commit of 1, 10 and 300
files changes, against reading and laying out all jobs.

The repository is FLINKFORM_CORPUS' monorepo. Times are CPU seconds, user and system, of the process and its children,
the smallest of some rounds, as other work on the machine falsifies wall time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flinkform import jobfile
from flinkform.release.git import Repository
from flinkform.release.select import JOBS, select
from flinkform.release.tree import CommitTree, below
from tests import monorepo

SIZE, ROUNDS = 3_000, 5
SHELL = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def main() -> int:
    """Measure, and print one JSON line a figure; with `--child` be the measured process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=int, default=SIZE, metavar="N", help="number of jobs")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return 0
    if not monorepo.BUILDER.exists():
        sys.stderr.write(f"{monorepo.BUILDER} is not there; FLINKFORM_CORPUS names the folder that has it\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="flinkform-bench-") as name:
        measure(Path(name), options.size, options.rounds)
    return 0


def measure(folder: Path, size: int, rounds: int) -> None:
    monorepo.build(folder, "--jobs", str(size))
    origin, truth = folder / "repo.git", json.loads((folder / "truth.json").read_text())
    clone = folder / "clone"

    def cloned(*after: str) -> None:
        shutil.rmtree(clone, ignore_errors=True)
        subprocess.run([*after, str(origin), str(clone)], check=True, capture_output=True)

    def bare() -> None:
        cloned("git", "clone", "-q")
        subprocess.run(["git", "-C", str(clone), "ls-files", "-s"], check=True, capture_output=True)

    whole = [sys.executable, "-m", "benchmarks.repository", "--child"]
    told("clone and index", size, *least(rounds, lambda: cloned(*whole, "clone"), bare))
    last = truth["commits"][-1]["sha"]

    def read() -> None:
        subprocess.run([*whole, "all", str(origin), last], check=True)

    for kind, files in (("one", 1), ("ten", 10), ("threehundred", 300)):
        commit = next(one["sha"] for one in reversed(truth["commits"]) if one["kind"] == kind)
        command = [*whole, "select", str(origin), commit]
        told(f"select {files} of all jobs", size, *least(rounds, partial(subprocess.run, command, check=True), read))
    increments(folder, origin, size, rounds)


def increments(folder: Path, origin: Path, size: int, rounds: int) -> None:
    """Measure a fetch of one commit, with and without the selection of what it changes."""
    before = subprocess.run(["git", "-C", str(origin), "rev-parse", "HEAD~3"], check=True, capture_output=True)
    behind = folder / "behind"
    subprocess.run(["git", "clone", "-q", "--bare", str(origin), str(behind)], check=True)
    pristine = before.stdout.decode().strip()

    def fetched(command: list[str]) -> None:
        subprocess.run(["git", "-C", str(behind), "update-ref", "refs/heads/main", pristine], check=True)
        subprocess.run(command, check=True, capture_output=True)

    plain = ["git", "-C", str(behind), "fetch", "-q", str(origin), "main:main"]
    ours = [sys.executable, "-m", "benchmarks.repository", "--child", "fetch", str(behind), str(origin)]
    told("fetch and select", size, *least(rounds, lambda: fetched(ours), lambda: fetched(plain)))

    def running() -> None:
        subprocess.run(["git", "-C", str(behind), "update-ref", "refs/heads/main", pristine], check=True)
        child("fetch", str(behind), str(origin))

    told("fetch and select, Python running", size, *least(rounds, running, lambda: fetched(plain)))


def child(word: str, *words: str) -> None:
    """Do one thing that is measured."""
    if word == "clone":
        subprocess.run(["git", "clone", "-q", *words], check=True)
        repository = Repository.around(Path(words[1]), SHELL)
        index(repository, repository.resolve("HEAD"))
    elif word == "all":
        everything(Repository.around(Path(words[0]), SHELL), words[1])
    elif word == "select":
        repository = Repository.around(Path(words[0]), SHELL)
        select(repository, repository.commit(words[1]).parents[0], words[1], environment="dev")
    else:
        repository = Repository.around(Path(words[0]), SHELL)
        old = repository.resolve("main")
        subprocess.run(["git", "-C", words[0], "fetch", "-q", words[1], "main:main"], check=True)
        select(repository, old, repository.resolve("main"), environment="dev")


def index(repository: Repository, commit: str) -> dict[str, list[str]]:
    """Return the ids of the inputs of every job."""
    files = below(repository.tree(commit, JOBS), JOBS)
    own = {path for path in files if jobfile.owner(path, files) == path}
    return {path: [files[one].object for one in jobfile.inputs(path) if one in files] for path in own}


def everything(repository: Repository, commit: str) -> None:
    """Read every job of a commit, and lay its files over each other."""
    entries = below(repository.tree(commit, JOBS), JOBS)
    with repository.objects() as objects:
        tree = CommitTree(objects, entries, JOBS)
        tree.fetch(tree.files(), 1 << 20)
        jobfile.survey(tree)


def least(rounds: int, *acts: Callable[[], object]) -> list[float]:
    """Return the CPU seconds of the cheapest run of each, taken in turns so that all have the same machine."""
    found = [[cost(act) for act in acts] for _ in range(rounds)]
    return [min(row[at] for row in found) for at in range(len(acts))]


def cost(act: Callable[[], object]) -> float:
    before = _cpu()
    act()
    return _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def told(name: str, size: int, candidate: float, floor: float) -> None:
    print(
        json.dumps(
            {
                "benchmark": name,
                "n": size,
                "unit": "CPU s",
                "candidate": round(candidate, 3),
                "floor": round(floor, 3),
                "ratio": round(candidate / floor, 3),
            }
        )
    )


if __name__ == "__main__":
    sys.exit(main())
