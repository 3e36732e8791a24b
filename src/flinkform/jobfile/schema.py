"""Write the JSON Schema of `<job>.yaml` and `_defaults.yaml`, for editors, from the declaration of `flink_job`.

`python -m flinkform.jobfile.schema [FILE]`
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from flinkform.jobfile.layers import MOVED, PROGRAM
from flinkform.schema.model import Attribute
from flinkform.schema.types import MapOf, Object, String

_ABOUT = """\
What a <job>.yaml beside a .sql file, a <job>.jar.yaml, or a _defaults.yaml in a folder may say; `jar` is for the \
second alone."""
_MOVED = {
    "description": "The path below jobs/ that the job's file had before it was renamed, or all of them, the oldest "
    "first: it stays the job that it is. For a file of one job.",
    "type": ["string", "array"],
    "items": {"type": "string"},
}
FILE = Path("provider-schema/job.schema.json")


def document() -> dict[str, Any]:
    """Return the schema; every key may be null, which takes away what a folder further up says."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flinkform job file",
        "description": _ABOUT,
        "type": ["object", "null"],
        "properties": dict(sorted({**{name: _property(PROGRAM[name]) for name in PROGRAM}, MOVED: _MOVED}.items())),
        "additionalProperties": False,
    }


def text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def write(path: Path) -> None:
    """Replace the file at *path* at once, if it differs."""
    if path.exists() and path.read_text(encoding="utf-8") == text():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    number, new = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text())
    Path(new).chmod(0o644)
    Path(new).replace(path)


def _property(attribute: Attribute) -> dict[str, Any]:
    described = {"description": attribute.doc}
    if attribute.default is not None:
        described["default"] = attribute.default
    return {**described, **_nullable(_rules(attribute))}


def _rules(attribute: Attribute) -> dict[str, Any]:
    kind = attribute.type
    if isinstance(kind, Object):
        inner = {a.name: _property(a) for a in kind.attributes}
        return {"type": "object", "properties": inner, "additionalProperties": False}
    if isinstance(kind, MapOf):
        return {"type": "object", "additionalProperties": _nullable(_entry(kind))}
    return kind.json_schema


def _entry(kind: MapOf) -> dict[str, Any]:
    """Return the rules of a map's values; where any text is good, so is a number, which becomes text."""
    rules = kind.item.json_schema
    free = isinstance(kind.item, String) and rules == {"type": "string"}
    return {"type": ["string", "number", "boolean"]} if free else rules


def _nullable(rules: dict[str, Any]) -> dict[str, Any]:
    kind = rules["type"]
    names = kind if isinstance(kind, list) else [kind]
    allowed = {"enum": [*rules["enum"], None]} if "enum" in rules else {}
    return {**rules, "type": [*names, "null"], **allowed}


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE)
