"""How a failure looks to Terraform: the error tree mapped to diagnostics, in this one place."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from itertools import pairwise
from pathlib import PurePath

from flinkform.errors import FlinkformError, Path
from flinkform.provider.protocol import protobuf
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, MapOf, Object, Type

ERROR, WARNING = 1, 2
_LIMIT = 20_000
"""Characters of a message that are shown; a start log may be megabytes."""


def error(fault: FlinkformError, attributes: Iterable[Attribute] = ()) -> bytes:
    """Return the Diagnostic for a deliberate failure, pointing at its attribute."""
    return _diagnostic(ERROR, str(fault), fault.at, attributes)


def warning(text: str) -> bytes:
    """Return a Diagnostic that stops nothing."""
    return _diagnostic(WARNING, text, (), ())


def bug(unexpected: BaseException) -> bytes:
    """Return the Diagnostic for a failure nobody meant: where it happened, not what it said, which may be secret."""
    frames = traceback.extract_tb(unexpected.__traceback__)
    where = "\n".join(f"  {PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames)
    text = f"this is a bug in flinkform: {type(unexpected).__name__}\nplease report it with these lines:\n{where}"
    return _diagnostic(ERROR, text, (), ())


def _diagnostic(severity: int, text: str, at: Path, attributes: Iterable[Attribute]) -> bytes:
    summary, _, detail = text[:_LIMIT].partition("\n")
    steps = _steps(at, tuple(attributes))
    path = protobuf.message(4, *steps) if steps else b""
    fields = (protobuf.uint(1, severity), protobuf.string(2, summary), protobuf.string(3, detail.strip("\n")), path)
    return b"".join(fields)


def path(at: Path, attributes: Iterable[Attribute]) -> bytes:
    """Return the AttributePath of *at* in an object with *attributes*."""
    return b"".join(_steps(at, tuple(attributes)))


def _steps(at: Path, attributes: tuple[Attribute, ...]) -> list[bytes]:
    """Return one encoded step each; a word is a map's key below a map and an attribute's name elsewhere."""
    kinds: list[Type | None] = [Object(attributes)]
    kinds += [None] * len(at)
    for index, step in enumerate(at):
        kinds[index + 1] = _inside(kinds[index], step)
    return [protobuf.message(1, _step(kind, step)) for (kind, _), step in zip(pairwise(kinds), at, strict=True)]


def _step(kind: Type | None, step: str | int) -> bytes:
    if isinstance(step, int):
        return protobuf.varint(3 << 3) + protobuf.varint(step)
    return protobuf.string(2 if isinstance(kind, MapOf) else 1, step)


def _inside(kind: Type | None, step: str | int) -> Type | None:
    if isinstance(kind, ListOf | MapOf):
        return kind.item
    if isinstance(kind, Object):
        return next((a.type for a in kind.attributes if a.name == step), None)
    return None
