"""Writes `provider-schema/flink.json`, what `terraform providers schema -json` prints (`make generate`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flinkform.provider import describe

PATH = Path(__file__).parents[3] / "provider-schema" / "flink.json"
_KEPT = ("provider", "resource_schemas", "data_source_schemas")
"""Versions of Terraform add further parts, which are empty for this provider."""


def normalised(document: Mapping[str, Any]) -> str:
    """Return a schema document as text that does not depend on which Terraform printed it."""
    schemas = {
        address: {part: schema[part] for part in _KEPT if part in schema}
        for address, schema in document["provider_schemas"].items()
    }
    kept = {"format_version": document["format_version"], "provider_schemas": schemas}
    return json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file, or the one named on the command line."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(normalised(describe.document()), encoding="utf-8")


if __name__ == "__main__":
    main()
