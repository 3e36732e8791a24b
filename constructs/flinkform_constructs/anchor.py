"""The few places where a Python block has to be something that the CDK knows: tokens, dependencies, providers."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from flinkform.errors import Invalid
from flinkform_constructs._cdk import cdk
from flinkform_constructs.element import Element
from flinkform_constructs.ref import Ref


class Anchored(Protocol):
    """What an anchor needs to know about a block."""

    KIND: ClassVar[str]
    TYPE: ClassVar[str]

    @property
    def address(self) -> str: ...
    @property
    def friendly_unique_id(self) -> str: ...
    @property
    def stack(self) -> Any: ...


class ResourceAnchor(cdk.TerraformResource):
    """Has the address of a Python resource and writes nothing."""

    def to_terraform(self) -> Any:
        return {}


class DataAnchor(cdk.TerraformDataSource):
    """Has the address of a Python data source and writes nothing."""

    def to_terraform(self) -> Any:
        return {}


def token(block: Anchored, expression: str) -> str:
    """Return a CDK token for *expression*, which starts with the address of *block*.

    The same one every time: the CDK prepares references in a first pass, and a token it meets only in the second
    would leave a reference to another stack dangling.
    """
    known: dict[str, str] = vars(block).setdefault("_tokens", {})
    if expression not in known:
        rest = expression.removeprefix(block.address)
        if not rest.startswith("."):
            raise Invalid(f"{expression} cannot leave its stack", advice="refer to an attribute of the resource")
        known[expression] = str(_anchor(block).get_string_attribute(rest[1:]))
    return known[expression]


def address(block: Anchored, other: Any) -> str:
    """Return the address of *other*, which *block* depends on; raises `Invalid` where it is in another stack."""
    if isinstance(other, Ref):
        other = other.owner or other.expression
    if isinstance(other, str):
        return str.__str__(other)
    if isinstance(other, Element):
        found, stack = other.fqn, other.node.host.stack
    else:
        found, stack = _known(other)
    if stack is not block.stack:
        raise Invalid(
            f"{block.address} cannot depend on {found}, which is in another stack",
            advice="order the stacks with add_dependency",
        )
    return found


def provider(value: Any) -> str:
    """Return how a block names the provider *value*: a provider construct, or its name as text."""
    if isinstance(value, str):
        return value
    alias = value.alias
    return f"{value.terraform_resource_type}.{alias}" if alias else str(value.terraform_resource_type)


def _anchor(block: Anchored) -> Any:
    found = vars(block).get("_anchor")
    if found is None:
        kind = DataAnchor if block.KIND == "data" else ResourceAnchor
        name = f"$flinkform-{block.address}"
        found = vars(block)["_anchor"] = kind(block.stack, name, terraform_resource_type=block.TYPE)
        found.override_logical_id(block.friendly_unique_id)
    return found


def _known(construct: Any) -> tuple[str, Any]:
    """Return address and stack of a jsii construct, asking Node once however many blocks depend on it."""
    known: tuple[str, Any] | None = vars(construct).get("_flinkform_address")
    if known is None:
        known = vars(construct)["_flinkform_address"] = (_address(construct), cdk.TerraformStack.of(construct))
    return known


def _address(construct: Any) -> str:
    if isinstance(construct, cdk.TerraformResource):
        return f"{construct.terraform_resource_type}.{construct.friendly_unique_id}"
    if isinstance(construct, cdk.TerraformDataSource):
        return f"data.{construct.terraform_resource_type}.{construct.friendly_unique_id}"
    if isinstance(construct, cdk.TerraformModule):
        return f"module.{construct.friendly_unique_id}"
    raise Invalid(f"expected a resource, data source or module to depend on, got {type(construct).__name__}")
