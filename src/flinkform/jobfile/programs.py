"""Jobs that are a program in a jar: `<job>.jar.yaml` says which, and a jar beside it is pinned by its content."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from flinkform.errors import Invalid
from flinkform.jobfile.documents import Document
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.layers import JAR, Layer
from flinkform.jobfile.reading import pairs
from flinkform.jobfile.tree import Tree

LIMIT = 512 * 1024 * 1024
"""Bytes that a jar may have."""
_PIN = "sha256"


def pinned(tree: Tree, path: str, own: Layer, faults: Faults) -> Layer:
    """Return what the job file at *path* says, with the sha256 of its jar; the jar's path is as a person would type it.

    A job needs one, and one that is somewhere else needs its sha256: else another program could run tomorrow.
    """
    if own.document is None:
        return own
    said = own.values.get(JAR)
    if said is None:
        if not any(key.value == JAR for key, _ in pairs(own.document)):
            message = "expected the key 'jar', which says what runs"
            faults.append(Invalid(message, at=(JAR,), position=own.document.find(())))
        return replace(own, whole=False)
    found = list(_wrong(own.document, said))
    if not found:
        with faults:
            return replace(own, values={**own.values, JAR: _read(tree, path, own.document, said)})
    faults.extend(found)
    return replace(own, whole=False)


def _wrong(document: Document, said: Mapping[str, Any]) -> Iterator[Invalid]:
    given = [name for name in ("source", "uri") if said.get(name) is not None]
    if len(given) != 1:
        got = "both" if given else "neither"
        advice = "source is a jar beside this file, uri one that is somewhere else"
        at = (JAR, *given[:1])
        yield Invalid(f"expected either source or uri, got {got}", at=at, position=document.find(at), advice=advice)
    elif given == ["uri"] and said.get(_PIN) is None:
        at = (JAR, "uri")
        advice = "write what `sha256sum` prints of it"
        yield Invalid("expected sha256 beside uri", at=at, position=document.find(at), advice=advice)


def _read(tree: Tree, path: str, document: Document, said: Mapping[str, Any]) -> dict[str, Any]:
    if said.get("source") is None:
        return dict(said)
    place = document.find((JAR, "source"))
    file = posixpath.normpath(posixpath.join(posixpath.dirname(path), str(said["source"])))
    if file.startswith(("../", "/")) or not file.endswith(".jar"):
        advice = "put it beside the job file, or give its uri"
        raise Invalid("expected a .jar below the jobs folder", at=(JAR, "source"), position=place, advice=advice)
    try:
        digest = hashlib.sha256(tree.read(file, LIMIT)).hexdigest()
    except Invalid as error:
        shown = tree.shown(file)
        raise Invalid(f"{shown}: {error.message}", at=(JAR, "source"), position=place, advice=error.advice) from error
    if said.get(_PIN) not in (None, digest):
        at = (JAR, _PIN)
        raise Invalid(f"expected the sha256 of {tree.shown(file)}, {digest}", at=at, position=document.find(at))
    return {**said, "source": tree.shown(file), _PIN: digest}
