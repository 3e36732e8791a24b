"""A folder of job files to jobs: names, defaults from root to leaf, sidecars, environment, leading SETs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flinkform.errors import Invalid, NotFound, Position
from flinkform.jobfile import documents, scripts
from flinkform.jobfile.environments import environment as read_environment
from flinkform.jobfile.globs import matches
from flinkform.jobfile.layers import EMPTY, RUNTIME_MODE, Layer, layer, over
from flinkform.jobfile.model import Allowed, Environment, Job, Overlay
from flinkform.jobfile.names import job_name
from flinkform.jobfile.tree import Folder, Tree
from flinkform.resources import namespace

DEFAULTS = "_defaults.yaml"
"""The file in any folder whose keys hold for all jobs at or below it."""
_NAMESPACE = namespace.RESOURCE.attribute("name").type


def load(
    folder: Path | Tree, *, environment: Environment | Path | None = None, schema: Allowed | None = None
) -> tuple[Job, ...]:
    """Return every job of *folder*, by path; the first thing that is wrong raises Invalid at its place.

    *environment* is a file or what `environment()` returned, *schema* what it may change (see there). Each of
    its globs must match a job. NotFound: no such folder or environment.
    """
    reader = _reader(folder, environment, schema)
    _whole(reader)
    return tuple(reader.job(path) for path in reader.scripts)


def load_job(
    path: str, folder: Path | Tree, *, environment: Environment | Path | None = None, schema: Allowed | None = None
) -> Job:
    """Return the one job at *path*, relative to *folder*; NotFound if there is none."""
    reader = _reader(folder, environment, schema)
    if path not in reader.scripts:
        raise NotFound(f"there is no job {reader.tree.shown(path)}")
    return reader.job(path)


def problems(
    folder: Path | Tree, *, environment: Environment | Path | None = None, schema: Allowed | None = None
) -> list[Invalid]:
    """Return everything that is wrong in *folder*, at most one per job file; for an editor or a CI run."""
    try:
        reader = _reader(folder, environment, schema)
        found = [*_strays(reader), *_twins(reader), *_idle(reader)]
    except Invalid as error:
        return [error]
    for path in reader.scripts:
        try:
            reader.job(path)
        except Invalid as error:
            found.append(error)
    return list({str(error): error for error in found}.values())


@dataclass(slots=True)
class _Reader:
    """One reading of a tree; every `_defaults.yaml` is read once."""

    tree: Tree
    files: frozenset[str]
    scripts: tuple[str, ...]
    overlays: tuple[Overlay, ...]
    folders: dict[str, Layer] = field(default_factory=dict)
    plain: dict[tuple[str, tuple[int, ...]], Layer] = field(default_factory=dict)
    """What jobs without a sidecar have, by their folder and the overlays that match: most of them have the same."""

    def job(self, path: str) -> Job:
        start = Position(self.tree.shown(path), 1, 1)
        space, name = _named(path, start)
        script = scripts.script(self.tree.read(path, scripts.LIMIT), start.file)
        own = self._own(path.removesuffix(".sql") + ".yaml")
        _agree(own, script)
        found = self._laid(path, own)
        found = over(found, _set(script))
        return Job(path, name, space, _frozen(found.values, script.text), {**found.sources, "sql": start})

    def _laid(self, path: str, own: Layer) -> Layer:
        """Return the folders' defaults, the sidecar *own* and the environment, laid over each other."""
        folder = path.rpartition("/")[0]
        above = tuple(n for n, o in enumerate(self.overlays) if any(matches(glob, path) for glob in o.match))
        found = self.plain.get((folder, above)) if own is EMPTY else None
        if found is None:
            found = over(self._below(folder), own)
            for number in above:
                overlay = self.overlays[number]
                found = over(found, Layer(overlay.values, overlay.sources))
            if own is EMPTY:
                self.plain[folder, above] = found
        return found

    def _own(self, path: str) -> Layer:
        if path not in self.files:
            return EMPTY
        return layer(documents.parse(self.tree.read(path, documents.LIMIT), self.tree.shown(path)))

    def _below(self, folder: str) -> Layer:
        """Return the defaults of *folder*, laid over those of the folders around it."""
        found = self.folders.get(folder)
        if found is None:
            around = self._below(folder.rpartition("/")[0]) if folder else EMPTY
            own = self._own(f"{folder}/{DEFAULTS}" if folder else DEFAULTS)
            found = self.folders[folder] = over(around, own)
        return found


def _named(path: str, start: Position) -> tuple[str, str]:
    """Return the namespace and the name of the job at *path*."""
    space, _, rest = path.removesuffix(".sql").partition("/")
    if not rest:
        message = "expected the file in a folder, whose name is the job's namespace"
        raise Invalid(message, at=("namespace",), position=start, advice="move it into one")
    try:
        _NAMESPACE.check(space, ("namespace",))
        return space, job_name(rest)
    except Invalid as error:
        raise Invalid(error.message, at=error.at, position=start, advice=error.advice) from None


def _reader(folder: Path | Tree, environment: Environment | Path | None, schema: Allowed | None) -> _Reader:
    tree = Folder(folder) if isinstance(folder, Path) else folder
    if isinstance(environment, Path):
        environment = read_environment(environment, schema=schema)
    files = frozenset(tree.files())
    paths = tuple(sorted(path for path in files if path.endswith(".sql")))
    return _Reader(tree, files, paths, environment.overlays if environment else ())


def _whole(reader: _Reader) -> None:
    for check in (_strays, _twins, _idle):
        for error in check(reader):
            raise error


def _strays(reader: _Reader) -> Iterator[Invalid]:
    """Files that look as if they said something and do not."""
    for path in sorted(reader.files):
        stem, _, suffix = path.rpartition(".")
        start = Position(reader.tree.shown(path), 1, 1)
        if suffix != suffix.lower() and suffix.lower() in ("sql", "yaml", "yml"):
            yield Invalid(f"expected the suffix .{suffix.lower()}, got .{suffix}", position=start)
        elif suffix == "yml":
            yield Invalid("expected the suffix .yaml, got .yml", position=start)
        elif suffix == "sql" and path.endswith("/_defaults.sql"):
            yield Invalid("expected another name: a job called _defaults has no sidecar", position=start)
        elif suffix == "yaml" and path.rpartition("/")[2] != DEFAULTS and f"{stem}.sql" not in reader.files:
            advice = f"expected {stem.rpartition('/')[2]}.sql beside it"
            yield Invalid("this file belongs to no job", position=start, advice=advice)


def _twins(reader: _Reader) -> Iterator[Invalid]:
    """Jobs and namespaces that differ only in case, or in how an accent is written: one file on many machines."""
    seen: dict[str, str] = {}
    for path in reader.scripts:
        for part in dict.fromkeys((path.partition("/")[0], path)):
            first = seen.setdefault(unicodedata.normalize("NFC", part).casefold(), part)
            if first != part:
                message = f"the same name as {reader.tree.shown(first)} but for upper and lower case"
                position = Position(reader.tree.shown(part), 1, 1)
                yield Invalid(message, at=("name",), position=position, advice="rename one of them")


def _idle(reader: _Reader) -> Iterator[Invalid]:
    """Globs of the environment that match nothing: most likely a job was renamed."""
    for overlay in reader.overlays if reader.scripts else ():
        for glob, position in zip(overlay.match, overlay.positions, strict=True):
            if not any(matches(glob, path) for path in reader.scripts):
                yield Invalid(f"no job matches {glob!r}", at=("match",), position=position)


def _agree(own: Layer, script: scripts.Script) -> None:
    """Refuse a sidecar that says otherwise than the script it belongs to: Flink would go by the script."""
    mode = own.values.get("execution_mode")
    if own.document and script.mode and mode not in (None, script.mode):
        position = own.document.find(("execution_mode",))
        message = f"the script SETs {RUNTIME_MODE} to {script.mode.lower()}, this says {mode}"
        raise Invalid(message, at=("execution_mode",), position=position, advice="remove one of them")
    for name, value in (own.values.get("flink_options") or {}).items():
        if own.document and script.options.get(name, value) != value:
            at = ("flink_options", name)
            message = f"the script SETs {name} to {script.options[name]!r}, this says {value!r}"
            raise Invalid(message, at=at, position=own.document.find(at), advice="remove one of them")


def _set(script: scripts.Script) -> Layer:
    """Return what the script SETs; it lies on top, because Flink hears it last."""
    values: dict[str, Any] = {}
    sources: dict[str, Position] = {}
    if script.options:
        values["flink_options"] = script.options
        sources["flink_options"] = next(script.sources[name] for name in script.options)
    if script.mode:
        values["execution_mode"] = script.mode
        sources["execution_mode"] = script.sources[RUNTIME_MODE]
    return Layer(values, sources)


def _frozen(values: Mapping[str, Any], sql: str) -> Mapping[str, Any]:
    """Return *values* with the script; maps are copied, for jobs must not share what a caller might change."""
    own = {name: dict(value) if isinstance(value, dict) else value for name, value in values.items()}
    return MappingProxyType({**own, "sql": sql})
