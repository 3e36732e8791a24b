"""A node of the construct tree that lives in Python only and costs no call to Node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from flinkform.errors import Invalid
from flinkform_constructs._cdk import Construct, cdk, jsii
from flinkform_constructs.carrier import Host

if TYPE_CHECKING:
    from flinkform_constructs.page import Page

_SEPARATOR = re.compile(r"[/\n]")


class Validation(Protocol):
    """What `node.add_validation` takes, the CDK's own included."""

    def validate(self) -> list[str]:
        """Return what is wrong, one line each."""


@jsii.implements(cdk.ITerraformDependable)
class Element:
    """Something below a stack. Its scope is a jsii construct or another element.

    Aspects put on a jsii construct above visit it. No jsii construct can stand below it.
    """

    def __init__(self, scope: Scope, id: str) -> None:  # noqa: A002 - the CDK's word
        self.node = Node(self, scope, id)

    @property
    def fqn(self) -> str:
        """What others depend on. Raises `Invalid` for an element that stands for no single block."""
        raise Invalid(f"{self.node.path} has no address of its own", advice="depend on the resources in it")

    def write(self, page: Page) -> None:
        """Put this element, not its children, on *page*; a plain element has nothing to say."""

    def note(self, notes: dict[str, dict[str, list[str]]]) -> None:
        """Add to what the CDK notes about a stack: the blocks with overrides, imports and moves."""


Scope = Construct | Element


class Node:
    """The place of an element in the tree: the part of the CDK's `construct.node` that people use."""

    __slots__ = ("below", "element", "host", "id", "path", "scope", "validations")

    def __init__(self, element: Element, scope: Scope, id: str) -> None:  # noqa: A002 - the CDK's word
        if isinstance(scope, Element):
            around = scope.node
            self.host: Host = around.host
            above, siblings = around.path, around.below
        else:
            self.host = Host.of(scope)
            above, siblings = self.host.path, self.host.roots
        self.element = element
        self.scope = scope
        self.id = _SEPARATOR.sub("--", id)
        self.path: str = f"{above}/{self.id}"
        self.validations: list[Validation] = []
        self.below: dict[str, Element] = {}
        if not id or self.id in siblings:
            reason = f"there is already a construct called {id!r}" if id else "expected an id, got an empty one"
            raise Invalid(f"{above}: {reason}")
        siblings[self.id] = element
        self.host.carrier.count += 1

    @property
    def children(self) -> list[Element]:
        """The elements directly below."""
        return list(self.below.values())

    def find_all(self) -> list[Element]:
        """Return the element and all below it, parents first."""
        return list(self.walk())

    def walk(self) -> Iterator[Element]:
        """Yield the element and all below it, parents first."""
        waiting = [self.element]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.node.below.values()))

    def try_find_child(self, id: str) -> Element | None:  # noqa: A002 - the CDK's word
        """Return the child called *id*, if there is one."""
        return self.below.get(_SEPARATOR.sub("--", id))

    def find_child(self, id: str) -> Element:  # noqa: A002 - the CDK's word
        """Return the child called *id*; raises `Invalid` without one."""
        if (child := self.try_find_child(id)) is None:
            raise Invalid(f"{self.path}: there is no construct called {id!r}")
        return child

    def add_validation(self, validation: Validation) -> None:
        """Ask *validation* before anything is written."""
        self.validations.append(validation)


def path_of(scope: Scope) -> str:
    """Return the path of a construct of either kind."""
    return scope.node.path if isinstance(scope, Element) else Host.of(scope).path
