"""Resources and data sources: an element with an address, values and Terraform's meta-arguments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self, TypedDict

from flinkform.errors import Invalid
from flinkform_constructs import anchor, declared
from flinkform_constructs.element import Element, Scope, path_of
from flinkform_constructs.naming import unique_id
from flinkform_constructs.page import Page
from flinkform_constructs.ref import Ref, doubled

Dependable = Any
"""An element with an address, or a jsii resource, data source or module."""


class Lifecycle(TypedDict, total=False):
    """Terraform's `lifecycle`; `replace_triggered_by` takes resources and references."""

    create_before_destroy: bool
    prevent_destroy: bool
    ignore_changes: Sequence[str] | str
    replace_triggered_by: Sequence[Any]
    precondition: Sequence[Mapping[str, Any]]
    postcondition: Sequence[Mapping[str, Any]]


class Meta(TypedDict, total=False):
    """What every block takes beside its own arguments."""

    depends_on: Sequence[Dependable]
    count: int | Ref
    for_each: Mapping[str, Any] | Sequence[str] | Ref
    provider: Any
    lifecycle: Lifecycle


class Block(Element):
    """What resources and data sources share. `values` may be changed until the app is written, by aspects for one."""

    KIND: ClassVar[str] = ""
    TYPE: ClassVar[str] = ""

    def __init__(self, scope: Scope, id: str, values: Mapping[str, Any], meta: Meta) -> None:  # noqa: A002 - the CDK's word
        known = f"data.{self.TYPE}" if self.KIND == "data" else self.TYPE
        self._stand(scope, id, declared.checked(known, values, lambda: f"{path_of(scope)}/{id}"), meta)

    @classmethod
    def of(cls, scope: Scope, id: str, values: dict[str, Any], meta: Meta) -> Self:  # noqa: A002 - the CDK's word
        """Return a block of *values* that were checked against the type already, such as those of a job file."""
        block = cls.__new__(cls)
        block._stand(scope, id, values, meta)  # noqa: SLF001 - its own
        return block

    def _stand(self, scope: Scope, id: str, values: dict[str, Any], meta: Meta) -> None:  # noqa: A002 - the CDK's word
        self.values = values
        self.meta = _given(meta, lambda: f"{path_of(scope)}/{id}")
        self.overrides: dict[str, Any] = {}
        self._name: str | None = None
        Element.__init__(self, scope, id)
        if "provider" not in self.meta:
            self.node.host.carrier.wants_provider = True

    @property
    def friendly_unique_id(self) -> str:
        """The logical id, equal to the one that stock bindings give at this path."""
        if self._name is None:
            self._name = unique_id(self._ids())
        return self._name

    @property
    def address(self) -> str:
        """The Terraform address in its stack: `flink_job.bids`."""
        return f"{self.TYPE}.{self.friendly_unique_id}"

    def beside(self, id: str) -> str:  # noqa: A002 - the CDK's word
        """Return the address that a block of this type has whose construct is called *id* and stands beside this."""
        return f"{self.TYPE}.{unique_id([*self._ids()[:-1], id])}"

    @property
    def fqn(self) -> str:
        """The address, for the CDK."""
        return self.address

    @property
    def stack(self) -> Any:
        """The stack this is in."""
        return self.node.host.stack

    @property
    def terraform_resource_type(self) -> str:
        """The Terraform type."""
        return self.TYPE

    def ref(self, attribute: str) -> Ref:
        """Refer to *attribute*; with `for_each` to that of every instance, as the CDK does."""
        each = ".*" if "for_each" in self.meta else ""
        return Ref(f"{self.address}{each}.{attribute}", self)

    def token(self, expression: str) -> str:
        """Return a CDK token for *expression*, always the same one."""
        return anchor.token(self, expression)

    def override_logical_id(self, name: str) -> None:
        """Use *name* in place of the computed logical id; raises `Invalid` once anything refers to it."""
        if self._name is not None:
            raise Invalid(f"{self.node.path}: something refers to {self.address} already", advice="override it earlier")
        self._name = name

    def add_override(self, path: str, value: Any) -> None:
        """Set what the arguments cannot say, by a dotted *path*: objects merge, lists are appended, `None` removes."""
        at = self.overrides
        *parents, last = path.split(".")
        for parent in parents:
            if not isinstance(at.get(parent), dict):
                at[parent] = {}
            at = at[parent]
        at[last] = value

    def write(self, page: Page) -> None:
        """Put the block on *page*."""
        write = page.scribe.write
        body = page.scribe.body(self.values)
        for key, value in self.meta.items():
            body[key] = write(self._meta(key, value))
        if self.overrides:
            _merge(body, self.overrides, write)
        body["//"] = {"metadata": {"path": self.node.path, "uniqueId": self.friendly_unique_id}}
        page.block(self.KIND, self.TYPE, self.friendly_unique_id, body)

    def note(self, notes: dict[str, dict[str, list[str]]]) -> None:
        """Note the overrides."""
        if self.overrides:
            notes.setdefault("overrides", {}).setdefault(self.TYPE, []).extend(self.overrides)

    def _ids(self) -> list[str]:
        ids: list[str] = []
        at: Scope = self
        while isinstance(at, Element):
            ids.append(at.node.id)
            at = at.node.scope
        return [*self.node.host.prefix, *reversed(ids)]

    def _meta(self, key: str, value: Any) -> Any:
        if key == "depends_on":
            return [anchor.address(self, other) for other in value]
        if key == "provider":
            return anchor.provider(value)
        if key == "for_each" and isinstance(value, Sequence) and not isinstance(value, str):
            return Ref(f"toset({json.dumps([doubled(item) for item in value])})")
        if key == "lifecycle" and "replace_triggered_by" in value:
            triggers = [anchor.address(self, other) for other in value["replace_triggered_by"]]
            return {**value, "replace_triggered_by": triggers}
        return value


class Resource(Block):
    """Something that Terraform manages."""

    KIND = "resource"
    _import: dict[str, Any] | None = None
    _moved_from: tuple[str, ...] = ()

    def import_from(self, id: str, provider: Any = None) -> None:  # noqa: A002 - the CDK's word
        """Adopt the existing thing called *id* at the next apply, in place of making one."""
        self._import = {"id": id} if provider is None else {"id": id, "provider": anchor.provider(provider)}

    def move_from(self, address: str) -> None:
        """Take over the state that *address* has in this stack, in place of making a new thing.

        Called again it is another one, which came after: a state that stayed behind by several moves follows all of
        them. Terraform moves nothing between stacks.
        """
        self._moved_from = (*self._moved_from, address)

    def write(self, page: Page) -> None:
        """Put the block on *page*, with what it takes over."""
        super().write(page)
        for old, new in pairwise((*self._moved_from, self.address)):
            page.row("moved", {"from": old, "to": new})
        if self._import is not None:
            page.row("import", {**self._import, "to": self.address})

    def note(self, notes: dict[str, dict[str, list[str]]]) -> None:
        """Note overrides, imports and moves."""
        super().note(notes)
        for kind, there in (("imports", self._import), ("moved", self._moved_from)):
            if there:
                notes.setdefault(kind, {}).setdefault(self.TYPE, []).append(self.friendly_unique_id)


class DataSource(Block):
    """Something that Terraform only reads."""

    KIND = "data"

    @property
    def address(self) -> str:
        """The Terraform address in its stack: `data.flink_jobs.bids`."""
        return f"data.{super().address}"


def _given(meta: Meta, path: Callable[[], str]) -> dict[str, Any]:
    """Return the meta-arguments that are set; a misspelt argument of any kind ends up among them, and is refused."""
    if not meta:
        return {}
    given = {key: value for key, value in meta.items() if value is not None}
    if unknown := meta.keys() - Meta.__annotations__.keys():
        raise Invalid(f"{path()}: {min(unknown)}: there is no such argument", at=(min(unknown),))
    if "count" in given and "for_each" in given:
        raise Invalid(f"{path()}: expected count or for_each, got both")
    return given


def _merge(body: dict[str, Any], overrides: Mapping[str, Any], write: Callable[[Any], Any]) -> None:
    for key, value in overrides.items():
        if isinstance(value, Mapping):
            # A copy: what says itself is written uncopied, and stays what the user gave.
            there = body.get(key)
            body[key] = dict(there) if isinstance(there, dict) else {}
            _merge(body[key], value, write)
        elif value is None:
            body.pop(key, None)
        elif isinstance(value, list) and isinstance(body.get(key), list):
            body[key] = [*body[key], *write(value)]
        else:
            body[key] = write(value)
