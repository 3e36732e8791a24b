"""Prints what the installed SDKs say otherwise than the checked-in contract (`make openapi-diff`).

One line a change: `+` added, `-` removed, `~` changed. Ends with 1 if there is any, so that a pipeline can ask.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flinkform.openapi.extract.__main__ import DOCUMENTS, files


def changes(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield a line for everything that *new* has otherwise than *old*, as deep as both are objects."""
    for name in sorted(old.keys() | new.keys()):
        place = f"{at}.{name}" if at else name
        if name not in new:
            yield f"- {place}"
        elif name not in old:
            yield f"+ {place}"
        elif isinstance(old[name], dict) and isinstance(new[name], dict):
            yield from changes(old[name], new[name], place)
        elif old[name] != new[name]:
            yield f"~ {place}: {_text(old[name])} -> {_text(new[name])}"


def named(document: Any) -> Mapping[str, Any]:
    """Return a contract as objects by name, however it is written."""
    if isinstance(document, list):
        return {item["name"]: item for item in document}
    return dict(document)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(root: Path) -> int:
    """Compare the contract below *root* with the installed SDKs; return 1 if they differ."""
    fresh = files()
    found = 0
    for path in (DOCUMENTS / "operations.json", DOCUMENTS / "models.json"):
        for line in changes(named(json.loads((root / path).read_text())), named(json.loads(fresh[path]))):
            sys.stdout.write(f"{path.stem}: {line}\n")
            found += 1
    sys.stderr.write(f"{found} changes\n" if found else "the installed SDKs say what the contract says\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
