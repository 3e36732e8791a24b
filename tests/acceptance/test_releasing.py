"""Releases by several at once, in an environment that is new, and by commands that are killed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.acceptance.kills import Killer, Size, Tap
from tests.acceptance.repository import FLINKFORM, Repository
from tests.acceptance.yard import Yard, yard
from tests.contract.served import until

pytestmark = pytest.mark.skipif(
    not (shutil.which("ssh-keygen") and (shutil.which("terraform") or shutil.which("tofu"))),
    reason="needs terraform and ssh-keygen",
)


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    """A repository that was released to dev, and never to staging, and who kills what it does."""
    tap = Tap()
    with yard(tmp_path_factory.mktemp("yard"), environments=("dev", "staging"), around=tap.around) as found:
        found.edit()
        found.run("release", "--out", found.file)
        found.run("apply", found.file)
        rng = Random(5)  # noqa: S311 -- to be repeated, not to be kept secret
        # Less than any of them takes, so that each kill lands.
        yield Killer(found, tap, rng, {name: Size(1.0, 4, 4) for name in ("apply", "promote", "rollback")})


@pytest.fixture
def made(killing: Killer) -> Yard:
    return killing.yard


def begun(here: Repository, *words: str) -> subprocess.Popen[str]:
    """Start a command in dev."""
    pipe, shell = subprocess.PIPE, here.environment(FLINKFORM_ENVIRONMENT="dev")
    command = [FLINKFORM, *words, "--json"]
    return subprocess.Popen(command, cwd=here.root, env=shell, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def held(made: Yard) -> bool:
    """Say whether somebody holds the environment."""
    return any(one["address"] == "dev/.release" for one in made.run("state", "list")["states"])


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Wait for a command, and return how it ended and what it said."""
    out, _ = process.communicate(timeout=120)
    return process.returncode, json.loads(out)


def test_of_two_that_release_at_once_one_wins(made: Yard, tmp_path: Path) -> None:
    """The other one, and whoever goes back meanwhile, are told who holds what; then all is in order."""
    before = made.edit()
    made.run("release", "--since", before, "--out", made.file)
    subprocess.run(["git", "clone", "-q", made.here.root, tmp_path / "clone"], check=True)
    other = Repository(tmp_path / "clone", tmp_path / "home", made.here.shell)
    both = [begun(here, "apply", made.file) for here in (made.here, other)]
    until(lambda: held(made), "somebody to hold dev")
    back = made.here.refused("rollback", "--to", before, "--out", str(tmp_path / "back.json"), code="busy")
    won, lost = sorted((ended(one) for one in both), key=lambda one: one[0])
    assert won == (0, {**won[1], "release": made.id})
    assert (lost[0], lost[1]["code"]) == (1, "busy")
    for said in (lost[1], back.said):
        assert f"dev is held by `apply {made.id}` of " in said["message"]
        assert "wait until it has ended" in said["advice"]
    assert list(made.wrong("dev")) == []


def test_in_a_new_environment_all_is_new(made: Yard) -> None:
    """Whatever the commit had that was asked about."""
    made.git("commit", "-q", "--allow-empty", "-m", "nothing")
    found = made.run("plan", "--since", "HEAD~1", environment="staging")
    assert {one["action"] for one in found["items"]} == {"create"}
    assert {one["name"] for one in found["items"]} >= {"shop/one", "shop/two", "yard-staging"}
    assert "nothing was applied to staging yet" in found["notes"][0]


def test_what_is_killed_is_brought_in_order(killing: Killer) -> None:
    """An apply, a promote and a rollback; `make kills` does so at fifty points."""
    made, killer = killing.yard, killing
    before = made.edit()
    made.run("release", "--since", before, "--out", made.file)
    killer.kill("apply", "apply", made.file, most=1)
    made.run("apply", made.file)
    assert list(made.wrong("dev")) == []
    for words in (("promote", "dev", "staging"), ("rollback", "--to", before)):
        Path(made.file).unlink()
        head = made.head
        killer.kill(words[0], *words, "--out", made.file, most=1)
        assert made.head == head
        assert made.run(*words, "--out", made.file)["release"] == made.id
    assert (killer.landed, killer.wrongs) == ({"apply": 1, "promote": 1, "rollback": 1}, [])
    made.git("reset", "-q", "--hard", head)  # what is rolled back is not applied here
