"""A namespace that things are put into, and one customer of a platform: a workspace with such a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Unpack

from flinkform_constructs._blocks import Draft, Folder, Job, Member, Namespace, Workspace
from flinkform_constructs.block import Meta
from flinkform_constructs.element import Element, Scope
from flinkform_constructs.intent import SessionCluster, Variable

Role = Literal["VIEWER", "EDITOR", "ADMIN"]


class Place(Element):
    """A namespace, and a word for each thing that may be put into it; *values* are what the thing's construct takes.

    workspace_id: The workspace's `resource_id`.
    namespace_name: The namespace's name.
    """

    def __init__(
        self,
        scope: Scope,
        id: str,  # noqa: A002 - the CDK's word
        *,
        workspace_id: str,
        namespace_name: str,
    ) -> None:
        super().__init__(scope, id)
        self._inside: dict[str, Any] = {"workspace": workspace_id, "namespace": namespace_name}

    def job(self, name: str, *, sql: str, **values: Any) -> Job:
        """Add a job."""
        return Job(self, f"job-{name}", name=name, sql=sql, **self._inside, **values)

    def session_cluster(self, name: str, **values: Any) -> SessionCluster:
        """Add a cluster that jobs share."""
        return SessionCluster(self, f"cluster-{name}", name=name, **self._inside, **values)

    def member(self, member: str, role: Role = "VIEWER", **meta: Unpack[Meta]) -> Member:
        """Let a user or an access key in: to look, where nothing else is said."""
        return Member(self, f"member-{member}", member=member, role=role, **self._inside, **meta)

    def variable(self, name: str, value: str, **values: Any) -> Variable:
        """Add a value that anybody who may look may see."""
        return Variable(self, f"variable-{name}", name=name, value=value, kind="Clear", **self._inside, **values)

    def secret(self, name: str, value: str, **values: Any) -> Variable:
        """Add a value that nobody is shown again: a reference to a sensitive or ephemeral variable, never text."""
        return Variable(self, f"secret-{name}", name=name, value=value, **self._inside, **values)

    def folder(self, name: str, **values: Any) -> Folder:
        """Add a folder for drafts."""
        return Folder(self, f"folder-{name}", name=name, **self._inside, **values)

    def draft(self, name: str, *, sql: str, folder: Folder | None = None, **values: Any) -> Draft:
        """Add a script that is worked on, in the namespace's root where no folder is said."""
        within = None if folder is None else folder.folder_id
        return Draft(self, f"draft-{name}", name=name, sql=sql, folder_id=within, **self._inside, **values)


class Tenant(Place):
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
        super().__init__(scope, id, workspace_id="", namespace_name="")
        self.workspace = Workspace(self, "workspace", name=id, **workspace)
        self.namespace = Namespace(self, "namespace", workspace_id=self.workspace.id, name=id, cpu=cpu)
        self._inside = {"workspace": self.workspace.resource_id, "namespace": self.namespace.name}
        for member, role in (members or {}).items():
            self.member(member, role)
        for name, value in (variables or {}).items():
            self.variable(name, value)
        for name, value in (secrets or {}).items():
            self.secret(name, value)

    @classmethod
    def from_name(
        cls,
        scope: Scope,
        id: str,  # noqa: A002 - the CDK's word
        *,
        name: str,
        namespace: str | None = None,
    ) -> Place:
        """Look up a tenant that is there already, to put more into it.

        name: Its workspace's.
        namespace: One of its namespaces. Left out: the one of the same name.
        """
        found = Workspace.from_name(scope, f"{id}-workspace", name=name)
        inside = Namespace.from_name(scope, f"{id}-namespace", workspace_id=found.id, name=namespace or name)
        return Place(scope, id, workspace_id=found.resource_id, namespace_name=inside.name)
