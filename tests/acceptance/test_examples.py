"""Every folder of `examples/` works as its README says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.testing.repository import bare
from tests.acceptance.terraform import told
from tests.flink.waiting import until

ROOT = Path(__file__).parents[2]
FLINKFORM = str(Path(sys.executable).with_name("flinkform"))

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and (shutil.which("terraform") or shutil.which("tofu"))),
    reason="needs java and terraform",
)


def run(command: list[str], folder: Path, environment: dict[str, str], *, ok: int = 0) -> str:
    """Run one line of a README."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == ok, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr if ok else done.stdout


def shell() -> dict[str, str]:
    return bare(os.environ)


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`examples/minimal`, up."""
    folder = tmp_path_factory.mktemp("examples") / "minimal"
    shutil.copytree(ROOT / "examples" / "minimal", folder)
    try:
        run([FLINKFORM, "up"], folder, shell())
        yield folder
    finally:
        run([FLINKFORM, "down"], folder, shell())


def test_every_example_has_a_test() -> None:
    """An example that nothing runs is one that does not work."""
    assert {p.name for p in (ROOT / "examples").iterdir()} == {
        *("hcl", "inside-another-app", "minimal", "monorepo", "program", "promotion", "tenants"),
    }


def test_minimal_greets(minimal: Path) -> None:
    """One job, RUNNING, with a log of its own; the next `up` changes nothing."""
    (job,) = json.loads(run([FLINKFORM, "status", "--json"], minimal, shell()))["jobs"]
    assert (job["namespace"], job["name"], job["state"]) == ("hello", "greetings", "RUNNING")
    assert "RUNNING" in run([FLINKFORM, "logs", "greetings"], minimal, shell())
    assert json.loads(run([FLINKFORM, "up", "--json"], minimal, shell()))["changed"] is False


@pytest.mark.skipif(not shutil.which("javac"), reason="needs a JDK")
def test_program_is_known_by_its_bytes(tmp_path: Path) -> None:
    """Compiled as its README says it runs; the next `up` changes nothing, other bytes upgrade it with its state."""
    folder = tmp_path / "program"
    shutil.copytree(ROOT / "examples" / "program", folder)
    lines = [line[2:] for line in (folder / "README.md").read_text().splitlines() if line.startswith("$ ")]
    environment = shell() | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    try:
        for line in lines[:3]:
            run(["sh", "-c", line], folder, environment)
        (job,) = json.loads(run([FLINKFORM, "status", "--json"], folder, environment))["jobs"]
        assert (job["namespace"], job["name"], job["state"]) == ("hello", "ticks", "RUNNING")
        assert json.loads(run([FLINKFORM, "up", "--json"], folder, environment))["changed"] is False
        source = folder / "src/org/example/Ticks.java"
        source.write_text(source.read_text().replace("return seen.value()", "return 1000 + seen.value()"))
        for line in lines[:2]:
            run(["sh", "-c", line], folder, environment)
        assert json.loads(run([FLINKFORM, "up", "--json"], folder, environment))["changed"] is True
        printed = (folder / ".flinkform" / "flink" / "jvm.out").read_text
        until(lambda: "ticks> 10" in printed())
        counts = [int(n) % 1000 for n in re.findall(r"ticks> (\d+)", printed())]
        assert counts == list(range(1, len(counts) + 1))
    finally:
        run([FLINKFORM, "down"], folder, environment)


def test_hcl_needs_no_constructs(minimal: Path, tmp_path: Path) -> None:
    """Plain terraform: apply, read through the data sources, plan empty, refuse to lose state, lose it, destroy."""
    folder = tmp_path / "hcl"
    shutil.copytree(ROOT / "examples" / "hcl", folder)
    environment = shell() | json.loads(run([FLINKFORM, "env", "--json"], minimal, shell()))
    terraform = environment["TERRAFORM_BINARY_NAME"]
    run([terraform, "init", "-input=false"], folder, environment)
    run([terraform, "apply", "-auto-approve", "-input=false"], folder, environment)
    said = json.loads(run([terraform, "output", "-json"], folder, environment))
    assert said["states"]["value"] == {"squares": "running", "cubes": "suspended", "totals": "running"}
    assert said["default_engine"]["value"]
    run([terraform, "plan", "-detailed-exitcode", "-input=false"], folder, environment)

    edit = ["-input=false", "-no-color", "-var", "function=MAX"]
    said_no = told(run([terraform, "plan", *edit], folder, environment, ok=1))
    assert "Error: totals would lose state: nothing of what the job computed is kept" in said_no
    assert "dropped: aggregate: groupBy=[customer], select=[customer, SUM(amount) AS EXPR$1]; it computes" in said_no
    allowed = [*edit, "-var", "on_incompatible=drop_partial"]
    warned = told(run([terraform, "apply", "-auto-approve", *allowed], folder, environment))
    assert '+ state_verdict = "lost"' in warned
    assert "totals loses its state: nothing of what the job computed is kept" in warned
    run([terraform, "plan", "-detailed-exitcode", *allowed], folder, environment)
    said = json.loads(run([terraform, "output", "-json"], folder, environment))
    assert (said["verdict"]["value"], said["states"]["value"]["totals"]) == ("lost", "running")

    run([terraform, "destroy", "-auto-approve", *edit], folder, environment)
    assert "squares" not in run([FLINKFORM, "status", "--json"], minimal, shell())


def test_tenants_stand_for_themselves(tmp_path: Path) -> None:
    """Twenty tenants in one apply: the seventh fails, nineteen run, and the next `up` makes what is missing."""
    folder = tmp_path / "tenants"
    shutil.copytree(ROOT / "examples" / "tenants", folder)
    lines = re.findall(r"^\$ (.*)$", (folder / "README.md").read_text(), re.MULTILINE)
    breaks, up, mends, again, status, down = (shlex.split(line) for line in lines)
    assert up == again == ["flinkform", "up"]
    try:
        run(breaks, folder, shell())
        said = told(run([FLINKFORM, "up"], folder, shell(), ok=1))
        assert "MONEY(10, 2)" in (folder / "tenants.yaml").read_text()
        assert said.count("Error: ") == 1
        assert "grove_job-usage_per_minute" in said
        assert "MONEY" in said
        assert states(folder, status) == ["RUNNING"] * 19
        run(mends, folder, shell())
        outcome = json.loads(run([FLINKFORM, "up", "--json"], folder, shell()))
        assert [(one["add"], one["change"], one["destroy"]) for one in outcome["stacks"]] == [(1, 0, 0)]
        assert states(folder, status) == ["RUNNING"] * 20
    finally:
        run([FLINKFORM, *down[1:]], folder, shell())


def copied(name: str, folder: Path) -> tuple[Path, list[str], dict[str, str]]:
    """A copy of an example, the lines of its README, and the shell that they are typed into."""
    made = folder / name
    shutil.copytree(ROOT / "examples" / name, made, ignore=shutil.ignore_patterns("__pycache__", "cdktf.out"))
    lines = re.findall(r"^\$ (.*)$", (made / "README.md").read_text(), re.MULTILINE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return made, lines, shell() | {"PATH": path, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.mark.parametrize("name", ["monorepo", "promotion"])
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_is_shared_is_in_every_stack(tmp_path: Path, name: str, environment: str) -> None:
    """What includes and variables stand for is written out, as each environment says; no control plane is asked."""
    folder, _, variables = copied(name, tmp_path)
    run(["python", "main.py"], folder, variables | {"FLINKFORM_ENVIRONMENT": environment})
    written = [json.loads(file.read_text()) for file in (folder / "cdktf.out/stacks").glob("*/cdk.tf.json")]
    jobs = [job for one in written for job in one.get("resource", {}).get("flink_job", {}).values()]
    prefix = {"monorepo": {"prod": "live"}}.get(name, {}).get(environment, environment)
    assert len(jobs) == {"monorepo": 3, "promotion": 1}[name]
    assert all(f"/tmp/{name}/{prefix}/" in job["sql"] and "flinkform:" not in job["sql"] for job in jobs)  # noqa: S108


@pytest.mark.skipif(os.environ.get("FLINKFORM_HEAVY") != "1", reason="takes a minute: make guides")
def test_monorepo_keeps_what_is_renamed(tmp_path: Path) -> None:
    """Three teams whose jobs include one table; a file under another name is the same deployment; rules are kept."""
    folder, lines, environment = copied("monorepo", tmp_path)
    validate, up, status, rename, says, again, down = lines

    def jobs() -> dict[str, str]:
        rows = json.loads(run(["sh", "-c", f"{status} --json"], folder, environment))["jobs"]
        return {f"{row['namespace']}/{row['name']}": row["deployment_id"] for row in rows}

    try:
        assert run(["sh", "-c", validate], folder, environment) == ""
        run(["sh", "-c", up], folder, environment)
        before = jobs()
        assert set(before) == {"orders/clean", "payments/daily.totals", "risk/alerts"}
        run(["sh", "-c", rename], folder, environment)
        run(["sh", "-c", says], folder, environment)
        outcome = json.loads(run(["sh", "-c", f"{again} --json"], folder, environment))
        changed = [(one["name"], one["add"], one["change"], one["destroy"]) for one in outcome["stacks"] if any_(one)]
        assert changed == [("risk", 0, 1, 0)]
        assert jobs() == {
            **{k: v for k, v in before.items() if k != "risk/alerts"},
            "risk/large_orders": before["risk/alerts"],
        }
        (folder / "CODEOWNERS").write_text("/jobs/orders/ @org/orders\n")
        (folder / "jobs/risk/_defaults.yaml").unlink()
        refused = run(["python", "main.py"], folder, environment, ok=1)
        assert "CODEOWNERS names nobody for jobs/payments/daily/totals.sql" in refused
        assert "labels: expected the label team, got none" in refused
    finally:
        run(["sh", "-c", down], folder, environment)


def any_(one: dict[str, int]) -> bool:
    """Whether an outcome changed anything."""
    return bool(one["add"] or one["change"] or one["destroy"])


@pytest.mark.skipif(os.environ.get("FLINKFORM_HEAVY") != "1", reason="takes a minute: make guides")
def test_promotion_carries_one_artefact(tmp_path: Path) -> None:
    """From dev to prod by signed releases; environments differ in what their schema names; the audit verifies."""
    folder, lines, environment = copied("promotion", tmp_path)
    *steps, diff, blame, audit, down = lines
    try:
        for line in steps:
            run(["sh", "-c", line], folder, environment)
        said = json.loads(run(["sh", "-c", f"{diff} --json"], folder, environment))
        keys = {(one["what"], one["key"]) for one in said["differences"]} - {("workspace", key) for key in WORKSPACE}
        assert keys == {("jobs/shop/orders.sql", "parallelism"), ("jobs/shop/orders.sql", "variables.prefix")}
        assert json.loads(run(["sh", "-c", f"{blame} --json"], folder, environment))["agrees"] is True
        proven = json.loads(run(["sh", "-c", f"{audit} --json"], folder, environment))
        assert (proven["releases"], proven["faults"]) == (3, [])
    finally:
        run(["sh", "-c", down], folder, environment)


WORKSPACE = ("name", "vpc_id", "vswitch_ids", "bucket")


def test_a_job_inside_another_app(minimal: Path, tmp_path: Path) -> None:
    """A stock App and stack, another provider's resources around the job; plain terraform, and no flinkform."""
    folder, lines, environment = copied("inside-another-app", tmp_path)
    path = environment["PATH"]
    environment |= json.loads(run([FLINKFORM, "env", "--json"], minimal, shell())) | {"PATH": path}
    *steps, output, destroy = lines
    for line in steps:
        run(["sh", "-c", line], folder, environment)
    said = json.loads(run(["sh", "-c", output], folder, environment))
    jobs = json.loads(run([FLINKFORM, "status", "--json"], minimal, shell()))["jobs"]
    (job,) = (one for one in jobs if one["name"] == "clicks")
    assert said["deployment"]["value"] == job["deployment_id"]
    assert said["labels"]["value"] == {"owner": "team-web"}
    run(["sh", "-c", destroy], folder, environment)


def states(folder: Path, status: list[str]) -> list[str]:
    """The state of every job."""
    return [job["state"] for job in json.loads(run([FLINKFORM, *status[1:], "--json"], folder, shell()))["jobs"]]
