"""What jobs refer to: variables whose secrets are in no file, and session clusters, made here or looked up."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack

from flinkform.errors import Invalid
from flinkform.resources.job import SESSION
from flinkform_constructs import _blocks
from flinkform_constructs.block import Block, Meta
from flinkform_constructs.element import Scope, path_of
from flinkform_constructs.ref import Ref, Text, text
from flinkform_constructs.scribe import is_expression

Kind = TypeVar("Kind", bound=Block)


def _explained(kind: type[Kind]) -> type[Kind]:
    """Let `help` say of an intent what it says of the class that stands below it: what each argument is for."""
    _, _, arguments = (kind.__mro__[1].__doc__ or "").partition("\n\n")
    kind.__doc__ = f"{(kind.__doc__ or '').rstrip()}\n\n{arguments}"
    return kind


@_explained
class DataVariable(_blocks.DataVariable):
    """A variable that is there already; its value is told to nobody."""

    @property
    def mention(self) -> Text:
        """What a script says in a string for the variable's value; it is filled in when Flink is handed the job."""
        return _mention(self.name)


@_explained
class Variable(_blocks.Variable):
    """A value that scripts name and do not hold, encrypted unless it is said to be `Clear`.

    An encrypted `value` is a reference, to a variable that is sensitive or ephemeral: text would end up in a file. A
    job whose script holds `mention` is made after the variable, and goes before it.
    """

    def _stand(self, scope: Scope, id: str, values: dict[str, Any], meta: Meta) -> None:  # noqa: A002 - the CDK's word
        if values.get("kind") != "Clear" and not is_expression(values.get("value")):
            said = f"{path_of(scope)}/{id}: value: expected a reference, got text, which would end up in a file"
            advice = "declare a Terraform variable that is sensitive, or say kind='Clear' where it is no secret"
            raise Invalid(said, at=("value",), advice=advice)
        super()._stand(scope, id, values, meta)

    @property
    def mention(self) -> Text:
        """What a script says in a string for the variable's value; it is filled in when Flink is handed the job."""
        return _mention(self.name)

    @classmethod
    def from_name(
        cls,
        scope: Scope,
        id: str,  # noqa: A002 - the CDK's word
        *,
        workspace: str,
        namespace: str,
        name: str,
        **meta: Unpack[Meta],
    ) -> DataVariable:
        """Look up what is there already, by its `name`, and manage nothing."""
        return DataVariable(scope, id, workspace=workspace, namespace=namespace, name=name, **meta)


@_explained
class DataSessionCluster(_blocks.DataSessionCluster):
    """A session cluster that is there already."""

    @property
    def target(self) -> Text:
        """The `deployment_target` of a job that runs in the cluster."""
        return text(SESSION, self.name)


@_explained
class SessionCluster(_blocks.SessionCluster):
    """A Flink cluster that jobs share.

    A job whose `deployment_target` is `target` starts after it, and goes before it.
    """

    @property
    def target(self) -> Text:
        """The `deployment_target` of a job that runs in the cluster."""
        return text(SESSION, self.name)

    @classmethod
    def from_name(
        cls,
        scope: Scope,
        id: str,  # noqa: A002 - the CDK's word
        *,
        workspace: str,
        namespace: str,
        name: str,
        **meta: Unpack[Meta],
    ) -> DataSessionCluster:
        """Look up what is there already, by its `name`, and manage nothing."""
        return DataSessionCluster(scope, id, workspace=workspace, namespace=namespace, name=name, **meta)


def _mention(name: Ref) -> Text:
    return text("${secret_values.", name, "}")
