"""Write the JSON Schemas of what commands print: `python -m flinkform.release` (make generate)."""

from __future__ import annotations

from pathlib import Path

from flinkform.release.report import schema_text

FILE = Path("provider-schema/plan.schema.json")

if __name__ == "__main__":
    draft = FILE.with_suffix(".new")
    draft.write_text(schema_text(), encoding="utf-8")
    draft.replace(FILE)
