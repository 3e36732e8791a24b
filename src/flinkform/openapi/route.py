"""Find the operation that a request is for, by method and undecoded path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote

from flinkform.errors import Refused
from flinkform.openapi import ours
from flinkform.openapi.operation import Operation, names, operation

MOST = 32
"""Segments of a path that are looked at; the longest path of the API has a dozen."""

Params = dict[str, str]


class _Node:
    """A place in the tree of paths. A *verb* is what follows the `:` in `jobs/{jobId}:stop`."""

    __slots__ = ("end", "params", "static")

    def __init__(self) -> None:
        self.end: Operation | None = None
        self.static: dict[str, _Node] = {}
        self.params: dict[str, _Node] = {}


def match(method: str, raw_path: str, *, action: str = "") -> tuple[Operation, Params]:
    """Return the operation and its path parameters, decoded.

    *raw_path* is undecoded, because a name may hold `%2F`. It alone decides for paths; *action* (the header
    `x-acs-action`) decides for `/`, and is never looked at elsewhere: old clients do not send it.
    Raises `Refused` with `InvalidAction.NotFound`, or `UnsupportedHTTPMethod` if only the method is wrong.
    """
    if raw_path in ("", "/"):
        return _rpc(method, action), {}
    segments = [unquote(segment) for segment in raw_path.split("/")[1 : MOST + 2]]
    roots = _trees()
    found = next(_walk(roots[method], segments), None) if method in roots else None
    if found:
        end, values = found
        return end, dict(zip(end.path_params, values, strict=True))
    others = sorted(other for other, root in roots.items() if next(_walk(root, segments), None))
    if others:
        raise _refused(f"expected {' or '.join(others)}, got {method}", code="UnsupportedHTTPMethod", status=405)
    raise _refused("no operation of the API has this method and path", code="InvalidAction.NotFound", status=404)


def _rpc(method: str, action: str) -> Operation:
    known = action in names() and operation(action).rpc
    if not known:
        raise _refused("no operation of the API has this name", code="InvalidAction.NotFound", status=404)
    # the gateway takes GET and POST alike; where the parameters stand is what differs
    if method not in ("GET", "POST"):
        raise _refused(f"expected GET or POST, got {method}", code="UnsupportedHTTPMethod", status=405)
    return operation(action)


def _walk(node: _Node, segments: list[str]) -> Iterator[tuple[Operation, tuple[str, ...]]]:
    """Yield the ways through the tree: static segments first, then verbs, then bare parameters."""
    if not segments:
        if node.end:
            yield node.end, ()
        return
    head, *rest = segments
    if head in node.static:
        yield from _walk(node.static[head], rest)
    for verb, child in node.params.items():
        value = head.removesuffix(verb)
        if value and (not verb or value != head):
            for end, values in _walk(child, rest):
                yield end, (value, *values)


@cache
def _trees() -> dict[str, _Node]:
    roots: dict[str, _Node] = {}
    for found in map(operation, (*names(), *ours.OPERATIONS)):
        if not found.rpc:
            node = roots.setdefault(found.method, _Node())
            for segment in found.path.split("/")[1:]:
                node = _step(node, unquote(segment))
            node.end = found
    return roots


def _step(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.static.setdefault(segment, _Node())
    verb = segment.partition("}")[2]
    node.params.setdefault(verb, _Node())
    node.params = dict(sorted(node.params.items(), key=lambda item: -len(item[0])))  # the bare one is tried last
    return node.params[verb]


def _refused(message: str, *, code: str, status: int) -> Refused:
    return Refused(message, operation="", code=code, status=status, request_id="")
