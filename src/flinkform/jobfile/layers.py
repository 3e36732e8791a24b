"""What the keys of a job file mean, and how one file's values lie over another's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from yaml.nodes import Node, ScalarNode, SequenceNode

from flinkform.errors import Invalid, Path, Position
from flinkform.jobfile.documents import Document
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.reading import Attributes, pairs, read, texts, unknown, without
from flinkform.jobfile.weave import NAME
from flinkform.resources import job
from flinkform.schema.model import Attribute
from flinkform.schema.types import MapOf, String

ELSEWHERE = {
    "sql": "the script is the .sql file beside this one",
    "jar": "a job that is a program in a jar is a .jar.yaml file",
    "name": "the name comes from the file's path",
    "namespace": "the namespace is the folder below jobs/",
    "workspace": "the workspace is the environment's",
    "moved_from": "it is said by the one file of the one job that was renamed",
}
"""Attributes of a job that a job file does not write, and where they come from."""
VARIABLES = "variables"
"""What a script's variables stand for: a key that `flink_job` does not know, for its script has the values already."""
_VARIABLES = Attribute(name=VARIABLES, type=MapOf(String()), doc="What each `${name}` in the script stands for.")
KEYS: Attributes = {a.name: a for a in job.RESOURCE.attributes if a.writable and a.name not in ELSEWHERE} | {
    VARIABLES: _VARIABLES
}
JAR = "jar"
SUFFIX = ".jar.yaml"
"""How a file ends that is a job by itself: a program in a jar."""
MOVED = "moved_from"
"""What a job's own file says of itself and `flink_job` does not know: the paths that it had before."""
PROGRAM: Attributes = {**KEYS, JAR: job.RESOURCE.attribute(JAR)}
MAPS = frozenset(name for name, attribute in KEYS.items() if isinstance(attribute.type, MapOf))
"""Keys that are merged entry by entry; all others replace what was there."""
RUNTIME_MODE = "execution.runtime-mode"


@dataclass(frozen=True, slots=True)
class Layer:
    """The values of one file, or of several laid over each other; `None` takes away what lies below."""

    values: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Position] = field(default_factory=dict)
    document: Document | None = None
    whole: bool = True
    """Whether everything that Flink's planner must know was right, here and in all layers below."""
    moved: tuple[str, ...] = ()


EMPTY = Layer()


def layer(document: Document, faults: Faults, *, own: bool = True) -> Layer:
    """Return what a sidecar or a `_defaults.yaml`, which is no job's *own*, says, without what it may not say."""
    before = len(faults)
    faults.extend(document.faults)
    keys = PROGRAM if document.file.endswith(SUFFIX) else KEYS
    moved, rest = without(document.root, MOVED) if own else (None, document.root)
    values = read(document, rest, keys, faults, strange=strange)
    faults.extend(ours(document, values))
    sources = {key.value: document.place(value) for key, value in pairs(document) if key.value in values}
    if moved is not None:
        sources[MOVED] = document.place(moved)
    whole = not any(_planned(fault) for fault in faults[before:])
    return Layer(values, sources, document, whole, _paths(document, moved, faults))


def _paths(document: Document, node: Node | None, faults: Faults) -> tuple[str, ...]:
    """Return the paths that a job had: one, or a list of them."""
    if node is None:
        return ()
    if isinstance(node, ScalarNode):
        node = SequenceNode(node.tag, [node], node.start_mark, node.end_mark)
    return tuple(text for text, _ in texts(document, node, faults, (MOVED,)))


def strange(document: Document, key: ScalarNode, known: Iterable[str], at: Path) -> Invalid:
    """Return the error about a key that is none, or is one of an attribute that comes from somewhere else."""
    if why := ELSEWHERE.get(key.value):
        return document.fault(f"the key {key.value!r} cannot be set here", key, (*at, key.value), advice=why)
    if any(key.value == a.name for a in job.RESOURCE.attributes):
        return document.fault(f"the key {key.value!r} is read-only", key, (*at, key.value), advice="remove it")
    return unknown(document, key, known, at)


def ours(document: Document, values: Mapping[str, Any], at: Path = ()) -> Iterator[Invalid]:
    """Yield labels that are flinkform's own, and the one Flink option that is an attribute."""
    for name in values.get("labels") or ():
        if name.startswith(job.OURS):
            place = (*at, "labels", name)
            yield document.fault(f"labels under {job.OURS} are flinkform's own", document.key(place), place)
    for name in values.get(VARIABLES) or ():
        if not NAME.fullmatch(name):
            place = (*at, VARIABLES, name)
            message = f"expected a name of letters, digits and _, got {name!r}"
            yield document.fault(message, document.key(place), place)
    if RUNTIME_MODE in (values.get("flink_options") or ()):
        place = (*at, "flink_options", RUNTIME_MODE)
        yield document.fault(
            f"{RUNTIME_MODE} cannot be set here",
            document.key(place),
            place,
            advice="write execution_mode: BATCH, or SET it at the top of the script",
        )


def _planned(fault: Invalid) -> bool:
    """Say whether Flink's planner would have had a use for what is wrong."""
    return fault.at[:1] in (("execution_mode",), ("flink_options",))


def over(lower: Layer, upper: Layer) -> Layer:
    """Return *upper* laid over *lower*, which holds no `None`; neither does the result."""
    if not upper.values:
        return lower if upper.whole else replace(lower, whole=False)
    values, sources = dict(lower.values), dict(lower.sources)
    for name, value in upper.values.items():
        new = _merged(values.get(name), value) if name in MAPS else value
        if new is None:
            values.pop(name, None)
            sources.pop(name, None)
        else:
            values[name] = new
            sources[name] = upper.sources[name]
    return Layer(values, sources, whole=lower.whole and upper.whole)


def _merged(old: Mapping[str, str] | None, new: Mapping[str, str | None] | None) -> dict[str, str] | None:
    """Return *new* laid over *old* entry by entry; nothing left is `None`."""
    if new is None:
        return None
    both = {**(old or {}), **new}
    return {key: value for key, value in both.items() if value is not None} or None
