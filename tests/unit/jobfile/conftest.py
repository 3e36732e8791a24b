"""A jobs folder to write files into."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.jobfile.documents import parse
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.layers import Layer, layer

SQL = "CREATE TEMPORARY TABLE t (x INT) WITH ('connector' = 'datagen');\n"


def read_layer(data: bytes, file: str = "x.yaml") -> Layer:
    """Return what a sidecar of these bytes says; Invalid with the first thing that is wrong."""
    faults = Faults()
    found = layer(parse(data, file), faults)
    faults.settle()
    return found


class Site:
    """A checkout with a `jobs` and an `environments` folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = root / "jobs"
        self.jobs.mkdir()

    def write(self, path: str, text: str | bytes = SQL) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty one, which is also the working directory: places are what a person would see."""
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path)
