"""The table of operations: complete, readable, and consistent with the models."""

from __future__ import annotations

import re

import pytest

from flinkform.errors import Invalid
from flinkform.openapi import ours, route
from flinkform.openapi.models import model
from flinkform.openapi.operation import SCALARS, Field, fields, names, operation

PLAIN = SCALARS | {"Any"}


def test_all_operations_read() -> None:
    """Every row of the table is an operation with a product, a method and a path."""
    assert len(names()) == 140
    for name in names():
        found = operation(name)
        assert found.name == name
        assert found.rpc == (found.product == "foasconsole") == (found.path == "/")
        assert not (found.form and found.body)


def test_every_type_is_known() -> None:
    """Each type that an operation or a model names is a scalar or a model that we have."""
    unread = {(operation(n).product, f.type) for n in names() for f in (*operation(n).answer, *operation(n).query)}
    unread |= {(operation(n).product, f.type) for n in names() for f in operation(n).form}
    unread |= {(operation(n).product, operation(n).body) for n in names() if operation(n).body}
    seen = set()
    while unread:
        product, kind = unread.pop()
        for inner in set(re.findall(r"\w+", kind)) - PLAIN - {"List", "Dict"}:
            if (product, inner) not in seen:
                seen.add((product, inner))
                found = model(product, inner)
                assert found is not None, inner
                unread |= {(product, field.type) for field in found.values()}


def test_the_workspace_header() -> None:
    """Every ververica operation but one needs to be told the workspace, and no console operation does."""
    lacking = [n for n in names() if "workspace" not in operation(n).fields and not operation(n).rpc]
    assert lacking == ["ListEditableNamespace"]
    assert not any("workspace" in operation(n).fields for n in names() if operation(n).rpc)


@pytest.mark.parametrize(
    ("name", "idempotent"),
    [
        ("GetDeployment", True),
        ("UpdateDeployment", True),
        ("DeleteDeployment", True),
        ("DeleteInstance", True),
        ("QueryCreateInstancePrice", True),
        ("CreateDeployment", False),
        ("StartJob", False),
        ("StopJob", False),
        ("CreateInstance", False),
        ("RenewInstance", False),
    ],
)
def test_what_may_be_sent_twice(name: str, idempotent: bool) -> None:
    """Reads, updates by value and deletes may be repeated; creates, starts and orders may not."""
    assert operation(name).idempotent is idempotent


def test_fields_are_read_as_written() -> None:
    """The notation of the tables: type, required, spread over several names."""
    assert fields("name pageIndex:int name! Tag.N:List[T]!") == (
        Field(name="name"),
        Field(name="pageIndex", type="int"),
        Field(name="name", required=True),
        Field(name="Tag", type="List[T]", required=True, flat=True),
    )
    assert fields("Tag:List[T]")[0].item == "T"
    assert fields("x:Dict[str,Any]")[0].item == ""


def test_unknown_operation() -> None:
    """A name that no operation has is the caller's mistake."""
    with pytest.raises(Invalid, match="ListDeployments"):
        operation("Nope")


def test_models() -> None:
    """Fields of a model by name; what is no model is nothing."""
    found = model("ververica", "Deployment")
    assert found is not None
    assert found["labels"].type == "Dict[str,Any]"
    assert model("ververica", "str") is None


def test_ours() -> None:
    """Our own operations are signed and routed like the API's, and are none of its 140."""
    for name in ours.OPERATIONS:
        found = operation(name)
        assert name not in names()
        assert found.path.startswith("/flinkform/")
        path = found.path.replace("{namespace}", "n").replace("{deploymentId}", "d")
        assert route.match(found.method, path) == (found, {"namespace": "n", "deploymentId": "d"})
        assert found.idempotent
