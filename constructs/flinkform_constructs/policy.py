"""Policies: aspects that refuse what a platform does not allow, before anything is written.

Put them on an app, a stack or any construct: `cdk.Aspects.of(app).add(RequiredLabels("owner"))`. Whatever breaks one is
told with all else that a synth finds, under the construct's path. What is a reference is unknown until Terraform runs,
and passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from flinkform import jobfile
from flinkform.jobfile import owners
from flinkform_constructs._blocks import Job, Namespace, Workspace
from flinkform_constructs._cdk import cdk, jsii
from flinkform_constructs.block import Block
from flinkform_constructs.scribe import is_expression


@jsii.implements(cdk.IAspect)
class Policy:
    """A rule of your own is a subclass with `broken`."""

    def broken(self, block: Block) -> Iterable[str]:
        """Say what is wrong with *block*, one line each: what was expected, what is there, what to do."""
        raise NotImplementedError

    def visit(self, node: Any) -> None:
        """Have *node* asked when the app is written, after every aspect that may still change it."""
        if isinstance(node, Block):
            node.node.add_validation(_Question(self, node))


class RequiredLabels(Policy):
    """Every job has these labels; `RequiredLabels("tier", owner="team-[a-z]+")` also says what a value looks like."""

    def __init__(self, *names: str, **patterns: str) -> None:
        self._wanted = dict.fromkeys(names, ".+") | patterns

    def broken(self, block: Block) -> Iterator[str]:
        if not isinstance(block, Job) or (labels := _map(block, "labels")) is None:
            return
        for name, pattern in self._wanted.items():
            value = labels.get(name)
            if value is None:
                yield f"labels: expected the label {name}, got none; set it in the job's file or in _defaults.yaml"
            elif not is_expression(value) and not re.fullmatch(pattern, str(value)):
                yield f"labels.{name}: expected a value like {pattern}, got {value!r}"


class ForbiddenOptions(Policy):
    """No job sets these Flink options; globs over names, each with the reason that its author reads.

    `ForbiddenOptions({"state.backend.*": "the platform chooses the backend"})`.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self._reasons = reasons

    def broken(self, block: Block) -> Iterator[str]:
        if not isinstance(block, Job):
            return
        for option in _map(block, "flink_options") or ():
            for glob, reason in self._reasons.items():
                if fnmatchcase(option, glob):
                    yield f"flink_options.{option}: is not allowed here: {reason}"


class Limits(Policy):
    """No job has a greater *parallelism*, no namespace or workspace more *cpu* (cores; each brings 4 GB).

    And the running jobs of a stack take no more compute *units* together: one for each slot, and one for each job.
    """

    def __init__(self, *, parallelism: int | None = None, cpu: float | None = None, units: int | None = None) -> None:
        self._parallelism = parallelism
        self._cpu = cpu
        self._units = units
        self._jobs: dict[Any, list[Job]] = {}

    def visit(self, node: Any) -> None:
        """Have *node* asked, and know which jobs its stack has."""
        super().visit(node)
        if isinstance(node, Job):
            self._jobs.setdefault(node.stack, []).append(node)

    def broken(self, block: Block) -> Iterator[str]:
        yield from self._alone(block)
        jobs = self._jobs.get(block.stack, ()) if self._units is not None else ()
        if jobs and jobs[0] is block and (total := sum(map(_units, jobs))) > (self._units or 0):
            name = block.stack.node.id
            yield f"the jobs of {name} take {total} compute units together, expected at most {self._units}"

    def _alone(self, block: Block) -> Iterator[str]:
        name, limit = ("parallelism", self._parallelism) if isinstance(block, Job) else ("cpu", self._cpu)
        value = block.values.get(name) if isinstance(block, Job | Namespace | Workspace) else None
        if limit is not None and isinstance(value, int | float) and value > limit:
            yield f"{name}: expected at most {limit:g}, got {value:g}"


class Owners(Policy):
    """Every job has an owner in a CODEOWNERS *file*, as GitHub, GitLab and Bitbucket read it."""

    def __init__(self, file: Path) -> None:
        self._name = file.name
        self._owners = owners.parse(file.read_text(encoding="utf-8"))

    def broken(self, block: Block) -> Iterator[str]:
        if isinstance(block, Job) and (path := _path(block)) and not self._owners.owned(path):
            yield f"{self._name} names nobody for {path}; add a line for it or its folder"


class _Question:
    """Asks a policy about a block when all values are what they will be."""

    def __init__(self, policy: Policy, block: Block) -> None:
        self._policy = policy
        self._block = block

    def validate(self) -> list[str]:
        return list(self._policy.broken(self._block))


def _units(job: Job) -> int:
    """Compute units of a job while it runs; of what is a reference nothing is known."""
    parallelism = job.values.get("parallelism") or 1
    if job.values.get("state") == "suspended":
        return 0
    return 1 + (parallelism if isinstance(parallelism, int) else 1)


def _path(job: Job) -> str:
    """The file that a job comes from, '' where its name is a reference; its construct stands below its namespace's."""
    space, name = job.values["namespace"], job.values["name"]
    if is_expression(space):
        space = job.node.scope.node.id
    kind = "jar.yaml" if job.values.get("jar") else "sql"
    return "" if is_expression(name) else f"jobs/{space}/{jobfile.job_path(str(name))}.{kind}"


def _map(block: Block, name: str) -> Mapping[str, Any] | None:
    """A map of *block*, empty where nothing is set; nothing where it is a reference."""
    found = block.values.get(name) or {}
    return found if isinstance(found, Mapping) else None
