"""Where Python's elements meet the CDK: one real TerraformElement per stack stands for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flinkform_constructs._cdk import IValidation, cdk, jsii
from flinkform_constructs.page import Page
from flinkform_constructs.scribe import through

if TYPE_CHECKING:
    from flinkform_constructs.element import Element

ID = "$flinkform"
CROSSING = "flinkform"
"""Where, under the stack's `//`, the CDK leaves the values it filled in; they are gone before the file is seen."""


class Host:
    """A jsii construct that holds elements: what is asked of it is asked once."""

    __slots__ = ("carrier", "construct", "path", "prefix", "roots", "stack")

    def __init__(self, construct: Any) -> None:
        self.construct = construct
        self.path: str = construct.node.path
        self.stack: Any = cdk.TerraformStack.of(construct)
        self.carrier = Carrier.of(self.stack)
        self.roots: dict[str, Element] = {}
        self.prefix = self.path.removeprefix(self.carrier.path).split("/")[1:]
        self.carrier.hosts.append(self)

    @staticmethod
    def of(construct: Any) -> Host:
        """Return what is known about *construct*, asking it the first time."""
        found: Host | None = vars(construct).get("_flinkform_host")
        if found is None:
            found = vars(construct)["_flinkform_host"] = Host(construct)
        return found


class Carrier(cdk.TerraformElement):
    """Stands for the elements of a stack. The CDK writes them if it asks while `parcel` is unset."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.path: str = stack.node.path
        self.hosts: list[Host] = []
        self.parcel: dict[str, Any] | None = None
        self.count = 0
        self.has_provider = False
        self.wants_provider = False
        self._visited: set[tuple[Element, Any]] = set()
        super().__init__(stack, ID)
        self.node.add_validation(_Verdict(self))
        root = stack.node.root
        if isinstance(root, Carried):
            root.carriers.append(self)

    @classmethod
    def of(cls, stack: Any) -> Carrier:
        """Return the carrier of *stack*, made the first time."""
        found: Carrier | None = vars(stack).get("_flinkform_carrier")
        if found is None:
            found = vars(stack)["_flinkform_carrier"] = cls(stack)
        return found

    def elements(self) -> Iterator[Element]:
        """Yield every element of the stack, parents first."""
        for host in self.hosts:
            for root in host.roots.values():
                yield from root.node.walk()

    def visit(self) -> None:
        """Run the aspects that stock `Aspects.of(scope).add(...)` put above elements, outer scopes first.

        An aspect visits an element once, however often the CDK asks for the stack.
        """
        known: dict[Any, list[Any]] = {}
        for host in list(self.hosts):
            scopes = host.construct.node.scopes
            for scope in scopes:
                if scope not in known:
                    known[scope] = cdk.Aspects.of(scope).all
            aspects = [aspect for scope in scopes for aspect in known[scope]]
            for element in [e for root in host.roots.values() for e in root.node.walk()] if aspects else ():
                for aspect in aspects:
                    if (element, aspect) not in self._visited:
                        self._visited.add((element, aspect))
                        aspect.visit(element)

    def faults(self) -> list[tuple[str, str]]:
        """Return what validations say: the path of the element and the message."""
        found = [(e.node.path, m) for e in self.elements() for v in e.node.validations for m in v.validate()]
        if self.wants_provider and not self.has_provider:
            found.append((self.path, "there are flink resources but no provider; add FlinkProvider to the stack"))
        return found

    def page(self, leave: Any) -> Page:
        """Return the elements as Terraform JSON; *leave* takes what the CDK has to fill in."""
        page = Page(self.stack, leave)
        for element in self.elements():
            element.write(page)
        return page

    def to_terraform(self) -> Any:
        """Answer the CDK: everything, unless Python writes the stack itself."""
        if self.parcel is not None:
            return {"//": {CROSSING: self.parcel}}
        self.visit()
        return self.page(through).document

    def to_metadata(self) -> Any:
        """Answer the CDK what it notes about blocks with overrides, imports and moves."""
        notes: dict[str, dict[str, list[str]]] = {}
        for element in self.elements():
            element.note(notes)
        return notes


class Carried:
    """An app that writes its carriers' elements itself."""

    carriers: list[Carrier]


@jsii.implements(IValidation)
class _Verdict:
    """Passes the elements' validations to the CDK, which asks where no App of ours did."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def validate(self) -> list[str]:
        if self._carrier.parcel is not None:
            return []
        self._carrier.visit()  # aspects may change what is judged, and policies ask by one
        return [f"[{path}] {message}" for path, message in self._carrier.faults()]
