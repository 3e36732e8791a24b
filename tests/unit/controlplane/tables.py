"""A database with today's tables, migrated once a process: copying it is five times as fast as making it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from flinkform.controlplane.store.database import Store


def stocked(home: Path) -> Store:
    """Return the store in *home*, which is made if it is not there."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "controlplane.db").write_bytes(_tables())
    return Store.at(home)


@cache
def _tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Store.at(Path(folder)).close()
        return (Path(folder) / "controlplane.db").read_bytes()
