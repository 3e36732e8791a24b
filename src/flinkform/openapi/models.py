"""The models that bodies and answers are made of: field names and types."""

from __future__ import annotations

from functools import cache

from flinkform.openapi.modeltable import FOASCONSOLE, VERVERICA
from flinkform.openapi.operation import Field, fields

_TABLES = {"ververica": VERVERICA, "foasconsole": FOASCONSOLE}


@cache
def model(product: str, name: str) -> dict[str, Field] | None:
    """Return the fields of a model by name, or `None` if *name* is no model (`str`, `Dict[str,Any]`)."""
    row = _TABLES[product].get(name)
    return None if row is None else {field.name: field for field in fields(row)}
