"""The releases of Flink that run side by side: the one of this Python, and those installed into a folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from flinkform.errors import Missing
from flinkform.flink.catalogue import DEFAULT

OTHERS = ("2.2", "1.20")
"""The lines that can be installed beside the usual one."""


def find(root: Path | None, line: str = "") -> Path:
    """The folder of a line's jars, below *root*; without a line, or for the usual one, this Python's own package.

    PyFlink is not imported: only its jars are wanted. Missing: it is not installed, or cannot be.
    """
    if line in ("", DEFAULT):
        return _own()
    if line not in OTHERS:
        raise Missing(f"expected Flink {DEFAULT}, {' or '.join(OTHERS)}, got {line!r}")
    place = folder(root, line) if root else None
    if place is None or not _complete(place):
        raise Missing(f"Flink {line} is not installed", advice=f"`flinkform engine install {line}`")
    return place


def folder(root: Path, line: str) -> Path:
    """Where a line's package goes: `root/1.20/pyflink`."""
    return root / line / "pyflink"


def installed(root: Path) -> tuple[str, ...]:
    """The lines that can run, the usual one first."""
    return (DEFAULT, *(line for line in OTHERS if _complete(folder(root, line))))


def version(place: Path) -> str:
    """The release, from the name of its biggest jar."""
    return next((place / "lib").glob("flink-dist-*.jar")).stem.removeprefix("flink-dist-")


def _own() -> Path:
    spec = importlib.util.find_spec("pyflink")
    for place in spec.submodule_search_locations or () if spec else ():
        if _complete(Path(place)):
            return Path(place)
    raise Missing("Flink is not installed", advice=f"pip install 'apache-flink-libraries=={DEFAULT}.*'")


def _complete(place: Path) -> bool:
    return any(place.glob("lib/flink-dist-*.jar"))
