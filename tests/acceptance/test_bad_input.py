"""What a user sees when something is wrong: the exact place, what was expected, what to do; and nothing half-made."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.repository import PASSING, Repository, disk

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and (shutil.which("terraform") or shutil.which("tofu"))),
    reason="needs java and terraform",
)

WRONG = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "nobody", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "hidden"}
NO_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
SLOTS = 4


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A repository whose control plane runs Flink, in few slots."""
    made = Repository.make(tmp_path_factory.mktemp("running") / "repo", FLINKFORM_SLOTS=str(SLOTS))
    made.ok("up")
    yield made
    made.ok("down")


# Files: every one is read before anything is started or changed.


@pytest.mark.parametrize(
    ("file", "text", "place", "said"),
    [
        ("jobs/shop/quiet.yaml", "labels: {a: b\nstate: running\n", "2:6", "expected YAML: did not find expected ','"),
        ("jobs/shop/quiet.yaml", "labels:\n\ta: b\n", "2:1", "indent with spaces, not tabs"),
        ("jobs/shop/quiet.yaml", "# note\nparalelism: 2\n", "2:1", "unknown key 'paralelism'; did you mean paral"),
        ("jobs/shop/quiet.yaml", "parallelism: many\n", "1:14", "expected a whole number, got 'many'"),
        ("jobs/shop/quiet.yaml", "flink_options:\n  pipeline.object-reuse: ten\n", "2:26", "not parse value 'ten'"),
        ("jobs/shop/_defaults.yaml", "state: stopped\n", "1:8", "expected one of running, suspended, got 'stopped'"),
        ("jobs/shop/lonely.yaml", "parallelism: 2\n", "1:1", "belongs to no job; expected lonely.sql beside it"),
        ("jobs/shop/quiet.sql", "", "1:1", "expected SQL statements, got an empty file"),
        ("jobs/orders.sql", PASSING, "1:1", "expected the file in a folder"),
        ("jobs/shop/quiet.YAML", "parallelism: 2\n", "1:1", "expected the suffix .yaml, got .YAML"),
        ("environments/dev.yaml", "workspace: {buckt: b}\n", "1:13", "unknown key 'buckt'; did you mean bucket?"),
        ("environments/dev.yaml", "workspace:\n  cpu: -4\n", "2:8", "expected a whole number of at least 1, got -4"),
        ("environments/dev.yaml", "jobs: [{match: [shop/quite]}]\n", "1:17", "no job matches 'shop/quite'"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong(running: Repository, file: str, text: str, place: str, said: str) -> None:
    """FILE:LINE:COLUMN as an editor counts, what was expected; jobs, runs and states are as before."""
    before, path = running.world(), running.root / file
    kept = path.read_text() if path.exists() else None
    running.write(file, text)
    try:
        failure = running.refused("up")
    finally:
        path.unlink() if kept is None else path.write_text(kept)
    assert failure.places == [f"{file}:{place}"]
    assert said in failure.said["parts"][0]["message"]
    assert f"{file}:{place}: " in failure.err
    assert "1 problem in the job files; nothing was changed" in failure.text
    assert running.world() == before


def test_two_jobs_of_one_name(running: Repository) -> None:
    """Names that are one on some machines are refused at the second file, which names the first."""
    before = running.world()
    twin = running.write("jobs/shop/Orders.sql", PASSING)
    try:
        failure = running.refused("up")
    finally:
        twin.unlink()
    assert failure.places == ["jobs/shop/orders.sql:1:1"]
    assert "the same name as jobs/shop/Orders.sql but for upper and lower case; rename one" in failure.text
    assert running.world() == before


def test_scripts_that_flink_refuses(running: Repository) -> None:
    """All of them at once, each where Flink sees it; the connectors that are there are named."""
    before = running.world()
    running.job("typo", sql=PASSING.replace("SELECT id, price", "SELECT id, prize"))
    running.job("lake", sql=PASSING.replace("'blackhole'", "\n  'hologres'"))
    running.job("slow", "flink_options: {execution.checkpointing.interval: soon}\n")
    table, *rest = PASSING.splitlines(keepends=True)
    shared = f"-- what all read\n{table}".replace("'1'", "'${rate}'").replace("BIGINT", "BIG")
    running.write("jobs/shared/orders.inc", shared)
    running.job("torn", "variables: {rate: 100}\n", sql=f"-- flinkform: include ../shared/orders.inc\n{''.join(rest)}")
    try:
        failure = running.refused("up")
    finally:
        shutil.rmtree(running.root / "jobs/shared")
        patterns = ("[lt]*.sql", "torn.*", "slow.*")
        for file in {path for pattern in patterns for path in running.root.glob(f"jobs/shop/{pattern}")}:
            file.unlink()
    told = dict(zip(failure.places, (part["message"] for part in failure.said["parts"]), strict=True))
    assert told["jobs/shop/typo.sql:3:29"] == "Column 'prize' not found in any table"
    assert told["jobs/shop/lake.sql:3:3"].startswith("connector 'hologres' is not installed; present: blackhole, data")
    assert "jobs/shared/orders.inc:2:25" in told
    assert "'soon' for key 'execution.checkpointing.interval'" in told["jobs/shop/slow.yaml:1:51"]
    assert running.world() == before


@pytest.mark.parametrize("name", ["prod", "../dev", "schema"])
def test_an_environment_that_is_not_there(running: Repository, name: str) -> None:
    """Those that are there are named."""
    failure = running.refused("up", FLINKFORM_ENVIRONMENT=name)
    assert f"there is no environment '{name}', expected one of dev; set FLINKFORM_ENVIRONMENT" in failure.text


def test_an_environment_that_says_too_little(running: Repository) -> None:
    """What only main.py can know is an error of the construct, with the attribute; no traceback of ours."""
    before, file = running.world(), running.root / "environments" / "dev.yaml"
    kept = file.read_text()
    file.write_text(kept.replace("  bucket: bad-input\n", ""))
    try:
        failure = running.refused("up")
    finally:
        file.write_text(kept)
    assert "workspace/main: bucket: expected a value, got none" in failure.text
    assert running.world() == before


# Credentials and attributes: the same words from the command line and from terraform.


def test_credentials_that_are_wrong(running: Repository) -> None:
    """The key and where it came from, never its secret, at once and not after terraform's own attempt."""
    before = running.world()
    for words in (("up",), ("status",), ("state", "list")):
        failure = running.refused(*words, **WRONG)
        assert failure.said["error"] == "Denied"
        assert "does not take the access key nobody; it comes from ALIBABA_CLOUD_ACCESS_KEY_ID" in failure.text
        assert "hidden" not in failure.err
    assert running.world() == before


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        (WRONG, "is not known here .* it was signed with the key nobody from the environment .* with flink_namespace"),
        (
            {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "hidden"},
            "the signature does not match .* signed with the key FF.* from",
        ),
        ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}, "half a key: the access key secret is missing; set ALIBABA_CLOUD"),
        ({**NO_KEY, "HOME": "/nowhere"}, r"no access key found; set ALIBABA_.* run eval .* with provider\["),
        ({"TF_HTTP_PASSWORD": "hidden"}, "HTTP remote state endpoint requires auth"),
    ],
)
def test_terraform_with_wrong_credentials(running: Repository, shell: dict[str, str], said: str) -> None:
    """The resource or the provider block, the key and where it came from, never its secret; no lock is left."""
    before = running.world()
    code, told = running.terraform(running.root / "cdktf.out/stacks/shop", "plan", "-no-color", **shell)
    assert code == 1
    assert re.search(said, told), told
    assert "hidden" not in told
    assert running.world() == before


HEAD = """
terraform {
  required_providers {
    flink = { source = "flinkform.io/flinkform/flink" }
  }
}
provider "flink" {
  region    = "cn-hangzhou"
  endpoints = { console = "%(endpoint)s", ververica = "%(endpoint)s" }
}
"""
JOB = """
resource "flink_job" "%(label)s" {
  workspace = "%(workspace)s"
  namespace = "%(namespace)s"
  name      = "%(label)s"
  state     = "suspended"
  sql       = "INSERT INTO a SELECT 1"
}
"""


def written(running: Repository, folder: Path, *jobs: str) -> str:
    """Write a configuration of plain terraform, initialise it and return the workspace."""
    endpoint = (running.home / "endpoint").read_text()
    shown = running.terraform(running.root / "cdktf.out/stacks/workspace", "show", "-json")[1]
    workspace = str(json.loads(shown)["values"]["root_module"]["resources"][0]["values"]["resource_id"])
    text = HEAD % {"endpoint": endpoint} + "".join(jobs)
    (folder / "main.tf").write_text(text.replace("WORKSPACE", workspace))
    code, told = running.terraform(folder, "init", "-input=false", "-no-color")
    assert code == 0, told
    return workspace


def test_terraform_with_attributes_that_lead_nowhere(running: Repository, tmp_path: Path) -> None:
    """A namespace, a workspace and a name that cannot be: each error at its attribute's line; nothing was made."""
    before = running.world()
    here = {"workspace": "WORKSPACE", "namespace": "shop"}
    places = {"lost": here | {"namespace": "nowhere"}, "astray": here | {"workspace": "nope"}, "orders": here}
    workspace = written(running, tmp_path, *(JOB % {"label": label, **place} for label, place in places.items()))
    code, told = running.terraform(tmp_path, "apply", "-auto-approve", "-input=false", "-no-color")
    assert code == 1
    assert re.search(
        rf"no namespace nowhere in workspace {workspace} .*; expected the resource_id of a flink_workspace and the "
        r'name of a flink_namespace in it with flink_job\.lost, .* namespace = "nowhere"',
        told,
    ), told
    assert re.search(r"no workspace nope; .* with flink_job\.astray,", told), told
    identity = f"{workspace}/shop/{before['jobs']['orders'][0]}"
    assert re.search(
        rf"orders exists already in namespace shop .*; choose another name, or import the job that has it with id "
        rf"'{identity}' with flink_job\.orders, .* name = \"orders\"",
        told,
    ), told
    assert running.terraform(tmp_path, "state", "list") == (0, "")
    assert running.world() == before


def test_terraform_with_values_that_are_wrong(running: Repository, tmp_path: Path) -> None:
    """What needs no control plane is refused by the plan, at the line; what Flink refuses, before a job is made."""
    before = running.world()
    job = JOB % {"label": "odd", "workspace": "WORKSPACE", "namespace": "shop"}
    written(running, tmp_path, job.replace('"suspended"', '"stopped"\n  parallelism = 0'))
    code, told = running.terraform(tmp_path, "validate", "-no-color")
    assert code == 1
    assert re.search(r"one of running, suspended, got 'stopped' with flink_job\.odd, on main\.tf line \d+", told), told
    assert re.search(r"a whole number of at least 1, got 0 with flink_job\.odd, .* parallelism = 0", told), told
    written(running, tmp_path, job.replace('"suspended"', '"running"'))
    code, told = running.terraform(tmp_path, "apply", "-auto-approve", "-input=false", "-no-color")
    assert code == 1
    assert re.search(r"line 1, column \d+: Cannot find table '.*a`'.* with flink_job\.odd, .* sql = ", told), told
    assert running.terraform(tmp_path, "state", "list") == (0, "")
    assert running.world() == before


# Jobs whose files are renamed.


def test_a_running_job_that_is_renamed(running: Repository) -> None:
    """Without a word about it nothing is stopped; with it the job runs on, under its ids."""
    jobs = running.root / "jobs" / "shop"
    running.job("first", sql=PASSING + "-- first\n")
    running.ok("up")
    before = running.world()["jobs"]["first"]
    (jobs / "first.sql").rename(jobs / "second.sql")
    try:
        failure = running.refused("up")
        assert (
            "jobs/shop/second.sql is what jobs/shop/first.sql was, which would be stopped and removed" in failure.text
        )
        (line,) = re.findall(r"write `(moved_from: .*)` into jobs/shop/second.yaml", failure.text)
        assert running.world()["jobs"]["first"] == before
        running.write("jobs/shop/second.yaml", f"{line}\n")
        (shop,) = [one for one in running.ok("up")["stacks"] if one["name"] == "shop"]
        assert (shop["add"], shop["change"], shop["destroy"]) == (0, 1, 0)
        assert running.world()["jobs"]["second"] == before
        assert "first" not in running.states()
    finally:
        for file in (*jobs.glob("first.*"), *jobs.glob("second.*")):
            file.unlink()
        running.ok("up")


# Jobs that do not start: the others run on, and a rerun mends it.


def test_a_job_that_fails_at_its_start(running: Repository) -> None:
    """Why, what to do and the end of its log, soon; the others run on; mended and applied again it runs."""
    before = running.world()["jobs"]["orders"]
    source = "'connector' = 'filesystem', 'path' = '/no/such/folder', 'format' = 'csv'"
    running.job("mended", sql=PASSING.replace("'connector' = 'datagen', 'rows-per-second' = '1'", source))
    failure = running.refused("up")
    assert failure.said["parts"][0]["at"] == ["shop", failure.said["parts"][0]["at"][1]]
    assert failure.said["parts"][0]["at"][1].startswith("flink_job.jobs_shop_mended")
    assert "of mended is restarting again and again, expected RUNNING" in failure.text
    assert "a file is missing: /no/such/folder at line 1, `CREATE TABLE orders" in failure.text
    assert "the end of the start log:" in failure.text
    assert "`flinkform logs shop/mended`" in failure.text
    assert failure.text.endswith("mend this and run `flinkform up` again ")
    assert running.world()["jobs"]["orders"] == before
    running.job("mended")
    assert running.ok("up")["changed"] is True
    assert running.states()["mended"] == "RUNNING"
    assert running.world()["jobs"]["orders"] == before


def test_more_slots_than_there_are(running: Repository) -> None:
    """Who holds them and which setting gives more; with less parallelism the next run starts the job."""
    before = running.world()["jobs"]["orders"]
    running.job("wide", f"parallelism: {SLOTS}\n")
    failure = running.refused("up")
    assert re.search(
        rf"wide needs {SLOTS} slots and [123] of {SLOTS} are free; held by .*orders \(1\).*; stop jobs, lower the "
        r"parallelism or raise FLINKFORM_SLOTS \(after `flinkform down`\)",
        failure.text,
    ), failure.text
    assert failure.text.count("are free") == 1
    assert running.states()["wide"] == "FAILED"
    assert "wide needs" in running.run("status").stdout
    assert running.world()["jobs"]["orders"] == before
    running.job("wide", "parallelism: 1\n")
    running.ok("up")
    assert running.states()["wide"] == "RUNNING"
    assert running.world()["jobs"]["orders"] == before


def test_a_home_too_small_for_the_planner(running: Repository, tmp_path: Path) -> None:
    """A disk that fills while Flink starts is told as what it is, and nothing is applied."""
    running.job("fresh", sql=PASSING + "-- nobody has validated this yet\n")
    try:
        with disk(tmp_path / "disk", "400k") as folder:
            failure = running.refused("up", FLINKFORM_HOME=str(folder / "home"))
            assert re.search(rf"{folder}/home: .*the disk is full; free some space", failure.text), failure.text
            assert not (folder / "home" / "controlplane.db").exists()
    finally:
        (running.root / "jobs" / "shop" / "fresh.sql").unlink()
