"""Terraform over stacks: order, outcomes, and errors in terraform's own words."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.cli import stacks
from flinkform.cli.stacks import Outcome, Terraform
from flinkform.errors import FlinkformError, Invalid

FAKE = """#!{python}
import pathlib, sys
folder = pathlib.Path(sys.argv[1].removeprefix("-chdir="))
words = sys.argv[2:]
with open(folder.parent / "calls", "a") as calls: calls.write(f"{{folder.name}} {{words[0]}}\\n")
if words[0] == "plan":
    sys.stdout.write((folder / "plan.txt").read_text())
    sys.exit(int((folder / "code").read_text()))
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A synthesised app of two stacks, the second after the first, and a terraform that says what it is told."""
    (tmp_path / "terraform").write_text(FAKE.format(python=sys.executable))
    (tmp_path / "terraform").chmod(0o755)
    (tmp_path / "terraform.rc").write_text("")
    manifest = {"stacks": {"b": {"dependencies": ["a"]}, "a": {"dependencies": []}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for name, code, text in (("a", 2, "Plan: 1 to add, 2 to change, 3 to destroy.\n"), ("b", 0, "No changes.\n")):
        folder = tmp_path / "stacks" / name
        folder.mkdir(parents=True)
        (folder / "cdk.tf.json").write_text("{}")
        (folder / "code").write_text(str(code))
        (folder / "plan.txt").write_text(text)
    return tmp_path


def terraform(app: Path) -> Terraform:
    return Terraform(str(app / "terraform"), {"TF_CLI_CONFIG_FILE": str(app / "terraform.rc"), "PATH": ""})


def test_stacks_are_applied_after_what_they_need(app: Path) -> None:
    """Init, plan, and apply only where the plan is not empty; a second run has no init to do."""
    done = stacks.apply_all(terraform(app), stacks.read(app), app / "plans", lambda _: None)
    assert done == (Outcome("a", 1, 2, 3), Outcome("b"))
    stacks.apply_all(terraform(app), stacks.read(app), app / "plans", lambda _: None)
    calls = (app / "stacks" / "calls").read_text().splitlines()
    first = ["a init", "a plan", "a apply", "b init", "b plan"]
    assert calls == [*first, "a plan", "a apply", "b plan"]


def test_a_failed_stack_stops_what_comes_after_it(app: Path) -> None:
    """The error carries terraform's own box, without its frame, and names the stack."""
    (app / "stacks" / "a" / "code").write_text("1")
    (app / "stacks" / "a" / "plan.txt").write_text(
        "noise\n╷\n│ Error: no such namespace\n│ \n│   with flink_job.j,\n│ create it first\n╵\n"
    )
    with pytest.raises(FlinkformError) as failed:
        stacks.apply_all(terraform(app), stacks.read(app), app / "plans", lambda _: None)
    told = "terraform plan failed in stack a\nError: no such namespace\n  with flink_job.j,\ncreate it first"
    assert str(failed.value) == f"{told}\nwhat was applied stays as it is; mend this and run `flinkform up` again"
    assert [part.at for part in failed.value.parts] == [("a", "flink_job.j")]
    assert "b" not in (app / "stacks" / "calls").read_text()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C counts, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_after_an_interrupt_nothing_begins(app: Path) -> None:
    """Ctrl-C between plan and apply: no apply, no other stack, and nothing runs on behind the caller's back."""

    def say(text: str) -> None:
        if "to add" in text:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            assert program.stopped.wait(10)

    program = terraform(app)
    with pytest.raises(KeyboardInterrupt):
        stacks.apply_all(program, stacks.read(app), app / "plans", say)
    assert (app / "stacks" / "calls").read_text().splitlines() == ["a init", "a plan"]
    assert not list((app / "plans").glob("*.tfplan"))


def test_what_a_killed_run_left_is_brought_in_order(app: Path) -> None:
    """The state that it could not keep is pushed before anything is planned, and told."""
    lost = app / "stacks" / "a" / "errored.tfstate"
    lost.write_text("{}")
    said: list[str] = []
    stacks.apply_all(terraform(app), stacks.read(app), app / "plans", said.append)
    assert (app / "stacks" / "calls").read_text().splitlines()[:3] == ["a init", "a state", "a plan"]
    assert not lost.exists()
    assert said[0] == "stack a: kept the state that the last run could not"


def test_a_run_that_ends_well_leaves_no_note(app: Path) -> None:
    """Only a lock that was not given back is looked for by the next run, and terraform's advice is put right."""
    stacks.apply_all(terraform(app), stacks.read(app), app / "plans", lambda _: None)
    assert list((app / "plans").iterdir()) == []
    (app / "stacks" / "a" / "code").write_text("1")
    (app / "stacks" / "a" / "plan.txt").write_text("Error: Error releasing the state lock\n")
    with pytest.raises(FlinkformError, match="the next `flinkform up` gives this lock back"):
        stacks.apply_all(terraform(app), stacks.read(app), app / "plans", lambda _: None)
    assert [file.name for file in (app / "plans").iterdir()] == ["a.run"]


def test_a_circle_is_refused(app: Path) -> None:
    """Stacks that need one another are named."""
    (app / "manifest.json").write_text(
        json.dumps({"stacks": {"a": {"dependencies": ["b"]}, "b": {"dependencies": ["a"]}}})
    )
    with pytest.raises(Invalid, match="in a circle: a, b"):
        stacks.apply_all(terraform(app), stacks.read(app), app / "plans", lambda _: None)


def test_no_app_is_an_error(tmp_path: Path) -> None:
    """Where nothing was synthesised, the advice says how."""
    with pytest.raises(Invalid, match=r"run `python main.py`"):
        stacks.read(tmp_path)
