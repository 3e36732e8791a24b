"""Every job file below a folder as a construct."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Unpack

from flinkform import jobfile
from flinkform_constructs._blocks import Job
from flinkform_constructs.block import Meta
from flinkform_constructs.element import Element, Scope
from flinkform_constructs.ref import literal


class JobFolder(Element):
    """A `Job` for every job file below *folder*, found by namespace and name: `folder.jobs["auction", "bids"]`.

    folder: The jobs folder, whose top folders are the namespaces, or the jobs already loaded from one.
    workspace: The workspace's `resource_id`.
    namespace: The namespace of every job. Left out: the top folder's name.
    environment: What this environment has different, or the file that says so. Left out: nothing is.

    What else is given goes to every job. The ids of the jobs come from their paths, so they stay what they are when
    other files come and go; a job whose file says `moved_from` is moved. Text from files is literal: `${` in a script
    is no reference.
    """

    def __init__(
        self,
        scope: Scope,
        id: str,  # noqa: A002 - the CDK's word
        folder: str | Path | Iterable[jobfile.Job],
        *,
        workspace: str,
        namespace: str | None = None,
        environment: jobfile.Environment | Path | None = None,
        **meta: Unpack[Meta],
    ) -> None:
        super().__init__(scope, id)
        found = jobfile.load(Path(folder), environment=environment) if isinstance(folder, str | Path) else folder
        teams: dict[str, Element] = {}
        self.jobs: dict[tuple[str, str], Job] = {}
        for job in found:
            team = teams.get(job.namespace) or teams.setdefault(job.namespace, Element(self, job.namespace))
            values = {"workspace": workspace, "namespace": namespace or job.namespace, "name": job.name}
            values |= literal(self._seen(job))
            # Checked already, by the same declaration and with a better place to name: the file's.
            made = self.jobs[job.namespace, job.name] = Job.of(team, job.name, values, meta)
            for name in jobfile.moved_names(job):
                made.move_from(made.beside(name))

    def _seen(self, job: jobfile.Job) -> Mapping[str, Any]:
        """Return what a job file says; the path of a jar as Terraform finds it from the stack's folder.

        An absolute one would be another value on every machine.
        """
        jar = job.values.get("jar") or {}
        if not jar.get("source"):
            return job.values
        stack = self.node.host.stack
        out = Path(getattr(stack.node.root, "target", None) or stack.node.root.outdir).absolute()
        source = os.path.relpath(Path(jar["source"]).absolute(), out / "stacks" / stack.node.id)
        return {**job.values, "jar": {**jar, "source": source}}
