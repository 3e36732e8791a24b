"""A monorepo of 3,000 jobs, and whether every one of its commits selects the jobs that it changes: `make monorepo`.

FLINKFORM_CORPUS names the folder with the program that builds it, and that writes for every commit what it changes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flinkform.release.git import EMPTY, Repository
from flinkform.release.select import How, select

ROOT = Path(__file__).parents[1]
BUILDER = Path(os.environ.get("FLINKFORM_CORPUS") or ROOT.parent / "shared" / "corpus") / "build_monorepo.py"
_TOLD = {How.ADDED: "added", How.MODIFIED: "modified", How.DELETED: "deleted"}


def build(folder: Path, *words: str) -> str:
    """Build a monorepo in *folder*: `repo.git` and `truth.json`; return what its builder says."""
    done = subprocess.run(
        [sys.executable, str(BUILDER), str(folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout


def check(folder: Path) -> tuple[int, list[str]]:
    """Return how many commits were looked at, and those whose selection is not exactly the truth."""
    truth = json.loads((folder / "truth.json").read_text())
    repository = opened(folder)
    wrong = []
    for commit in truth["commits"]:
        before = (*repository.commit(commit["sha"]).parents, EMPTY)[0]
        jobs = select(repository, before, commit["sha"], environment="dev").jobs
        said = {name: sorted(f"jobs/{one.path}" for one in jobs if one.how is how) for how, name in _TOLD.items()}
        moved = {f"jobs/{one.before}": f"jobs/{one.path}" for one in jobs if one.how is How.RENAMED}
        if moved != commit["renamed"] or any(said[name] != commit[name] for name in said):
            wrong.append(f"{commit['sha']} {commit['kind']}")
    return len(truth["commits"]), wrong


def opened(folder: Path) -> Repository:
    """Return the monorepo in *folder*."""
    return Repository.around(folder / "repo.git", {"PATH": os.environ["PATH"], "HOME": str(folder)})


def main() -> int:
    """Build both kinds whole and print what came of them, one JSON line each; 1 where a commit is wrong."""
    bad = 0
    for words in ((), ("--hostile",)):
        with tempfile.TemporaryDirectory(prefix="flinkform-monorepo-") as name:
            folder = Path(name)
            sys.stderr.write(f"> building a monorepo {' '.join(words)}\n{build(folder, *words)}")
            began, before = time.monotonic(), _cpu()
            checked, wrong = check(folder)
            figures = {"commits": checked, "exact": checked - len(wrong), "wrong": wrong, "cpu": _cpu() - before}
            print(json.dumps({"monorepo": " ".join(words), **figures, "wall": time.monotonic() - began}))  # noqa: T201
            bad += len(wrong)
    return 1 if bad else 0


def _cpu() -> float:
    """Return the CPU seconds of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main())
