"""Kills `apply`, `promote` and `rollback` at random points, and looks whether the next run brings all in order.

`python -m tests.acceptance.kills [--points 50] [--seed 7]` (make kills) prints one JSON line. The jobs are suspended
and the control plane has a Flink in memory: what is killed is the command, with its Terraform or without.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flinkform.cli import released
from flinkform.controlplane.store import states
from flinkform.controlplane.store.database import Store
from tests.acceptance.repository import FLINKFORM, PASSING, ROOT, Repository
from tests.contract.served import served

ENVIRONMENT = """workspace:
  name: yard-{name}
  region: cn-hangzhou
  cpu: 10
  vpc_id: vpc
  vswitch_ids: [vsw]
  bucket: yard
jobs:
  - match: ["**"]
    state: suspended
release:
  canary: [pay/**]
"""
TEAMS = ("pay", "shop")
KINDS = ("apply", "promote", "rollback")


@dataclass
class Yard:
    """A repository with two environments; *seconds* is how long each command took that was let alone."""

    here: Repository
    rng: random.Random
    seconds: dict[str, float] = field(default_factory=dict)
    edits: int = 0
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def file(self) -> str:
        return str(self.here.home / "release.json")

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.here.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def edit(self) -> str:
        """Commit a change of every job, one more and one less; return the commit before it."""
        before = self.git("rev-parse", "HEAD") if self.edits else ""
        self.edits += 1
        for team in TEAMS:
            for name in ("one", "two", f"new{self.edits}"):
                self.here.write(f"jobs/{team}/{name}.sql", f"{PASSING}-- {self.edits}\n")
            (self.here.root / "jobs" / team / f"new{self.edits - 1}.sql").unlink(missing_ok=True)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"edit {self.edits}")
        return before

    def run(self, *words: str, environment: str = "dev") -> dict[str, Any]:
        """Run a command to its end and remember how long that took."""
        began = time.monotonic()
        found: dict[str, Any] = self.here.ok(*words, FLINKFORM_ENVIRONMENT=environment)
        self.seconds[words[0]] = max(time.monotonic() - began, self.seconds.get(words[0], 0.0))
        return found

    def kill(self, *words: str, environment: str = "dev") -> bool:
        """Run a command and kill it at a random point of its time; False where it was done before."""
        shell = self.here.environment(FLINKFORM_ENVIRONMENT=environment)
        process = subprocess.Popen(
            [FLINKFORM, *words],
            cwd=self.here.root,
            env=shell,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.rng.uniform(0.1, self.seconds[words[0]]))
        alone = self.rng.random() < 0.5
        if process.poll() is None:
            process.kill() if alone else os.killpg(process.pid, signal.SIGKILL)
        self.killed[words[0]] += process.wait() < 0
        return process.returncode < 0

    def point(self, kind: str) -> None:
        """Kill one command, go on as a person would, and check."""
        before = self.edit()
        self.run("release", "--since", before, "--out", self.file)
        if kind == "apply":
            self.kill("apply", self.file)
            if self.rng.random() < 0.5 or not self.undone(before):
                self.finish()
        else:
            self.run("apply", self.file)
        if kind == "promote":
            self.kill("promote", "dev", "staging", "--out", self.file)
            self.run("promote", "dev", "staging", "--out", self.file)
            self.kill("apply", self.file, environment="staging")
            self.finish(environment="staging")
        if kind == "rollback":
            head = self.git("rev-parse", "HEAD")
            Path(self.file).unlink()
            self.kill("rollback", "--to", before, "--out", self.file)
            if self.git("rev-parse", "HEAD") == head:
                self.run("rollback", "--to", before, "--out", self.file)
            self.kill("apply", self.file)
            self.finish()
        self.check("staging" if kind == "promote" else "dev")

    def finish(self, *, environment: str = "dev") -> None:
        """Apply the release again, unless it came to its end before it was to be killed."""
        newest = self.run("history", environment=environment)["releases"][0]
        if (newest["release"], newest["outcome"]) != (json.loads(Path(self.file).read_text())["id"], "applied"):
            self.run("apply", self.file, environment=environment)

    def undone(self, before: str) -> bool:
        """Go back by another release; False where nothing was changed that could be."""
        done = self.here.run("rollback", "--to", before, "--out", f"{self.file}.back", FLINKFORM_ENVIRONMENT="dev")
        if done.returncode:
            assert "there is nothing to release" in done.stderr, done.stderr
            return False
        self.run("apply", f"{self.file}.back")
        return True

    def check(self, environment: str) -> None:
        """No lock is left, nothing is planned, each job is there once, and log, labels and Git are one."""
        assert self.run("history", environment=environment)["releases"][0]["outcome"] == "applied"
        assert self.run("plan", "--at", "HEAD", environment=environment)["items"] == []
        store = Store.open(f"sqlite:///{self.here.home / 'controlplane.db'}")
        try:
            with store.read() as db:
                assert states.locked(db) == []
                with contextlib.chdir(self.here.root):
                    assert released.proven(db)[1] == []
                kept = json.loads(states.read(db, f"{environment}/shop") or b"{}")
        finally:
            store.close()
        names = [
            one["attributes"]["name"] for r in kept["resources"] if r["type"] == "flink_job" for one in r["instances"]
        ]
        assert sorted(names) == sorted(file.stem for file in (self.here.root / "jobs" / "shop").glob("*.sql"))


@contextlib.contextmanager
def yard(folder: Path, seed: int) -> Iterator[Yard]:
    """Make the repository in *folder*, with both environments released once."""
    with served(folder / "home") as plane:
        shell = {
            "FLINKFORM_ENDPOINT": plane.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": plane.key.id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": plane.key.secret,
        }
        here = Repository.make(folder / "root", home=folder / "home", **shell)
        made = Yard(here, random.Random(seed))  # noqa: S311 -- to be repeated, not to be kept secret
        _furnish(made, folder)
        made.edit()
        made.run("release", "--out", made.file)
        made.run("apply", made.file)
        made.run("promote", "dev", "staging", "--out", made.file)
        made.run("apply", made.file, environment="staging")
        made.seconds["rollback"] = made.seconds["promote"]
        yield made


def _furnish(made: Yard, folder: Path) -> None:
    """Give the repository environments, a signer and an author."""
    key, root = folder / "key", made.here.root
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, capture_output=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    for file in (root / "jobs" / "shop").iterdir():
        file.unlink()
    for name in ("dev", "staging"):
        made.here.write(f"environments/{name}.yaml", ENVIRONMENT.format(name=name))
    made.here.write("environments/schema.yaml", (ROOT / "environments" / "schema.yaml").read_text())
    made.here.write("environments/signers", f"ada@example.com {public}\n")
    made.here.write(".gitignore", "cdktf.out/\n__pycache__/\n")
    made.git("init", "-q", "-b", "main")
    settings = {"user.name": "Ada", "user.email": "ada@example.com", "gpg.format": "ssh", "user.signingkey": str(key)}
    for name, value in settings.items():
        made.git("config", name, value)


def kills(folder: Path, *, points: int, seed: int) -> dict[str, Any]:
    """Kill *points* times, of each kind in turn, and return how often which command was."""
    with yard(folder, seed) as made:
        for number in range(points):
            kind = KINDS[number % len(KINDS)]
            sys.stderr.write(f"> point {number + 1} of {points}: {kind}\n")
            made.point(kind)
    return {"points": points, "seed": seed, "killed": dict(made.killed), "wrong": 0}


def main() -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flinkform-kills-") as name:
        print(json.dumps(kills(Path(name), points=options.points, seed=options.seed)))  # noqa: T201


if __name__ == "__main__":
    main()
