"""What the provider says of itself, in both forms."""

from __future__ import annotations

import json
from typing import Any

from flinkform.provider import describe
from flinkform.provider.document import PATH, normalised
from flinkform.provider.protocol import protobuf
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform.schema.types import Object

MODES = {1: "single", 2: "list"}


def test_both_forms_agree() -> None:
    """The protocol's schema and the JSON document tell the same of every type."""
    told = list(protobuf.fields(describe.provider_schema()))
    ((_, schemas),) = describe.document()["provider_schemas"].items()
    for number, part in ((2, "resource_schemas"), (3, "data_source_schemas")):
        entries = [protobuf.read(bytes(value)) for n, value in told if n == number]
        found = {bytes(e[1]).decode(): _schema(bytes(e[2])) for e in entries}
        assert found == {name: schema["block"]["attributes"] for name, schema in schemas[part].items()}
    assert _schema(bytes(dict(told)[1])) == schemas["provider"]["block"]["attributes"]


def _schema(data: bytes) -> dict[str, Any]:
    return _attributes(bytes(protobuf.read(data)[2]), 2)


def _attributes(data: bytes, number: int) -> dict[str, Any]:
    return dict(_attribute(bytes(value)) for n, value in protobuf.fields(data) if n == number)


def _attribute(data: bytes) -> tuple[str, dict[str, Any]]:
    told = protobuf.read(data)
    words = {4: "required", 5: "optional", 6: "computed", 7: "sensitive", 11: "write_only"}
    out: dict[str, Any] = {"description": bytes(told[3]).decode(), "description_kind": "markdown"}
    out |= {word: True for number, word in words.items() if told.get(number)}
    if 10 in told:
        inner = bytes(told[10])
        mode = MODES[int(protobuf.read(inner)[3])]
        out["nested_type"] = {"attributes": _attributes(inner, 1), "nesting_mode": mode}
    else:
        out["type"] = json.loads(bytes(told[2]))
    return bytes(told[1]).decode(), out


def test_described() -> None:
    """Every attribute and every type says what it is for."""
    assert all(r.doc for r in RESOURCES)
    assert all(d.doc for d in DATA_SOURCES)
    for resource in RESOURCES:
        for attribute in resource.attributes:
            assert attribute.doc.endswith("."), f"{resource.name}.{attribute.name}"
            assert not isinstance(attribute.type, Object) or attribute.nested


def test_sensitive() -> None:
    """Secrets of the provider block are marked as such."""
    ((_, schemas),) = describe.document()["provider_schemas"].items()
    attributes = schemas["provider"]["block"]["attributes"]
    assert {n for n, a in attributes.items() if a.get("sensitive")} == {"access_key_secret", "security_token"}


def test_generated() -> None:
    """The checked-in document is what `make generate` writes."""
    assert PATH.read_text(encoding="utf-8") == normalised(describe.document())
