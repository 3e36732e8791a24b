"""YAML text to a tree of nodes that know their place, with YAML's traps closed.

Scalars follow YAML 1.2: `on`, `off`, `yes` and `no` are text, and so are dates and times. Refused are keys
that come twice, tags, more than one document, and trees that are deep or large, aliases counted as often
as they are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flinkform.errors import Invalid, Path, Position
from flinkform.jobfile.places import after

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML was built without libyaml: the same, ten times slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

LIMIT = 256 * 1024
"""Bytes that a YAML file may have."""
_DEPTH = 16
_NODES = 20_000
_PLAIN, _OTHER = "plain", "other"

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}|0x[0-9a-fA-F]{1,30}|0o[0-7]{1,30}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


class _TooDeep(Exception):
    """Carries the mark of the node that goes too deep."""


class _Composer(_Loader):
    """Composes nodes; their tag only says whether a scalar was written plain."""

    depth = 0

    def descend_resolver(self, current_node: Node | None, _index: Any) -> None:
        # Checked here, while composing: libyaml's composer recurses without a limit and takes the process with it.
        self.depth += 1
        if self.depth > _DEPTH:
            raise _TooDeep(current_node.start_mark if current_node else None)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[Node], _value: Any, implicit: Any) -> str:
        return _PLAIN if kind is ScalarNode and implicit[0] else _OTHER


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file whose shape is sound; *root* is `None` where it says nothing."""

    file: str
    root: Node | None
    faults: tuple[Invalid, ...] = ()
    """What is wrong in its shape, but leaves the rest as it is."""

    def place(self, node: Node) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def find(self, at: Path) -> Position:
        """Return the place of the value at *at*, or of the nearest thing around it."""
        steps = self._steps(at)
        return self.place(steps[-1][1]) if steps else Position(self.file, 1, 1)

    def key(self, at: Path) -> Node:
        """Return the key at *at*, which exists."""
        return self._steps(at)[-1][0]

    def _steps(self, at: Path) -> list[tuple[Node, Node]]:
        found = [] if self.root is None else [(self.root, self.root)]
        for step in at:
            inner = _step(found[-1][1], step) if found else None
            if inner is None:
                break
            found.append(inner)
        return found

    def fault(self, message: str, node: Node, at: Path = (), *, advice: str = "") -> Invalid:
        return Invalid(message, at=at, position=self.place(node), advice=advice)


def parse(data: bytes, file: str) -> Document:
    """Return the document in *data*, read from *file*; Invalid with the place of what makes it none."""
    text = decoded(data, file)
    try:
        root = _Composer(text).get_single_node()
    except _TooDeep as error:
        mark = error.args[0]
        where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
        raise Invalid(f"expected at most {_DEPTH} levels, got more", position=where) from None
    except yaml.YAMLError as error:
        raise _malformed(error, text, file) from None
    document = Document(file, None if root is None or _void(root) else root)
    return document if document.root is None else replace(document, faults=tuple(_unsound(document, document.root)))


def decoded(data: bytes, file: str) -> str:
    """Return *data* as text, every character kept; Invalid with the place of the first byte that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        where = after(data[: error.start].decode(), file)
        raise Invalid(f"expected UTF-8, got the byte 0x{data[error.start]:02x}", position=where) from None


def scalar(node: ScalarNode) -> Any:
    """Return what a scalar means."""
    text: str = node.value
    if node.tag != _PLAIN:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return int(number) if number.is_integer() else number
    return text


def words(node: ScalarNode) -> str | None:
    """Return a scalar where text is wanted: as it stands, but `true` for `True`."""
    text: str = node.value
    if node.tag != _PLAIN:
        return text
    return None if text in _NULL else text.lower() if text in _BOOL else text


def _void(node: Node) -> bool:
    return isinstance(node, ScalarNode) and scalar(node) is None


def _unsound(document: Document, root: Node) -> Iterator[Invalid]:
    """Yield what a tree of values cannot have; every alias is walked as often as it is used.

    Invalid: it would have no end.
    """
    waiting, seen = [(root, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > _NODES or depth > _DEPTH:
            raise document.fault("expected a small file, got aliases that expand without end", root)
        if node.tag not in (_PLAIN, _OTHER):
            yield document.fault(f"expected no tag, got {node.tag}", node, advice="quote text that must stay text")
        if isinstance(node, MappingNode):
            yield from _twice(document, node)
            waiting += [(value, depth + 1) for _, value in reversed(node.value)]
        elif isinstance(node, SequenceNode):
            waiting += [(value, depth + 1) for value in reversed(node.value)]


def _twice(document: Document, node: MappingNode) -> Iterator[Invalid]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            raise document.fault("expected a word as key, got a list or a map", key)
        if key.value in lines:
            yield document.fault(f"the key {key.value!r} comes twice, first in line {lines[key.value]}", key)
        lines.setdefault(key.value, key.start_mark.line + 1)


def _step(node: Node, step: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return (node.value[step],) * 2 if step < len(node.value) else None
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    return None


def _malformed(error: yaml.YAMLError, text: str, file: str) -> Invalid:
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        where = after(text[: found.start()], file)
        return Invalid(f"expected no control characters, got U+{ord(found[0]):04X}", position=where)
    if not isinstance(error, yaml.MarkedYAMLError):
        return Invalid(f"expected YAML: {error}", position=Position(file, 1, 1))
    first, last = error.context_mark, error.problem_mark
    # What is missing is noticed at the end of the file; where it began says more.
    unfinished = last is None or last.index >= len(text.rstrip()) or "simple key" in (error.context or "")
    mark = first if first is not None and unfinished else last or first
    where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
    problem = error.problem or error.context or "it cannot be read"
    tab = mark is not None and "cannot start any token" in problem and _line(text, mark.line)[mark.column :][:1] == "\t"
    return Invalid(f"expected YAML: {problem}", position=where, advice="indent with spaces, not tabs" if tab else "")


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number] if number < len(lines) else ""
