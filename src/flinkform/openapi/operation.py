"""The operations of the API: what each is called, where it lives, what it takes and what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from flinkform.errors import Invalid
from flinkform.openapi import ours
from flinkform.openapi.table import OPERATIONS, PRODUCTS

SCALARS = frozenset({"str", "int", "bool", "float"})
"""Types that travel as plain text; all others as JSON, or spread over several names."""

_READS = ("Get", "List", "Query", "Describe", "Validate")
_TAKES = ("GetDeploymentDraftLock", "ValidateDeploymentDraftAsync")
"""Named like reads, but one takes a lock and the other makes a ticket."""
_SAFE = ("Get", "List", "Query", "Describe", "Delete", "Tag", "Untag", "Validate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter, or a field of a model. A *flat* one travels as `Tag.1.Key`, `Tag.2.Key`."""

    name: str
    type: str = "str"
    required: bool = False
    flat: bool = False

    @property
    def scalar(self) -> bool:
        return self.type in SCALARS

    @property
    def item(self) -> str:
        """The type of the items if this is a list, else nothing."""
        return self.type[5:-1] if self.type.startswith("List[") else ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. *body* names the model of a JSON body; *answer* lists what stands beside the usual envelope.

    *style* is ROA (paths and JSON) or RPC (everything is a parameter, the name travels in a header).
    """

    name: str
    product: str
    version: str
    style: str
    method: str
    path: str
    query: tuple[Field, ...]
    headers: tuple[str, ...]
    form: tuple[Field, ...]
    body: str
    answer: tuple[Field, ...]

    @cached_property
    def path_params(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Everything that may be sent beside a JSON body, by name; of headers only `workspace` must be."""
        path = (Field(name=name, required=True) for name in self.path_params)
        headers = (Field(name=name, required=name == "workspace") for name in self.headers)
        return {field.name: field for field in (*path, *headers, *self.query, *self.form)}

    @property
    def rpc(self) -> bool:
        return self.style == "RPC"

    @property
    def data(self) -> str:
        """The type of the answer's `data`, or nothing."""
        return next((field.type for field in self.answer if field.name == "data"), "")

    @property
    def reads(self) -> bool:
        """Whether it leaves everything as it was."""
        return self.method == "GET" or (self.name.startswith(_READS) and self.name not in _TAKES)

    @property
    def idempotent(self) -> bool:
        """Whether sending it twice does no more than sending it once."""
        return self.method != "POST" or self.name.startswith(_SAFE)


def names() -> tuple[str, ...]:
    """Return the names of all operations of the public API; not of `ours`."""
    return tuple(OPERATIONS)


@cache
def operation(name: str) -> Operation:
    """Return the operation called *name*. Raises `Invalid` if there is none."""
    row = OPERATIONS.get(name) or ours.OPERATIONS.get(name)
    if row is None:
        raise Invalid(f"expected an operation such as ListDeployments, got {name!r}")
    product, method, path, query, headers, form, body, answer = row
    version, style = PRODUCTS[product]
    return Operation(
        name=name,
        product=product,
        version=version,
        style=style,
        method=method,
        path=path,
        query=fields(query),
        headers=tuple(headers.split()),
        form=fields(form),
        body=body,
        answer=fields(answer),
    )


def fields(text: str) -> tuple[Field, ...]:
    """Read fields as the generated tables write them: `pageIndex:int name! Tag.N:List[TagResourcesRequestTag]!`."""
    return tuple(_field(cell) for cell in text.split())


def _field(cell: str) -> Field:
    name, _, kind = cell.rstrip("!").partition(":")
    return Field(
        name=name.removesuffix(".N"), type=kind or "str", required=cell.endswith("!"), flat=name.endswith(".N")
    )
