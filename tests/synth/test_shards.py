"""Stacks that stay small, and environments in a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from constructs import Construct

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform_constructs import App, FlinkProvider, JobsStack, PromotionPipeline, StateBackend, cdk


@pytest.fixture
def jobs(tmp_path: Path) -> tuple[jobfile.Job, ...]:
    """Jobs of one namespace in its folder, in two below and in one below that."""
    for path in ("bids/a", "bids/b", "bids/eu/c", "bids/eu/deep/d", "bids/us/e"):
        file = tmp_path / "jobs" / f"{path}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("SELECT 1")
    return jobfile.load(tmp_path / "jobs")


def test_a_stack_that_would_be_too_big(app: App, jobs: Any) -> None:
    """The error says how many there are and what to do."""
    with pytest.raises(Invalid, match="bids: expected at most 4 jobs in a stack, got 5") as told:
        JobsStack(app, "bids", jobs, workspace="w", at_most=4)
    assert "split" in str(told.value.advice)


def test_a_stack_for_each_folder(app: App, jobs: Any) -> None:
    """Every job is in one stack, which its own path decides."""
    stacks = JobsStack.split(app, "bids", jobs, workspace="w", namespace="n", at_most=2)
    assert {name: {job for _, job in stack.folder.jobs} for name, stack in stacks.items()} == {
        "bids": {"a", "b"},
        "bids-eu": {"eu.c", "eu.deep.d"},
        "bids-us": {"us.e"},
    }
    for stack in stacks.values():
        FlinkProvider(stack)
    app.synth()
    written = json.loads((app.target / "stacks/bids-us/cdk.tf.json").read_bytes())["resource"]["flink_job"]
    assert [(job["name"], job["namespace"]) for job in written.values()] == [("us.e", "n")]


@pytest.mark.parametrize(
    ("path", "stack"),
    [
        ("bids/eu-west.1/x/a.sql", "bids-eu-west.1"),
        ("bids/my folder/a.sql", "bids-my--20-folder"),
        ("bids/风控/a.sql", "bids-0-----98ce---63a7-"),
        ("bids/a.sql", "bids"),
    ],
)
def test_a_folder_that_no_stack_can_be_called(tmp_path: Path, app: App, path: str, stack: str) -> None:
    """The CDK takes no space in an id, and an address of a state not every letter: it is written as in a job's name."""
    file = tmp_path / "jobs" / path
    file.parent.mkdir(parents=True)
    file.write_text("SELECT 1")
    assert [*JobsStack.split(app, "bids", jobfile.load(tmp_path / "jobs"), workspace="w", namespace="n")] == [stack]
    assert jobfile.shard(path) == stack


def test_environments_wait_for_one_another(app: App, jobs: Any) -> None:
    """Each stack of an environment depends on all of the one before; addresses and states are its own."""

    def declare(scope: Any, environment: jobfile.Environment) -> list[JobsStack]:
        state = StateBackend.control_plane("http://127.0.0.1:1", environment=environment.name)
        found = JobsStack.split(scope, f"{environment.name}-bids", jobs, workspace=environment.name)
        for stack in found.values():
            FlinkProvider(stack)
            state.keep(stack)
        return list(found.values())

    made = [jobfile.Environment(name, {}, {}) for name in ("dev", "prod")]
    pipeline = PromotionPipeline(app, "pipeline", declare, made)
    assert {name: len(stage) for name, stage in pipeline.stages.items()} == {"dev": 3, "prod": 3}
    app.synth()
    stacks = json.loads((app.target / "manifest.json").read_bytes())["stacks"]
    found = {name: set(stack["dependencies"]) for name, stack in stacks.items()}
    dev, prod = ({name for name in found if name.startswith(part)} for part in ("dev", "prod"))
    assert (len(dev), len(prod)) == (3, 3)
    assert all(found[name] == set() for name in dev)
    assert {frozenset(found[name]) for name in prod} == {frozenset(dev)}
    states = [
        json.loads((app.target / "stacks" / name / "cdk.tf.json").read_bytes())["terraform"]["backend"]["http"]
        for name in found
    ]
    assert len({state["address"] for state in states}) == 6


def test_environments_of_one_name(app: App) -> None:
    """Two of a name, or none at all, are refused."""
    same = [jobfile.Environment("dev", {}, {})] * 2
    with pytest.raises(Invalid, match="expected environments of different names, got dev, dev"):
        PromotionPipeline(app, "p", lambda *_: (), same)
    with pytest.raises(Invalid, match="got none"):
        PromotionPipeline(app, "q", lambda *_: (), [])


def test_two_stacks_of_one_name(app: App) -> None:
    """The CDK would write one over the other without a word."""
    for name in ("dev", "prod"):
        FlinkProvider(cdk.TerraformStack(Construct(app, name), "bids"))
    with pytest.raises(Invalid, match="two stacks are called bids: dev/bids and prod/bids"):
        app.synth()


@pytest.mark.usefixtures("jobs")
def test_a_move_between_stacks_is_refused(app: App, tmp_path: Path) -> None:
    """Each has a state of its own; within one a job moves, whatever the folder below."""
    (tmp_path / "jobs/bids/eu/c.yaml").write_text("moved_from: bids/eu/deep/was.sql\n")
    JobsStack.split(app, "bids", jobfile.load(tmp_path / "jobs"), workspace="w")
    (tmp_path / "jobs/bids/eu/c.yaml").write_text("moved_from: bids/us/c.sql\n")
    with pytest.raises(Invalid, match=r"bids/eu/c.sql: bids/us/c.sql is in the stack bids-us, and Terraform moves"):
        JobsStack.split(app, "bids", jobfile.load(tmp_path / "jobs"), workspace="w")
