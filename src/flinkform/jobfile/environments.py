"""Environment files: what dev, staging and prod have different, and the file that says what may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flinkform.errors import Invalid, NotFound
from flinkform.errors import Path as At
from flinkform.jobfile.documents import LIMIT, Document, parse, scalar
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.globs import matches
from flinkform.jobfile.layers import KEYS, ours, strange
from flinkform.jobfile.model import Allowed, Environment, Overlay
from flinkform.jobfile.reading import Attributes, entries, read, texts, unknown, without
from flinkform.jobfile.tree import Folder, Tree
from flinkform.resources import namespace, workspace
from flinkform.resources.job import DURATION
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, Number, String

SCHEMA = "schema.yaml"
"""The file beside the environments that says which keys may differ."""

REGION = Attribute(name="region", type=String(pattern=r"[a-z0-9\-]+", hint="a region id"), doc="Where it is.")
WORKSPACE: Attributes = {a.name: a for a in (REGION, *workspace.RESOURCE.attributes) if a.writable}
NAMESPACE: Attributes = {
    a.name: a for a in namespace.RESOURCE.attributes if a.writable and a.name not in ("workspace_id", "name")
}
RELEASE: Attributes = {
    a.name: a
    for a in (
        Attribute(name="approvals", type=Number(at_least=0, at_most=20), doc="Owners of each change who must approve."),
        Attribute(name="branch", type=String(), doc="The branch that a released commit has to be in."),
        Attribute(name="expires", type=DURATION, doc="How long a release is good."),
        Attribute(name="canary", type=ListOf(String()), doc="Globs over job paths: the jobs that go first."),
        Attribute(name="window", type=DURATION, doc="How long the jobs of a wave must be healthy."),
    )
}
"""What an environment asks of a release, beside what CODEOWNERS and environments/signers say."""
_SECTIONS = ("workspace", "namespaces", "jobs")
_ANYTHING = Allowed(workspace=frozenset(WORKSPACE), namespaces=frozenset(NAMESPACE), jobs=frozenset(KEYS))


def environment(path: Path, *, schema: Allowed | None = None) -> Environment:
    """Return the environment in the file at *path*.

    *schema* says which keys may differ; unless given it is the `schema.yaml` beside the file, and without
    one the standard set. NotFound: no such file. Invalid: at the place of what may not be there.
    """
    faults = Faults()
    found = gathered(path, faults, schema=schema)
    faults.settle()
    return found


def gathered(path: Path, faults: Faults, *, schema: Allowed | None = None) -> Environment:
    """Return the environment in the file at *path* without what is wrong in it; that is put into *faults*."""
    if path.name == SCHEMA or not path.is_file():
        raise NotFound(f"there is no environment {path}", advice=_others(path))
    there = path.with_name(SCHEMA).is_file()
    return _gathered(Folder(path.parent), path.name, faults, schema=schema, there=there)


def environment_in(tree: Tree, name: str) -> Environment:
    """Return the environment called *name* of a folder of environments that is not on disk; errors as above."""
    files, faults = frozenset(tree.files()), Faults()
    if f"{name}.yaml" not in files - {SCHEMA}:
        raise NotFound(f"there is no environment {tree.shown(name)}.yaml", advice=_known(files))
    found = _gathered(tree, f"{name}.yaml", faults, schema=None, there=SCHEMA in files)
    faults.settle()
    return found


def _gathered(tree: Tree, name: str, faults: Faults, *, schema: Allowed | None, there: bool) -> Environment:
    """Return the environment in the file *name* of *tree*; *there* says that the schema is beside it."""
    if schema is None and there:
        before = len(faults)
        schema = _allowed(tree, SCHEMA, faults)
        schema = schema if len(faults) == before else _ANYTHING  # what may not differ is not known
    stem = name.removesuffix(".yaml")
    document = _document(tree, name, faults)
    if document is None:
        return Environment(stem, {}, {})
    return _environment(document, stem, schema or Allowed(), faults)


def _environment(document: Document, name: str, schema: Allowed, faults: Faults) -> Environment:
    parts = _sections(document, (*_SECTIONS, "release"), faults)
    spaces = entries(document, parts.get("namespaces"), faults, ("namespaces",))
    return Environment(
        name,
        _section(document, parts.get("workspace"), WORKSPACE, schema.workspace, faults, ("workspace",)),
        {
            key.value: _section(document, node, NAMESPACE, schema.namespaces, faults, ("namespaces", key.value))
            for key, node in spaces
        },
        _overlays(document, parts.get("jobs"), schema, faults),
        {key.value: document.place(key) for key, _ in spaces},
        read(document, parts.get("release"), RELEASE, faults, ("release",)),
    )


def allowed(path: Path) -> Allowed:
    """Return which keys the schema file at *path* lets differ; what it does not name may not differ."""
    faults = Faults()
    found = _allowed(Folder(path.parent), path.name, faults)
    faults.settle()
    return found


def _allowed(tree: Tree, name: str, faults: Faults) -> Allowed:
    document = _document(tree, name, faults)
    if document is None:
        return Allowed()
    parts = _sections(document, (*_SECTIONS, "flink_options"), faults)
    options = parts.get("flink_options")
    globs = texts(document, options, faults, ("flink_options",)) if options else ()
    return Allowed(
        workspace=_names(document, parts.get("workspace"), WORKSPACE, "workspace", faults),
        namespaces=_names(document, parts.get("namespaces"), NAMESPACE, "namespaces", faults),
        jobs=_names(document, parts.get("jobs"), KEYS, "jobs", faults),
        flink_options=tuple(text for text, _ in globs) if options else ("*",),
    )


def _document(tree: Tree, name: str, faults: Faults) -> Document | None:
    with faults:
        document = parse(tree.read(name, LIMIT), tree.shown(name))
        faults.extend(document.faults)
        return document
    return None


def _others(path: Path) -> str:
    return _known(p.name for p in path.parent.glob("*.yaml")) or f"write {path.parent}/<environment>.yaml"


def _known(files: Iterable[str]) -> str:
    names = sorted(name for name in files if name.endswith(".yaml") and name != SCHEMA)
    return f"expected one of {', '.join(names)}" if names else ""


def _sections(document: Document, names: Iterable[str], faults: Faults) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, node in entries(document, document.root, faults):
        if key.value not in names:
            faults.append(unknown(document, key, names))
        elif not (isinstance(node, ScalarNode) and scalar(node) is None):
            found[key.value] = node
    return found


def _names(
    document: Document, node: Node | None, attributes: Attributes, section: str, faults: Faults
) -> frozenset[str]:
    found = texts(document, node, faults, (section,)) if node else []
    for text, item in found:
        if text not in attributes and isinstance(item, ScalarNode):
            faults.append(unknown(document, item, attributes, (section,)))
    return frozenset(text for text, _ in found)


def _section(
    document: Document, node: Node | None, attributes: Attributes, may: frozenset[str], faults: Faults, at: At
) -> dict[str, object]:
    values = read(document, node, attributes, faults, at)
    faults.extend(_differ(document, values, may, at))
    return {name: value for name, value in values.items() if value is not None}


def _differ(document: Document, names: Iterable[str], may: frozenset[str], at: At) -> Iterator[Invalid]:
    for name in names:
        if name not in may:
            yield document.fault(
                f"the key {name!r} may not differ between environments",
                document.key((*at, name)),
                (*at, name),
                advice=f"set it for all of them, or allow it in {SCHEMA}",
            )


def _overlays(document: Document, node: Node | None, schema: Allowed, faults: Faults) -> tuple[Overlay, ...]:
    if node is None:
        return ()
    if not isinstance(node, SequenceNode):
        faults.append(document.fault("expected a list of overlays, each with match: and keys", node, ("jobs",)))
        return ()
    found = (_overlay(document, item, schema, faults, ("jobs", index)) for index, item in enumerate(node.value))
    return tuple(overlay for overlay in found if overlay)


def _overlay(document: Document, node: Node, schema: Allowed, faults: Faults, at: At) -> Overlay | None:
    entries(document, node, faults, at)
    if not isinstance(node, MappingNode):
        return None
    globs, rest = without(node, "match")
    if globs is None:
        advice = "for all jobs: ['**']"
        faults.append(document.fault("expected match: and a list of globs over job paths", node, at, advice=advice))
    values = read(document, rest, KEYS, faults, at, strange=strange)
    faults.extend(_differ(document, values, schema.jobs, at))
    faults.extend(ours(document, values, at))
    faults.extend(_options(document, values.get("flink_options") or {}, schema.flink_options, (*at, "flink_options")))
    found = texts(document, globs, faults, (*at, "match")) if globs else []
    return Overlay(
        match=tuple(text for text, _ in found),
        values=values,
        sources={key.value: document.place(value) for key, value in node.value if key.value in values},
        positions=tuple(document.place(item) for _, item in found),
        document=document,
        at=at,
    )


def _options(document: Document, names: Iterable[str], globs: tuple[str, ...], at: At) -> Iterator[Invalid]:
    for name in names:
        if not any(matches(glob, name) for glob in globs):
            yield document.fault(
                f"the Flink option {name} may not differ between environments",
                document.key((*at, name)),
                (*at, name),
                advice=f"set it for all of them, or allow it under flink_options in {SCHEMA}",
            )
