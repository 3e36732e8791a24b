"""Environment files: what dev, staging and prod have different, and the file that says what may be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode

from flinkform.errors import NotFound
from flinkform.errors import Path as At
from flinkform.jobfile.documents import LIMIT, Document, parse, scalar
from flinkform.jobfile.globs import matches
from flinkform.jobfile.layers import KEYS, known, refuse_ours
from flinkform.jobfile.model import Allowed, Environment, Overlay
from flinkform.jobfile.reading import Attributes, entries, read, texts, unknown
from flinkform.jobfile.tree import Folder
from flinkform.resources import namespace, workspace
from flinkform.schema.model import Attribute
from flinkform.schema.types import String

SCHEMA = "schema.yaml"
"""The file beside the environments that says which keys may differ."""

REGION = Attribute(name="region", type=String(pattern=r"[a-z0-9\-]+", hint="a region id"), doc="Where it is.")
WORKSPACE: Attributes = {a.name: a for a in (REGION, *workspace.RESOURCE.attributes) if a.writable}
NAMESPACE: Attributes = {
    a.name: a for a in namespace.RESOURCE.attributes if a.writable and a.name not in ("workspace_id", "name")
}
_SECTIONS = ("workspace", "namespaces", "jobs")


def environment(path: Path, *, schema: Allowed | None = None) -> Environment:
    """Return the environment in the file at *path*.

    *schema* says which keys may differ; unless given it is the `schema.yaml` beside the file, and without
    one the standard set. NotFound: no such file. Invalid: at the place of what may not be there.
    """
    if path.name == SCHEMA or not path.is_file():
        raise NotFound(f"there is no environment {path}", advice=_others(path))
    document = _document(path)
    beside = path.with_name(SCHEMA)
    schema = schema or (allowed(beside) if beside.is_file() else Allowed())
    parts = _sections(document, _SECTIONS)
    return Environment(
        path.stem,
        _section(document, parts.get("workspace"), WORKSPACE, schema.workspace, ("workspace",)),
        {
            key.value: _section(document, node, NAMESPACE, schema.namespaces, ("namespaces", key.value))
            for key, node in entries(document, parts.get("namespaces"), ("namespaces",))
        },
        _overlays(document, parts.get("jobs"), schema),
    )


def allowed(path: Path) -> Allowed:
    """Return which keys the schema file at *path* lets differ; what it does not name may not differ."""
    document = _document(path)
    parts = _sections(document, (*_SECTIONS, "flink_options"))
    options = parts.get("flink_options")
    return Allowed(
        workspace=_names(document, parts.get("workspace"), WORKSPACE, "workspace"),
        namespaces=_names(document, parts.get("namespaces"), NAMESPACE, "namespaces"),
        jobs=_names(document, parts.get("jobs"), KEYS, "jobs"),
        flink_options=tuple(text for text, _ in texts(document, options, ("flink_options",))) if options else ("*",),
    )


def _document(path: Path) -> Document:
    folder = Folder(path.parent)
    return parse(folder.read(path.name, LIMIT), path.as_posix())


def _others(path: Path) -> str:
    names = sorted(p.name for p in path.parent.glob("*.yaml") if p.name != SCHEMA)
    return f"expected one of {', '.join(names)}" if names else f"write {path.parent}/<environment>.yaml"


def _sections(document: Document, names: Iterable[str]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, node in entries(document, document.root):
        if key.value not in names:
            unknown(document, key, names)
        if not (isinstance(node, ScalarNode) and scalar(node) is None):
            found[key.value] = node
    return found


def _names(document: Document, node: Node | None, attributes: Attributes, section: str) -> frozenset[str]:
    found = texts(document, node, (section,)) if node else []
    for text, item in found:
        if text not in attributes and isinstance(item, ScalarNode):
            unknown(document, item, attributes, (section,))
    return frozenset(text for text, _ in found)


def _section(
    document: Document, node: Node | None, attributes: Attributes, may: frozenset[str], at: At
) -> dict[str, object]:
    values = read(document, node, attributes, at)
    _differ(document, values, may, at)
    return {name: value for name, value in values.items() if value is not None}


def _differ(document: Document, names: Iterable[str], may: frozenset[str], at: At) -> None:
    for name in names:
        if name not in may:
            document.refuse(
                f"the key {name!r} may not differ between environments",
                document.key((*at, name)),
                (*at, name),
                advice=f"set it for all of them, or allow it in {SCHEMA}",
            )


def _overlays(document: Document, node: Node | None, schema: Allowed) -> tuple[Overlay, ...]:
    if node is None:
        return ()
    if isinstance(node, MappingNode) or not isinstance(node.value, list):
        document.refuse("expected a list of overlays, each with match: and keys", node, ("jobs",))
    return tuple(_overlay(document, item, schema, ("jobs", index)) for index, item in enumerate(node.value))


def _overlay(document: Document, node: Node, schema: Allowed, at: At) -> Overlay:
    items = entries(document, node, at)
    globs = next((value for key, value in items if key.value == "match"), None)
    if globs is None:
        document.refuse("expected match: and a list of globs over job paths", node, at, advice="for all jobs: ['**']")
    rest = MappingNode(node.tag, [i for i in items if i[0].value != "match"], node.start_mark, node.end_mark)
    known(document, rest, at)
    values = read(document, rest, KEYS, at)
    _differ(document, values, schema.jobs, at)
    refuse_ours(document, values, at)
    _options(document, values.get("flink_options") or {}, schema.flink_options, (*at, "flink_options"))
    found = texts(document, globs, (*at, "match"))
    return Overlay(
        match=tuple(text for text, _ in found),
        values=values,
        sources={key.value: document.place(value) for key, value in rest.value},
        positions=tuple(document.place(item) for _, item in found),
    )


def _options(document: Document, names: Iterable[str], globs: tuple[str, ...], at: At) -> None:
    for name in names:
        if not any(matches(glob, name) for glob in globs):
            document.refuse(
                f"the Flink option {name} may not differ between environments",
                document.key((*at, name)),
                (*at, name),
                advice=f"set it for all of them, or allow it under flink_options in {SCHEMA}",
            )
