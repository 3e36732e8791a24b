"""One job file after another: name, defaults from root to leaf, sidecar, environment, leading SETs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flinkform.errors import Invalid, Position
from flinkform.jobfile import documents
from flinkform.jobfile.environments import gathered
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.globs import matches
from flinkform.jobfile.layers import EMPTY, MOVED, RUNTIME_MODE, SUFFIX, VARIABLES, Layer, layer, over
from flinkform.jobfile.model import Allowed, Environment, Job
from flinkform.jobfile.names import job_name
from flinkform.jobfile.programs import pinned
from flinkform.jobfile.scripts import LIMIT, Script, plain, script
from flinkform.jobfile.shape import DEFAULTS, program, scripts, stem
from flinkform.jobfile.tree import Folder, Tree
from flinkform.jobfile.weave import Source, Woven, weave
from flinkform.resources import namespace

_PROGRAM = Script("", {}, None, {}, Woven("", ""))
"""What a job has that is no script."""
_NAMESPACE = namespace.RESOURCE.attribute("name").type


def reading(folder: Path | Tree, environment: Environment | Path | None, schema: Allowed | None = None) -> Reader:
    """Begin to read *folder*; NotFound where it or the environment is not there."""
    faults = Faults()
    tree = Folder(folder) if isinstance(folder, Path) else folder
    if isinstance(environment, Path):
        environment = gathered(environment, faults, schema=schema)
    files: frozenset[str] = frozenset()
    with faults:
        files = frozenset(tree.files())
    return Reader(tree, files, scripts(files), environment or Environment("", {}, {}), faults)


@dataclass(slots=True)
class Reader:
    """One reading of a tree, which goes on behind what is wrong; every `_defaults.yaml` is read once."""

    tree: Tree
    files: frozenset[str]
    paths: tuple[str, ...]
    environment: Environment
    faults: Faults
    folders: dict[str, Layer] = field(default_factory=dict)
    plain: dict[tuple[str, tuple[int, ...]], Layer] = field(default_factory=dict)
    """What jobs without a sidecar have, by their folder and the overlays that match: most of them have the same."""

    def sound(self, path: str) -> Job | None:
        """Return the job; Invalid with the first thing that is wrong in its files."""
        found = self.job(path)
        self.faults.settle()
        return found

    def job(self, path: str) -> Job | None:
        """Return the job at *path*, or `None` where too little of it is right; what is wrong is in `faults`."""
        start = Position(self.tree.shown(path), 1, 1)
        names, read = None, None
        with self.faults:
            names = _named(path, start)
        own = self.own(sidecar(path))
        found = self.laid(path, own)
        with self.faults:
            read = _PROGRAM if path.endswith(SUFFIX) else self.script(path, found)
        if read is None or names is None:
            return None
        self.faults.extend(_apart(own, read))
        found = over(found, spoken(read))
        if not found.whole:
            return None
        what = {} if read is _PROGRAM else {"sql": read.text}
        sources = {**found.sources, **dict.fromkeys(what, start)}
        if own.moved:
            sources[MOVED] = own.sources[MOVED]
        woven, variables = (None, {}) if read is _PROGRAM else (read.woven, found.values.get(VARIABLES) or {})
        return Job(path, names[1], names[0], _frozen(found.values, what), sources, own.moved, woven, dict(variables))

    def script(self, path: str, found: Layer) -> Script:
        """Return the script at *path* with all it includes, *found* being what its variables stand for among others."""
        source = Source(self.tree.shown, self.files, self._text)
        variables = found.values.get(VARIABLES) or {}
        data = self.tree.read(path, LIMIT)
        return script(data, self.tree.shown(path), lambda text: weave(text, path, source, variables))

    def _text(self, path: str) -> str:
        return plain(self.tree.read(path, LIMIT), self.tree.shown(path))

    def above(self, path: str) -> tuple[int, ...]:
        """Return which overlays of the environment match the job."""
        overlays = self.environment.overlays
        return tuple(n for n, o in enumerate(overlays) if any(matches(glob, path) for glob in o.match))

    def laid(self, path: str, own: Layer) -> Layer:
        """Return the folders' defaults, the sidecar *own* and the environment, laid over each other."""
        folder = path.rpartition("/")[0]
        above = self.above(path)
        found = self.plain.get((folder, above)) if own is EMPTY else None
        if found is None:
            found = over(self._below(folder), own)
            for number in above:
                overlay = self.environment.overlays[number]
                found = over(found, Layer(overlay.values, overlay.sources))
            if own is EMPTY:
                self.plain[folder, above] = found
        return found

    def own(self, path: str) -> Layer:
        """Return what the sidecar or `_defaults.yaml` at *path* says; nothing where there is none."""
        if path not in self.files:
            return EMPTY
        with self.faults:
            document = documents.parse(self.tree.read(path, documents.LIMIT), self.tree.shown(path))
            own = layer(document, self.faults, own=path.rpartition("/")[2] != DEFAULTS)
            return pinned(self.tree, path, own, self.faults) if program(path, self.files) else own
        return Layer(whole=False)

    def _below(self, folder: str) -> Layer:
        """Return the defaults of *folder*, laid over those of the folders around it."""
        found = self.folders.get(folder)
        if found is None:
            around = self._below(folder.rpartition("/")[0]) if folder else EMPTY
            found = self.folders[folder] = over(around, self.own(defaults(folder)))
        return found


def sidecar(path: str) -> str:
    """Return the path of the YAML file beside the script at *path*; a program's is the job file itself."""
    return path if path.endswith(SUFFIX) else path.removesuffix(".sql") + ".yaml"


def defaults(folder: str) -> str:
    """Return the path of the defaults of *folder*."""
    return f"{folder}/{DEFAULTS}" if folder else DEFAULTS


def _named(path: str, start: Position) -> tuple[str, str]:
    """Return the namespace and the name of the job at *path*."""
    space, _, rest = stem(path).partition("/")
    if not rest:
        message = "expected the file in a folder, whose name is the job's namespace"
        raise Invalid(message, at=("namespace",), position=start, advice="move it into one")
    try:
        _NAMESPACE.check(space, ("namespace",))
        return space, job_name(rest)
    except Invalid as error:
        raise Invalid(error.message, at=error.at, position=start, advice=error.advice) from None


def _apart(own: Layer, read: Script) -> Iterator[Invalid]:
    """Yield where a sidecar says otherwise than the script it belongs to: Flink would go by the script."""
    mode = own.values.get("execution_mode")
    if own.document and read.mode and mode not in (None, read.mode):
        position = own.document.find(("execution_mode",))
        message = f"the script SETs {RUNTIME_MODE} to {read.mode.lower()}, this says {mode}"
        yield Invalid(message, at=("execution_mode",), position=position, advice="remove one of them")
    for name, value in (own.values.get("flink_options") or {}).items():
        if own.document and read.options.get(name, value) != value:
            at = ("flink_options", name)
            message = f"the script SETs {name} to {read.options[name]!r}, this says {value!r}"
            yield Invalid(message, at=at, position=own.document.find(at), advice="remove one of them")


def spoken(read: Script) -> Layer:
    """Return what the script SETs; it lies on top, because Flink hears it last."""
    values: dict[str, Any] = {}
    sources: dict[str, Position] = {}
    if read.options:
        values["flink_options"] = read.options
        sources["flink_options"] = next(read.sources[name] for name in read.options)
    if read.mode:
        values["execution_mode"] = read.mode
        sources["execution_mode"] = read.sources[RUNTIME_MODE]
    return Layer(values, sources)


def _frozen(values: Mapping[str, Any], what: Mapping[str, str]) -> Mapping[str, Any]:
    """Return *values* with *what* runs; maps are copied, for jobs must not share what a caller might change."""
    own = {name: dict(value) if isinstance(value, dict) else value for name, value in values.items()}
    own.pop(VARIABLES, None)
    return MappingProxyType({**own, **what})
