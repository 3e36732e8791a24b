"""Golden files: text that a test compares with what it was when somebody last looked at it."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UPDATE = "--update-golden"


@dataclass(frozen=True, slots=True)
class Golden:
    """The golden files of one test module, in the folder `golden` beside it."""

    folder: Path
    update: bool = False

    def check(self, name: str, value: Any) -> None:
        """Fail with the difference where *value* is not what the file *name* holds; what is no text becomes JSON."""
        text = (
            value if isinstance(value, str) else json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        )
        file = self.folder / name
        if self.update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
            return
        if not file.exists():
            raise AssertionError(f"there is no {file}; write it with pytest {UPDATE}, and look at it")
        kept = file.read_bytes().decode()
        lines = difflib.unified_diff(kept.splitlines(True), text.splitlines(True), str(file), "now")
        if kept != text:
            raise AssertionError(f"{''.join(lines)}\nif that is right: pytest {UPDATE}")
