"""A team that left the checkout leaves nothing running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import project, removed
from flinkform.cli.project import Project
from flinkform.cli.stacks import Stack

ADDRESS = "http://127.0.0.1:1/state/dev/{}"


@pytest.fixture
def here(tmp_path: Path) -> Project:
    """A checkout with a home."""
    (tmp_path / "cdktf.json").write_text("{}")
    (tmp_path / ".flinkform").mkdir()
    return project.find({}, start=tmp_path)


def stack(here: Project, name: str, **backend: object) -> Stack:
    """A synthesised stack with a job in it."""
    folder = here.root / "cdktf.out" / "stacks" / name
    folder.mkdir(parents=True)
    page = {
        "terraform": {"backend": backend, "required_providers": {"flink": {}}},
        "provider": {"flink": [{}]},
        "resource": {"flink_job": {"one": {}}},
    }
    (folder / "cdk.tf.json").write_text(json.dumps(page))
    return Stack(name, folder, ())


def http(name: str) -> dict[str, str]:
    return {key: ADDRESS.format(name) for key in ("address", "lock_address", "unlock_address")}


def test_a_stack_that_is_gone_is_emptied(here: Project) -> None:
    """Its state's address, the others' backend and provider, and not one resource."""
    left = stack(here, "bids", http=http("bids"))
    removed.remember(here, {"bids", "fraud"})
    (gone,) = removed.emptied(here, (left,))
    page = json.loads((gone.folder / "cdk.tf.json").read_text())
    assert (gone.name, gone.after) == ("fraud", ())
    assert page["terraform"]["backend"]["http"] == http("fraud")
    assert set(page) == {"terraform", "provider"}


def test_what_this_home_never_applied_is_left_alone(here: Project) -> None:
    """Another checkout may keep its stacks at the same control plane."""
    assert removed.emptied(here, (stack(here, "bids", http=http("bids")),)) == ()


def test_states_elsewhere_are_left_alone(here: Project) -> None:
    """Where the states are not the control plane's to keep, nothing is made up."""
    removed.remember(here, {"bids", "fraud"})
    assert removed.emptied(here, (stack(here, "bids", local={}),)) == ()
