"""Stacks that stay small: Terraform's work on a stack grows faster than the stack does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform_constructs._cdk import cdk
from flinkform_constructs.folder import JobFolder

LIMIT = 400
"""Ten states of 300 jobs apply in 18 CPU seconds, one of 3,000 in 44; and a change plans its whole stack."""


class JobsStack(cdk.TerraformStack):
    """A stack with jobs of one namespace, *at_most* so many of them.

    jobs: What `jobfile.load` returned, or a part of it.
    workspace, namespace: As `JobFolder` takes them; references to another stack's are fine.

    The stack has no provider and no place for its state yet: give it `FlinkProvider` and `StateBackend.keep`.
    """

    def __init__(
        self,
        scope: Any,
        id: str,  # noqa: A002 - the CDK's word
        jobs: Sequence[jobfile.Job],
        *,
        workspace: str,
        namespace: str | None = None,
        at_most: int = LIMIT,
    ) -> None:
        super().__init__(scope, id)
        if len(jobs) > at_most:
            advice = "JobsStack.split makes a stack of each folder below"
            raise Invalid(f"{id}: expected at most {at_most} jobs in a stack, got {len(jobs)}", advice=advice)
        self.folder = JobFolder(self, "jobs", jobs, workspace=workspace, namespace=namespace)

    @classmethod
    def split(cls, scope: Any, id: str, jobs: Sequence[jobfile.Job], **same: Any) -> Mapping[str, Self]:  # noqa: A002
        """Return a stack `<id>-<folder>` for each folder below the namespace's, and *id* for the files in none.

        A job's stack follows from its own path: others that come and go do not move it. Invalid: a job was moved from
        another of the stacks, which Terraform does not do: each has a state of its own.
        """
        parts: dict[str, list[jobfile.Job]] = {}
        for job in jobs:
            name = _part(id, job.path)
            for old in job.moved:
                if (before := _part(id, old)) != name:
                    message = f"{job.path}: {old} is in the stack {before}, and Terraform moves nothing to {name}"
                    raise Invalid(message, advice="leave it in its folder; only files below one folder change names")
            parts.setdefault(name, []).append(job)
        return {name: cls(scope, name, part, **same) for name, part in sorted(parts.items())}


def _part(id: str, path: str) -> str:  # noqa: A002 - the CDK's word
    """Return the stack of the job at *path*."""
    return id + jobfile.shard(path).removeprefix(path.partition("/")[0])
