"""Policies: aspects that say what a platform does not allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsii
import pytest

from flinkform.errors import Invalid
from flinkform_constructs import (
    Block,
    Element,
    FlinkProvider,
    ForbiddenOptions,
    Job,
    Limits,
    Namespace,
    Owners,
    Policy,
    Ref,
    RequiredLabels,
    cdk,
)

Made = Callable[..., Job]


def told(app: Any) -> list[str]:
    """What a synth refuses, line by line."""
    with pytest.raises(Invalid) as refused:
        app.synth()
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_labels_that_are_required(app: Any, stack: Any, job: Made) -> None:
    """A missing label and a wrong value are told with the job's path; what is right is not."""
    cdk.Aspects.of(app).add(RequiredLabels("tier", owner=r"team-\w+"))
    job(stack, "bare", name="bare")
    job(stack, "wrong", name="wrong", labels={"tier": "1", "owner": "me"})
    job(stack, "right", name="right", labels={"tier": "1", "owner": "team-bids"})
    job(stack, "later", name="later", labels={"tier": "1", "owner": Ref("var.owner")})
    job(stack, "unknown", name="unknown", labels=Ref("var.labels"))
    missing = "expected the label {}, got none; set it in the job's file or in _defaults.yaml"
    assert told(app) == [
        f"[s/bare] labels: {missing.format('tier')}",
        f"[s/bare] labels: {missing.format('owner')}",
        r"[s/wrong] labels.owner: expected a value like team-\w+, got 'me'",
    ]


def test_options_that_are_forbidden(app: Any, stack: Any, job: Made) -> None:
    """A glob forbids, and its reason is what the author reads."""
    cdk.Aspects.of(stack).add(ForbiddenOptions({"state.backend.*": "the platform chooses the backend"}))
    job(stack, "own", name="own", flink_options={"state.backend.type": "rocksdb", "table.local-time-zone": "UTC"})
    assert told(app) == [
        "[s/own] flink_options.state.backend.type: is not allowed here: the platform chooses the backend"
    ]


def test_limits(app: Any, stack: Any, job: Made) -> None:
    """Parallelism is limited for jobs, cores for namespaces; what says neither passes."""
    cdk.Aspects.of(app).add(Limits(parallelism=8, cpu=16))
    job(stack, "wide", name="wide", parallelism=9)
    job(stack, "silent", name="silent")
    Namespace(stack, "big", workspace_id="w", name="big", cpu=32)
    Namespace(stack, "fits", workspace_id="w", name="fits", cpu=16)
    assert told(app) == ["[s/wide] parallelism: expected at most 8, got 9", "[s/big] cpu: expected at most 16, got 32"]


def test_a_policy_sees_what_other_aspects_changed(app: Any, stack: Any, job: Made, synth: Callable[..., Any]) -> None:
    """It asks when everything is set, so the order of aspects does not matter."""

    @jsii.implements(cdk.IAspect)
    class Owner:
        def visit(self, node: Any) -> None:
            if isinstance(node, Job):
                node.values["labels"] = {"owner": "team"}

    cdk.Aspects.of(app).add(RequiredLabels("owner"))
    cdk.Aspects.of(stack).add(Owner())
    job(stack)
    assert next(iter(synth()["resource"]["flink_job"].values()))["labels"] == {"owner": "team"}


def test_a_policy_of_ones_own(app: Any, stack: Any, job: Made) -> None:
    """A subclass says what is broken, and is asked about every block of ours."""

    class Described(Policy):
        def broken(self, block: Block) -> Iterator[str]:
            if isinstance(block, Job) and not block.values.get("description"):
                yield "description: expected one"

    cdk.Aspects.of(app).add(Described())
    job(stack)
    assert told(app) == ["[s/j] description: expected one"]


def test_the_cdk_s_own_synth_asks_too(job: Made) -> None:
    """Where no app of ours writes, the CDK's validation tells."""
    app = cdk.Testing.app()
    stack = cdk.TerraformStack(app, "s")
    cdk.Aspects.of(stack).add(RequiredLabels("owner"))
    job(stack)
    with pytest.raises(RuntimeError, match="expected the label owner"):
        cdk.Testing.synth(stack, True)


def test_jobs_that_nobody_owns(app: Any, stack: Any, job: Made, tmp_path: Path) -> None:
    """As CODEOWNERS says of the file that the job's name comes from; one whose name is not known yet passes."""
    file = tmp_path / "CODEOWNERS"
    file.write_text("/jobs/n/ @org/n\n/jobs/n/free/\n")
    cdk.Aspects.of(app).add(Owners(file))
    job(stack, "owned", name="owned")
    job(stack, "free", name="free.one")
    job(stack, "later", name=Ref("var.name"))
    job(Element(stack, "web"), "web", name="front", namespace=Ref("flink_namespace.web.name"))
    assert told(app) == [
        "[s/free] CODEOWNERS names nobody for jobs/n/free/one.sql; add a line for it or its folder",
        "[s/web/web] CODEOWNERS names nobody for jobs/web/front.sql; add a line for it or its folder",
    ]


def test_the_units_of_a_stack(app: Any, stack: Any, job: Made) -> None:
    """One for each slot and one for each job that runs, stack by stack; told once."""
    cdk.Aspects.of(app).add(Limits(units=9))
    job(stack, "a", name="a", parallelism=4)
    job(stack, "b", name="b", parallelism=3)
    job(stack, "c", name="c", parallelism=Ref("var.p"))
    job(stack, "rests", name="rests", parallelism=30, state="suspended")
    other = cdk.TerraformStack(app, "other")
    FlinkProvider(other)
    job(other, "d", name="d", parallelism=8)
    assert told(app) == ["[s/a] the jobs of s take 11 compute units together, expected at most 9"]
