"""A job is labelled with the commit whose definition it has, at no cost to any plan."""

from __future__ import annotations

import subprocess

import pytest

from flinkform.errors import Conflict
from flinkform.provider.provenance import NOWHERE, Provenance, blob
from flinkform.resources.job import OURS
from tests.unit.provider.conftest import config
from tests.unit.provider.core import World
from tests.unit.provider.test_upgrade import UNFIT

ONE, TWO = Provenance("1" * 40, "r-1"), Provenance("2" * 40)


def origin(world: World) -> dict[str, str]:
    """The labels of ours that say where a definition comes from."""
    labels = world.cloud.named("a").get("labels") or {}
    return {k.removeprefix(OURS): v for k, v in labels.items() if k.startswith(OURS) and not k.endswith("nonce")}


@pytest.fixture
def released(world: World) -> World:
    """A job that a release made."""
    world.provenance = ONE
    world.apply(config(labels={"team": "x"}))
    return world


def test_a_new_job_has_all_of_them(released: World) -> None:
    """Commit, release, path and the id that Git gives its script; its author's labels are beside them."""
    assert origin(released) == {"commit": ONE.commit, "release": "r-1", "path": "n/a.sql", "blob": blob(b"SELECT 1")}
    assert released.cloud.named("a")["labels"]["team"] == "x"


def test_another_commit_alone_changes_nothing(released: World) -> None:
    """The plan is empty, and the job keeps the commit that last changed it."""
    released.provenance = TWO
    released.cloud.changes()
    released.apply(config(labels={"team": "x"}))
    assert released.cloud.changes() == []
    assert origin(released)["commit"] == ONE.commit


@pytest.mark.parametrize("edit", [{"sql": "SELECT 2"}, {"parallelism": 3}, {"labels": {"team": "y"}}])
def test_a_change_brings_its_commit(released: World, edit: dict[str, object]) -> None:
    """However little it costs; of a release that is none, none is left."""
    released.provenance = TWO
    released.apply(config(**{"labels": {"team": "x"}, **edit}))
    script = str(edit.get("sql", "SELECT 1")).encode()
    assert origin(released) == {"commit": TWO.commit, "path": "n/a.sql", "blob": blob(script)}


def test_a_change_of_no_commit_leaves_none(released: World) -> None:
    """An edited checkout's definition is not that of the commit before."""
    released.provenance = NOWHERE
    released.apply(config(sql="SELECT 2"))
    assert origin(released) == {}
    assert OURS + "nonce" in released.cloud.named("a")["labels"]


def test_what_is_put_back_is_of_its_own_commit(released: World) -> None:
    """An upgrade that did not fit brings the old definition back, and with it where that came from."""
    before = origin(released)
    released.provenance = TWO
    released.cloud.verdicts = None
    released.cloud.unfit["SELECT 2"] = UNFIT
    with pytest.raises(Conflict, match="was not upgraded"):
        released.apply(config(sql="SELECT 2"))
    assert origin(released) == before


def test_a_blob_is_git_s() -> None:
    """The very id."""
    said = subprocess.run(["git", "hash-object", "--stdin"], input="é\n".encode(), capture_output=True, check=True)
    assert blob("é\n".encode()) == said.stdout.decode().strip()


def test_what_the_same_release_made_is_adopted(released: World) -> None:
    """By the next provider, where the one that made it was killed; it goes on with the job that was started."""
    again = World(released.resource, released.cloud)
    again.provenance = ONE
    with pytest.raises(Conflict, match="is taken"):  # the same process: two jobs of one name
        again.apply(config(labels={"team": "x"}))
    released.cloud.named("a")["labels"][f"{OURS}nonce"] = "of another process"
    again.provenance = TWO
    with pytest.raises(Conflict, match="is taken"):
        again.apply(config(labels={"team": "x"}))
    again.provenance = ONE
    released.cloud.changes()
    state = again.apply(config(labels={"team": "x"}))
    assert (len(released.cloud.deployments), state["deployment_id"]) == (1, "d-1")
    assert "StartJob" not in released.cloud.changes()
