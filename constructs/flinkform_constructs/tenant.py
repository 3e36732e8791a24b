"""One customer of a platform: a workspace of its own and all that is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from flinkform.errors import Invalid
from flinkform_constructs._blocks import Job, Member, Namespace, Variable, Workspace
from flinkform_constructs.element import Element, Scope
from flinkform_constructs.scribe import is_expression

Role = Literal["VIEWER", "EDITOR", "ADMIN"]


class Tenant(Element):
    """A workspace, a namespace in it, who may use it, and what its scripts name; `job` adds jobs.

    workspace: What `Workspace` takes, its name left out: that is the tenant's.
    cpu: Cores of the namespace, which cannot be more than the workspace's.
    members: Who may do what, by the id of a user or an access key.
    variables: Values that anybody who may look may see.
    secrets: Values that nobody is shown again: references to sensitive or ephemeral variables, never text.

    Tenants share nothing: where one of them cannot be applied, the others stand.
    """

    def __init__(
        self,
        scope: Scope,
        id: str,  # noqa: A002 - the CDK's word
        *,
        workspace: Mapping[str, Any],
        cpu: int | None = None,
        members: Mapping[str, Role] | None = None,
        variables: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.workspace = Workspace(self, "workspace", name=id, **workspace)
        self.namespace = Namespace(self, "namespace", workspace_id=self.workspace.id, name=id, cpu=cpu)
        for member, role in (members or {}).items():
            Member(self, f"member-{member}", member=member, role=role, **self._inside)
        for name, value in (variables or {}).items():
            Variable(self, f"variable-{name}", name=name, value=value, kind="Clear", **self._inside)
        for name, value in (secrets or {}).items():
            if not is_expression(value):
                at, advice = f"{self.node.path}: secrets.{name}", "declare a Terraform variable that is sensitive"
                raise Invalid(f"{at}: expected a reference, got text, which would end up in a file", advice=advice)
            Variable(self, f"secret-{name}", name=name, value=value, **self._inside)

    def job(self, name: str, *, sql: str, **values: Any) -> Job:
        """Add a job; *values* are what `Job` takes."""
        return Job(self, f"job-{name}", name=name, sql=sql, **self._inside, **values)

    @property
    def _inside(self) -> dict[str, Any]:
        return {"workspace": self.workspace.resource_id, "namespace": self.namespace.name}
