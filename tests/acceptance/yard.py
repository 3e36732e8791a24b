"""A repository with releases of its own: two environments, a signer, and jobs that are edited again and again."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from flinkform.cli import released
from flinkform.controlplane.store import deployments, states
from flinkform.controlplane.store.database import Store
from tests.acceptance.repository import PASSING, ROOT, Repository
from tests.contract.served import Around, served

ZONES = {"dev": "GMT+03:00", "staging": "GMT+08:00", "prod": "GMT+13:00"}
"""What tells the rows of the environments apart, as a script is the same in all of them."""
ENVIRONMENT = """workspace:
  name: yard-{name}
  region: cn-hangzhou
  cpu: 10
  vpc_id: vpc-{name}
  vswitch_ids: [vsw-{name}]
  bucket: yard-{name}
jobs:
  - match: ["**"]
    {jobs}
release:
  canary: ["{canary}"]
"""
SUSPENDED = "state: suspended"
RUNNING = 'flink_options: {{table.local-time-zone: "{zone}"}}'
COUNTING = """SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE numbers (n BIGINT, ts AS PROCTIME()) WITH (
  'connector' = 'datagen', 'rows-per-second' = '20',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '50000'
);
CREATE TABLE counted (zone STRING, tag STRING, rows_seen BIGINT, first_n BIGINT, last_n BIGINT) WITH (
  'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json',
  'sink.rolling-policy.rollover-interval' = '1 s', 'sink.rolling-policy.check-interval' = '1 s'
);
INSERT INTO counted
SELECT FROM_UNIXTIME(0, 'HH'), '{tag}', COUNT(*), MIN(n), MAX(n)
FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '1' SECOND))
GROUP BY window_start, window_end;
"""


def counts(out: Path, zone: str) -> list[dict[str, Any]]:
    """Return the windows that one environment's job has committed, in the order of what they counted."""
    files = [f for f in out.rglob("*") if f.is_file() and not f.name.startswith((".", "_"))]
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return sorted((r for r in rows if r["zone"] == zone[4:6]), key=lambda r: int(r["first_n"]))


@dataclass
class Yard:
    """The repository; *counted* is where its jobs write what they count, where they run."""

    here: Repository
    teams: Sequence[str]
    counted: Path | None = None
    edits: int = 0

    @property
    def file(self) -> str:
        """Where releases are written."""
        return str(self.here.home / "release.json")

    @property
    def id(self) -> str:
        """The release in the file."""
        return str(json.loads(Path(self.file).read_text())["id"])

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """Run git in the checkout."""
        done = subprocess.run(["git", *words], cwd=self.here.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def edit(self) -> str:
        """Commit a change of every job, with one more and one less a team; return the commit before it."""
        before = self.head if self.edits else ""
        self.edits += 1
        for team in self.teams:
            for old in (self.here.root / "jobs" / team).glob("new*.sql"):
                old.unlink()
            for name in ("one", "two", f"new{self.edits}"):
                self.here.write(f"jobs/{team}/{name}.sql", f"{PASSING}-- {self.edits}\n")
            if self.counted:
                self.here.write(
                    f"jobs/{team}/counting.sql", COUNTING.format(path=self.counted, tag=f"edit {self.edits}")
                )
                self.here.write(f"jobs/{team}/two.yaml", SUSPENDED)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"edit {self.edits}")
        return before

    def run(self, *words: str, environment: str = "dev") -> dict[str, Any]:
        """Run a command that has to work."""
        found: dict[str, Any] = self.here.ok(*words, FLINKFORM_ENVIRONMENT=environment)
        return found

    def newest(self, environment: str) -> tuple[str, str]:
        """Return the id of the release that was begun last, and how it ended."""
        last = self.run("history", environment=environment)["releases"][0]
        return last["release"], last["outcome"]

    def wrong(self, environment: str) -> Iterator[str]:
        """Yield what is not in order after a release that came to its end, in words."""
        if (outcome := self.newest(environment)[1]) != "applied":
            yield f"the last release is {outcome}"
        if left := self.run("plan", "--at", "HEAD", environment=environment)["items"]:
            yield f"there is something left to do: {[one['name'] for one in left]}"
        store = self.store()
        try:
            with store.read() as db:
                yield from (f"{one.address} is locked by {one.document.get('Who')}" for one in states.locked(db))
                yield from self._twice(db, environment)
        finally:
            store.close()
        yield from self.faults()
        yield from self._lost()

    def faults(self) -> list[str]:
        """Return what log, labels and Git do not say alike."""
        store = self.store()
        try:
            with store.read() as db, contextlib.chdir(self.here.root):
                return released.proven(db)[1]
        finally:
            store.close()

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.here.home / 'controlplane.db'}")

    def _twice(self, db: Any, environment: str) -> Iterator[str]:
        """Yield the jobs that the state or the control plane has otherwise than the folder: none, twice, or more."""
        for team in self.teams:
            wanted = Counter(file.stem for file in (self.here.root / "jobs" / team).glob("*.sql"))
            rows = json.loads(states.read(db, f"{environment}/{team}") or b"{}").get("resources", ())
            jobs = [one["attributes"] for r in rows if r["type"] == "flink_job" for one in r["instances"]]
            if (kept := Counter(job["name"] for job in jobs)) != wanted:
                yield f"the state of {team} has {dict(kept)}, expected {dict(wanted)}"
            spaces = {(job["workspace"], job["namespace"]) for job in jobs}
            there = Counter(one.name for place in spaces for one in deployments.page(db, *place, limit=1000).items)
            if there != wanted:
                yield f"the control plane has {dict(there)} in {team}, expected {dict(wanted)}"

    def _lost(self) -> Iterator[str]:
        """Yield where rows were lost or counted twice."""
        if self.counted is None:
            return
        for name, zone in ZONES.items():
            rows = counts(self.counted, zone)
            if rows and rows[0]["first_n"] != 1:
                yield f"{name} begins with row {rows[0]['first_n']}"
            for one, other in pairwise(rows):
                if other["first_n"] != one["last_n"] + 1:
                    yield f"{name} has {other['first_n']} after {one['last_n']}"


@contextlib.contextmanager
def yard(
    folder: Path,
    *,
    environments: Sequence[str] = ("dev",),
    teams: Sequence[str] = ("shop",),
    around: Around = lambda app: app,
) -> Iterator[Yard]:
    """Make the repository in *folder* with jobs that do not run, at a control plane with a Flink in memory.

    *around* is laid around the control plane's application.
    """
    with served(folder / "home", around=around) as plane:
        shell = {
            "FLINKFORM_ENDPOINT": plane.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": plane.key.id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": plane.key.secret,
        }
        made = Yard(Repository.make(folder / "root", home=folder / "home", **shell), teams)
        furnish(made, folder, environments, SUSPENDED)
        yield made


@contextlib.contextmanager
def running(folder: Path, *, environments: Sequence[str] = ("dev",)) -> Iterator[Yard]:
    """Make the repository in *folder* with jobs that run on a real Flink, and count."""
    made = Yard(Repository.make(folder / "root", home=folder / "home"), ("shop",), folder / "counted")
    furnish(made, folder, environments, RUNNING)
    try:
        made.here.ok("up")
        yield made
    finally:
        made.here.run("down")


def furnish(made: Yard, folder: Path, environments: Sequence[str], jobs: str) -> None:
    """Give the repository environments, a signer and an author, and none of the jobs that it has."""
    root = made.here.root
    for file in (root / "jobs" / "shop").iterdir():
        file.unlink()
    for name in environments:
        said = ENVIRONMENT.format(name=name, jobs=jobs.format(zone=ZONES[name]), canary=f"{made.teams[0]}/**")
        made.here.write(f"environments/{name}.yaml", said)
    schema = (ROOT / "environments" / "schema.yaml").read_text()
    made.here.write("environments/schema.yaml", f"{schema.rstrip()}\n  - table.local-time-zone\n")
    made.here.write("environments/signers", f"ada@example.com {key(folder / 'key')}\n")
    made.here.write(".gitignore", "cdktf.out/\n__pycache__/\n")
    made.git("init", "-q", "-b", "main")
    settings = {
        "user.name": "Ada",
        "user.email": "ada@example.com",
        "gpg.format": "ssh",
        "user.signingkey": str(folder / "key"),
    }
    for name, value in settings.items():
        made.git("config", name, value)


def key(file: Path) -> str:
    """Make an SSH key, and return its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True, capture_output=True)
    return " ".join(file.with_suffix(".pub").read_text().split()[:2])
