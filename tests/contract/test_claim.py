"""One release at a time: who holds an environment is told to the others, and nobody holds it who is dead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from flinkform.cli import claim
from flinkform.cli.claim import claimed
from flinkform.cli.project import Project
from flinkform.controlplane.store import states
from flinkform.controlplane.store.database import Store
from flinkform.errors import Conflict
from tests.contract.served import Served, served

OTHER = {"ID": "x", "Who": "ann@desk", "Operation": "apply r-1", "Created": "today"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def here(plane: Served, tmp_path: Path) -> Project:
    """A checkout with a home of its own, at the control plane."""
    shell = {
        "FLINKFORM_ENDPOINT": plane.endpoint,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": plane.key.id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": plane.key.secret,
    }
    return Project(tmp_path, tmp_path / "home", shell)


def put(plane: Served, *, at: int) -> None:
    """Have somebody else hold dev, who was heard of last then, in milliseconds since the epoch."""
    store = Store.open(f"sqlite:///{plane.home / 'controlplane.db'}")
    with store.write() as db:
        states.lock(db, f"dev/{claim.NAME}", "x", OTHER, now=at)
    store.close()


def holders(plane: Served) -> list[str]:
    store = Store.open(f"sqlite:///{plane.home / 'controlplane.db'}")
    with store.read() as db:
        found = [str(one.document["Operation"]) for one in states.locked(db)]
    store.close()
    return found


def test_one_holds_an_environment(plane: Served, here: Project, tmp_path: Path) -> None:
    """Whoever else asks, from this home or another one, is told who does what since when; then it is free."""
    with claimed(here, "apply r-1") as held:
        assert holders(plane) == ["apply r-1"]
        for other in (here, Project(tmp_path, tmp_path / "other", here.shell)):
            with pytest.raises(Conflict, match=r"dev is held by `apply r-1` of .*@.*, process \d+, since 2") as told:
                claimed(other, "apply r-2").__enter__()
            assert told.value.code == "busy"
            assert told.value.advice.startswith("wait until it has ended")
        with claimed(Project(tmp_path, tmp_path / "third", here.within("prod").shell), "apply r-3"):
            assert holders(plane) == ["apply r-1", "apply r-3"]
        held.still()
    assert holders(plane) == []


@pytest.mark.parametrize("dead", [True, False])
def test_who_is_heard_of_no_more_holds_nothing(plane: Served, here: Project, *, dead: bool) -> None:
    """After a minute; until then it is said how long that takes."""
    now = 1 << 50 if not dead else 1
    put(plane, at=now)
    expected = nullcontext() if dead else pytest.raises(Conflict, match=r"of ann@desk.*try again in 60 s")
    with expected, claimed(here, "apply r-2"):
        assert holders(plane) == ["apply r-2"]
    claim.Claim(here, OTHER).forget("x")


def test_what_died_in_this_home_is_free_at_once(plane: Served, here: Project) -> None:
    """As the lock of the home's file went with it."""
    put(plane, at=1 << 50)
    here.home.mkdir()
    (here.home / "apply.lock").write_text(json.dumps({**OTHER, "Environment": "dev"}))
    with claimed(here, "apply r-2"):
        assert holders(plane) == ["apply r-2"]


def test_without_a_control_plane_the_home_is_held(tmp_path: Path) -> None:
    """One that keeps no states cannot keep a claim."""
    here = Project(tmp_path, tmp_path / "home", {"FLINKFORM_ENDPOINT": "http://127.0.0.1:9"})
    with claimed(here, "apply r-1"), pytest.raises(Conflict, match="is held by `apply r-1`"):
        claimed(here, "apply r-2").__enter__()
