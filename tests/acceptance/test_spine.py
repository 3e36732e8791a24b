"""From job files to RUNNING on real Flink and back, with the real terraform: what `make run` promises."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_foasconsole20211028 import models as console_models
from alibabacloud_foasconsole20211028.client import Client as Console
from alibabacloud_tea_openapi.utils_models import Config
from alibabacloud_ververica20220718 import models
from alibabacloud_ververica20220718.client import Client as Ververica
from darabonba.runtime import RuntimeOptions

from flinkform.testing.repository import bare

ROOT = Path(__file__).parents[2]
FLINKFORM = Path(sys.executable).with_name("flinkform")
FINAL = {"RUNNING", "FINISHED"}

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and (shutil.which("terraform") or shutil.which("tofu"))),
    reason="needs java and terraform",
)


@dataclass(frozen=True)
class Checkout:
    """A copy of the reference repository with a home of its own."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / ".flinkform"

    def shell(self) -> dict[str, str]:
        return bare(os.environ)

    def run(self, *words: str, ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run `flinkform` here."""
        done = subprocess.run(
            [FLINKFORM, *words],
            cwd=self.root,
            env=self.shell(),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode in ok, f"flinkform {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def states(self) -> dict[str, str]:
        return {f"{j['namespace']}/{j['name']}": j["state"] for j in self.json("status")["jobs"]}

    def pid(self) -> int:
        return int((self.home / "controlplane.pid").read_text())

    def terraform(self, stack: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run plain terraform as a shell does after `eval "$(flinkform env)"`."""
        environment = self.shell() | self.json("env")
        program = environment["TERRAFORM_BINARY_NAME"]
        command = [program, f"-chdir=cdktf.out/stacks/{stack}", *words]
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The reference repository, up."""
    root = tmp_path_factory.mktemp("repo")
    for name in ("jobs", "environments", "stacks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("main.py", "cdktf.json"):
        shutil.copy(ROOT / name, root)
    here = Checkout(root)
    try:
        here.run("up")
        yield here
    finally:
        here.run("down")


def eventually(what: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for *what* to hold."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.3)


def gone(pid: int) -> bool:
    """Say whether the process has ended; one that nobody has asked about yet is a zombie, and has."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


def processes(home: Path) -> list[str]:
    """Return the commands that run with this home, the JVM's too."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(home) in command:
            found.append(command.replace(b"\0", b" ").decode())
    return found


def settled(here: Checkout) -> bool:
    states = here.states()
    return bool(states) and set(states.values()) <= FINAL


def test_every_job_reaches_its_state_and_a_second_run_changes_nothing(checkout: Checkout) -> None:
    """All jobs RUNNING, batch FINISHED; the second `up` finds nothing to do."""
    eventually(lambda: settled(checkout))
    states = checkout.states()
    assert len(states) >= 12
    assert sum(s == "RUNNING" for s in states.values()) >= 11
    assert "FINISHED" in states.values()
    again = checkout.json("up")
    assert again["changed"] is False
    assert {s["name"] for s in again["stacks"]} >= {n.split("/")[0] for n in states}


def test_plain_terraform_plans_empty_in_every_stack(checkout: Checkout) -> None:
    """After `flinkform env` a shell's own terraform sees the same."""
    for folder in sorted((checkout.root / "cdktf.out" / "stacks").iterdir()):
        done = checkout.terraform(folder.name, "plan", "-input=false", "-detailed-exitcode", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr


def test_down_and_up_bring_the_same_jobs_back(checkout: Checkout) -> None:
    """`down` leaves no process; `up` finds the same deployments and runs, and nothing to change."""
    before = {j["deployment_id"]: j["job_id"] for j in checkout.json("status")["jobs"]}
    pid = checkout.pid()
    checkout.run("down")
    assert gone(pid)
    assert not processes(checkout.home)
    assert checkout.json("up")["changed"] is False
    eventually(lambda: settled(checkout))
    assert {j["deployment_id"]: j["job_id"] for j in checkout.json("status")["jobs"]} == before


def test_a_killed_control_plane_brings_every_job_back(checkout: Checkout) -> None:
    """SIGKILL, then `up`: the JVM went with it, every job runs again, the plan stays empty."""
    os.kill(checkout.pid(), signal.SIGKILL)
    assert checkout.json("up")["changed"] is False
    eventually(lambda: settled(checkout))


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("jobs/bids/broken.sql", "SELECT FROM WHERE;\n", "jobs/bids/broken.sql:1:"),
        (
            "jobs/bids/unknown.sql",
            "CREATE TABLE t (a INT) WITH ('connector' = 'hologres');\nINSERT INTO t VALUES (1);\n",
            "hologres",
        ),
        ("jobs/bids/_defaults.yaml", "labels: {a: b\nparallelism: 1\n", "jobs/bids/_defaults.yaml:"),
    ],
)
def test_a_bad_file_is_refused_before_anything_changes(checkout: Checkout, file: str, text: str, said: str) -> None:
    """file:line:col, and the jobs run on as they were."""
    path = checkout.root / file
    before = path.read_bytes() if path.exists() else None
    states = checkout.states()
    path.write_text(text)
    try:
        done = checkout.run("up", ok=(1,))
    finally:
        path.write_bytes(before) if before is not None else path.unlink()
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert checkout.states() == states


COUNTING = """-- Counts a sequence in one-second windows: what is counted once, in order, can be checked from outside.
SET 'execution.checkpointing.interval' = '1 s';

CREATE TABLE numbers (n BIGINT, ts AS PROCTIME()) WITH (
  'connector' = 'datagen', 'rows-per-second' = '20',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '50000'
);
CREATE TABLE counted (tag STRING, rows_seen BIGINT, first_n BIGINT, last_n BIGINT) WITH (
  'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json',
  'sink.rolling-policy.rollover-interval' = '1 s', 'sink.rolling-policy.check-interval' = '1 s'
);
INSERT INTO counted
SELECT '{tag}', COUNT(*), MIN(n), MAX(n)
FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '1' SECOND))
GROUP BY window_start, window_end;
"""


def counted(path: Path) -> list[dict[str, Any]]:
    """Return the windows that Flink has committed, in the order of what they counted."""
    files = [f for f in path.rglob("*") if f.is_file() and not f.name.startswith((".", "_"))]
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return sorted(rows, key=lambda r: r["first_n"])


def test_an_edit_goes_on_from_the_savepoint(checkout: Checkout, tmp_path: Path) -> None:
    """One stack is planned, in place; Flink's own output shows every row counted once across the edit."""
    out = tmp_path / "counted"
    file = checkout.root / "jobs" / "bids" / "counting.sql"
    file.write_text(COUNTING.format(path=out, tag="before"))
    try:
        checkout.run("up")
        eventually(lambda: len(counted(out)) >= 3)
        file.write_text(COUNTING.format(path=out, tag="after"))
        edited = checkout.json("up")
        planned = {s["name"]: (s["add"], s["change"], s["destroy"]) for s in edited["stacks"]}
        assert planned.pop("bids") == (0, 1, 0)
        assert set(planned.values()) == {(0, 0, 0)}
        eventually(lambda: sum(r["tag"] == "after" for r in counted(out)) >= 3)
        rows = counted(out)
        assert {r["tag"] for r in rows} == {"before", "after"}
        assert rows[0]["first_n"] == 1
        assert all(b["first_n"] == a["last_n"] + 1 for a, b in pairwise(rows))
        assert sum(r["rows_seen"] for r in rows) == rows[-1]["last_n"]
    finally:
        file.unlink()
        gone = checkout.json("up")
    assert {s["name"]: s["destroy"] for s in gone["stacks"]}["bids"] == 1
    assert "bids/counting" not in checkout.states()


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_the_official_sdks_see_and_move_the_same_jobs(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unmodified, they list workspace, namespaces and jobs, stop one with a savepoint and start it again from there."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    environment = checkout.json("env")
    config = Config(
        access_key_id=environment["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        endpoint=environment["FLINKFORM_ENDPOINT"].removeprefix("http://"),
        protocol="http",
    )
    console, ververica, options = Console(config), Ververica(config), RuntimeOptions()
    asked = console_models.DescribeInstancesRequest(region="cn-hangzhou")
    (workspace,) = console.describe_instances_with_options(asked, options).body.instances
    within = console_models.DescribeNamespacesRequest(region="cn-hangzhou", instance_id=workspace.instance_id)
    spaces = {n.namespace for n in console.describe_namespaces_with_options(within, options).body.namespaces}
    assert spaces >= {"bids", "catalog", "fraud", "reporting"}

    def headers(kind: str) -> Any:
        return getattr(models, f"{kind}Headers")(workspace=workspace.resource_id)

    def newest() -> Any:
        listing = models.ListJobsRequest(deployment_id=job["deployment_id"])
        return ververica.list_jobs_with_options("bids", listing, headers("ListJobs"), options).body.data[0]

    every = models.ListDeploymentsRequest(page_size=100)
    found = ververica.list_deployments_with_options("bids", every, headers("ListDeployments"), options).body.data
    job = next(j for j in checkout.json("status")["jobs"] if j["name"] == "latest_bid")
    assert job["deployment_id"] in {d.deployment_id for d in found}
    stop = models.StopJobRequest(body=models.StopJobRequestBody(stop_strategy="STOP_WITH_SAVEPOINT"))
    ververica.stop_job_with_options("bids", newest().job_id, stop, headers("StopJob"), options)
    eventually(lambda: newest().status.current_job_status == "CANCELLED")
    assert checkout.terraform("bids", "plan", "-input=false", "-detailed-exitcode").returncode == 2
    strategy = models.DeploymentRestoreStrategy(kind="LATEST_SAVEPOINT")
    body = models.StartJobRequestBody(deployment_id=job["deployment_id"], restore_strategy=strategy)
    ververica.start_job_with_options("bids", models.StartJobRequest(body=body), headers("StartJob"), options)
    eventually(lambda: newest().status.current_job_status == "RUNNING")
    assert checkout.terraform("bids", "plan", "-input=false", "-detailed-exitcode").returncode == 0
