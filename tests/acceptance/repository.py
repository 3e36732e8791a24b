"""A small repository of jobs with a control plane of its own, driven by the real command line."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from flinkform.testing.repository import bare
from tests.acceptance.terraform import told

ROOT = Path(__file__).parents[2]
FLINKFORM = str(Path(sys.executable).with_name("flinkform"))
PASSING = """CREATE TABLE orders (id BIGINT, price DOUBLE) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE seen (id BIGINT, price DOUBLE) WITH ('connector' = 'blackhole');
INSERT INTO seen SELECT id, price FROM orders;
"""
"""A script that runs for ever, in one slot."""
ENVIRONMENT = """workspace:
  name: bad-input
  region: cn-hangzhou
  cpu: 4
  vpc_id: vpc-dev
  vswitch_ids: [vsw-dev]
  bucket: bad-input
"""
DIRECT = build_opener(ProxyHandler({}))


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    if subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@dataclass(frozen=True)
class Failure:
    """A command that ended as an expected failure: its object on stdout, and what a person reads on stderr."""

    said: dict[str, Any]
    err: str

    @property
    def text(self) -> str:
        """The error in one line, without terraform's frames and line breaks."""
        return told(self.err[self.err.index("error: ") :])

    @property
    def places(self) -> list[str]:
        """FILE:LINE:COLUMN of every part."""
        return ["{file}:{line}:{column}".format(**part["position"]) for part in self.said["parts"]]


@dataclass(frozen=True)
class Repository:
    """A checkout with jobs in the namespace `shop`, and the shell that its owner works in."""

    root: Path
    home: Path
    shell: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, root: Path, *, home: Path | None = None, **shell: str) -> Repository:
        """Write one: a job that runs and a job that does not."""
        shutil.copytree(ROOT / "stacks", root / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("main.py", "cdktf.json"):
            shutil.copy(ROOT / name, root)
        made = cls(root, home or root / ".flinkform", shell)
        made.write("environments/dev.yaml", ENVIRONMENT)
        made.write("environments/schema.yaml", (ROOT / "environments" / "schema.yaml").read_text())
        made.job("orders")
        made.job("quiet", "state: suspended\n", sql="\ufeff" + PASSING)
        return made

    def write(self, path: str, text: str) -> Path:
        """Write a file of the checkout."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def job(self, name: str, sidecar: str = "", *, sql: str = PASSING) -> None:
        """Write a job of the namespace `shop`."""
        self.write(f"jobs/shop/{name}.sql", sql)
        if sidecar:
            self.write(f"jobs/shop/{name}.yaml", sidecar)
        else:
            (self.root / "jobs" / "shop" / f"{name}.yaml").unlink(missing_ok=True)

    def environment(self, **shell: str) -> dict[str, str]:
        """Return what a program gets that is started in this shell."""
        return {**bare(os.environ), "FLINKFORM_HOME": str(self.home), **self.shell, **shell}

    def run(self, *words: str, **shell: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            [FLINKFORM, *words],
            cwd=self.root,
            env=self.environment(**shell),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ok(self, *words: str, **shell: str) -> Any:
        """Run a command that has to work, and return what `--json` prints."""
        done = self.run(*words, "--json", **shell)
        assert done.returncode == 0, f"flinkform {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def refused(self, *words: str, code: str = "", **shell: str) -> Failure:
        """Run a command that has to fail as expected failures do: exit code 1, words and an object, no traceback.

        *code* is what the object has to name, '' for none.
        """
        done = self.run(*words, "--json", **shell)
        assert done.returncode == 1, f"flinkform {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        said = json.loads(done.stdout)
        assert {"error", "message", "advice", "at", "position", "parts"} == said.keys() - {"code"}
        assert said.get("code", "") == code, said
        return Failure(said, done.stderr)

    def terraform(self, folder: Path, *words: str, **shell: str) -> tuple[int, str]:
        """Run plain terraform as after `eval "$(flinkform env)"`; return exit code and what it said in one line."""
        environment = self.environment() | self.ok("env") | shell
        command = [environment["TERRAFORM_BINARY_NAME"], f"-chdir={folder}", *words]
        environment = {name: value for name, value in environment.items() if value}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, told(done.stdout + done.stderr)

    def ask(self, path: str) -> Any:
        """Ask the control plane, as its owner may."""
        kept = json.loads((self.home / "credentials.json").read_text())
        token = base64.b64encode(f"{kept['access_key_id']}:{kept['access_key_secret']}".encode()).decode()
        asked = Request((self.home / "endpoint").read_text() + path, headers={"Authorization": f"Basic {token}"})  # noqa: S310 -- our own address
        with DIRECT.open(asked, timeout=20) as answer:
            return json.load(answer)

    def world(self) -> dict[str, Any]:
        """Return all that a failure must leave as it is: what runs, under which id, and the states with their locks."""
        jobs = {
            j["name"]: (j["deployment_id"], j["job_id"], j["state"]) for j in self.ask("/flinkform/v1/status")["jobs"]
        }
        states = {s["address"]: (s["version"], s["lock"]) for s in self.ask("/flinkform/v1/states")["states"]}
        return {"jobs": jobs, "states": states}

    def states(self) -> dict[str, str]:
        """Return the state of every job."""
        return {job["name"]: job["state"] for job in self.ask("/flinkform/v1/status")["jobs"]}

    def pid(self) -> int:
        """Return the process id of the control plane."""
        return int((self.home / "controlplane.pid").read_text())

    @property
    def port(self) -> int:
        """Where the control plane listens, or did."""
        return int((self.home / "endpoint").read_text().rsplit(":", 1)[1])
