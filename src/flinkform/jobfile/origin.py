"""Where each value of a job comes from, and what it took the place of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flinkform.errors import NotFound, Position
from flinkform.errors import Path as At
from flinkform.jobfile.layers import MAPS, RUNTIME_MODE, SUFFIX, Layer
from flinkform.jobfile.model import Environment, Overlay
from flinkform.jobfile.reader import Reader, defaults, reading, sidecar
from flinkform.jobfile.scripts import Script
from flinkform.jobfile.tree import Tree


@dataclass(frozen=True, slots=True)
class Said:
    """What one file says about a value; `None` takes away what the files below it say."""

    value: Any
    position: Position


@dataclass(frozen=True, slots=True)
class Origin:
    """A value of a job: an attribute, or an entry of one that is merged entry by entry."""

    at: At
    said: Said
    over: tuple[Said, ...] = field(default=())
    """What other files say about it that does not count, the nearest first."""


def origins(path: str, folder: Path | Tree, *, environment: Environment | Path | None = None) -> tuple[Origin, ...]:
    """Return the values of the job at *path*, but for its script, in the order of their names.

    NotFound: no such job. Invalid: one of its files is wrong.
    """
    reader = reading(folder, environment)
    if path not in reader.paths:
        raise NotFound(f"there is no job {reader.tree.shown(path)}")
    found: dict[At, list[Said]] = {}
    for at, said in _all(reader, path):
        for other in [one for one in found if one[: len(at)] == at] if said.value is None else (at,):
            found.setdefault(other, []).insert(0, said)
    reader.faults.settle()
    return tuple(Origin(at, all_[0], tuple(all_[1:])) for at, all_ in sorted(found.items()))


def _all(reader: Reader, path: str) -> Iterator[tuple[At, Said]]:
    """Yield all that any file says, the one that counts least first."""
    steps = path.split("/")[:-1]
    for depth in range(len(steps) + 1):
        yield from _laid(reader.own(defaults("/".join(steps[:depth]))))
    yield from _laid(reader.own(sidecar(path)))
    for number in reader.above(path):
        yield from _overlaid(reader.environment.overlays[number])
    if path.endswith(SUFFIX):
        return
    with reader.faults:
        yield from _set(reader.script(path, reader.laid(path, reader.own(sidecar(path)))))


def _laid(one: Layer) -> Iterator[tuple[At, Said]]:
    if one.document:
        for at, value in _entries(one.values):
            yield at, Said(value, one.document.find(at))


def _overlaid(one: Overlay) -> Iterator[tuple[At, Said]]:
    for at, value in _entries(one.values):
        yield at, Said(value, one.document.find((*one.at, *at)) if one.document else one.sources[str(at[0])])


def _set(read: Script) -> Iterator[tuple[At, Said]]:
    for name, value in read.options.items():
        yield ("flink_options", name), Said(value, read.sources[name])
    if read.mode:
        yield ("execution_mode",), Said(read.mode, read.sources[RUNTIME_MODE])


def _entries(values: Mapping[str, Any]) -> Iterator[tuple[At, Any]]:
    for name, value in values.items():
        if name in MAPS and value is not None:
            yield from (((name, key), item) for key, item in value.items())
        else:
            yield (name,), value
