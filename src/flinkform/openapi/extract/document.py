"""Write the API as an OpenAPI document, for programs that read such: from the table of operations, without prose.

An operation of the console, which is called by name at `/`, has its name in its path's query.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flinkform.openapi.models import model
from flinkform.openapi.modeltable import FOASCONSOLE, VERVERICA
from flinkform.openapi.operation import Field, Operation, fields, names, operation

PLACE = Path("provider-schema/openapi/openapi.json")
"""Below the repository's root."""

_SCALARS = {
    "str": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
}
_MODELS = {"ververica": VERVERICA, "foasconsole": FOASCONSOLE}
_ENVELOPE = {
    "ververica": fields(
        "requestId success:bool httpCode:int errorCode errorMessage pageIndex:int pageSize:int totalSize:int"
    ),
    "foasconsole": fields("RequestId Success:bool"),
}


def document() -> dict[str, Any]:
    """Return the document: every operation of both products, answered here or not."""
    paths: dict[str, dict[str, Any]] = {}
    for found in map(operation, names()):
        place = f"/?Action={found.name}" if found.rpc else found.path
        paths.setdefault(place, {})[found.method.lower()] = _operation(found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Realtime Compute for Apache Flink", "version": "2022-07-18, 2021-10-28"},
        "paths": paths,
        "components": {
            "schemas": {_name(product, one): _model(product, one) for product in _MODELS for one in _MODELS[product]}
        },
    }


def _operation(found: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {"operationId": found.name, "tags": [found.product], "parameters": _parameters(found)}
    if found.form:
        content = {"application/x-www-form-urlencoded": {"schema": _fields(found.form, found.product)}}
        said["requestBody"] = {"content": content}
    elif found.body:
        schema = _schema(found.body, found.product)
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    answer = _fields((*_ENVELOPE[found.product], *found.answer), found.product)
    said["responses"] = {"200": {"description": "", "content": {"application/json": {"schema": answer}}}}
    return said


def _parameters(found: Operation) -> list[dict[str, Any]]:
    text = _SCALARS["str"]
    path = [{"name": one, "in": "path", "required": True, "schema": text} for one in found.path_params]
    headers = [{"name": one, "in": "header", "required": one == "workspace", "schema": text} for one in found.headers]
    query = [
        {"name": one.name, "in": "query", "required": one.required, "schema": _schema(one.type, found.product)}
        for one in found.query
    ]
    return [*path, *headers, *query]


def _model(product: str, name: str) -> dict[str, Any]:
    return _fields((model(product, name) or {}).values(), product)


def _fields(given: Iterable[Field], product: str) -> dict[str, Any]:
    every = {one.name: one for one in given}
    said: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: _schema(one.type, product) for one in every.values()},
    }
    if required := [name for name, one in every.items() if one.required]:
        said["required"] = required
    return said


def _schema(kind: str, product: str) -> dict[str, Any]:
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    if kind.startswith("List["):
        return {"type": "array", "items": _schema(kind[5:-1], product)}
    if kind.startswith("Dict["):
        return {"type": "object", "additionalProperties": _schema(kind[5:-1].partition(",")[2].strip(), product)}
    if model(product, kind) is None:
        return {}
    return {"$ref": f"#/components/schemas/{_name(product, kind)}"}


def _name(product: str, kind: str) -> str:
    return f"{product}.{kind}"


def text() -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8", newline="\n")
