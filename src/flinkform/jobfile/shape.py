"""What can be wrong with a tree of job files as a whole, whatever its files say."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence

from flinkform.errors import Invalid, Position
from flinkform.jobfile.globs import matches
from flinkform.jobfile.layers import SUFFIX
from flinkform.jobfile.model import Environment
from flinkform.jobfile.tree import Folder, Tree

DEFAULTS = "_defaults.yaml"
"""The file in any folder whose keys hold for all jobs at or below it."""


def scripts(files: Collection[str]) -> tuple[str, ...]:
    """Return the job files among *files*, in the order of their paths."""
    return tuple(sorted(path for path in files if path.endswith(".sql") or program(path, files)))


def stem(path: str) -> str:
    """Return the path of a job without how its kind ends."""
    return path.removesuffix(".sql") if path.endswith(".sql") else path.removesuffix(SUFFIX)


def program(path: str, files: Collection[str]) -> bool:
    """Say whether a file is a job by itself; beside `x.jar.sql` its `x.jar.yaml` is none."""
    return path.endswith(SUFFIX) and f"{path.removesuffix('.yaml')}.sql" not in files


def misshapen(tree: Tree, files: Collection[str], paths: Sequence[str], environment: Environment) -> Iterator[Invalid]:
    """Yield files that nobody reads, names that are one elsewhere, and what the environment says about nothing.

    *paths* are the scripts among *files*; of an empty tree nothing is missing, nor of one that is a part.
    """
    yield from _strays(tree, files)
    yield from _twins(tree, paths)
    if paths and not (isinstance(tree, Folder) and tree.part):
        yield from _idle(paths, environment)
        yield from _lost(tree, paths, environment)


def _strays(tree: Tree, files: Collection[str]) -> Iterator[Invalid]:
    """Files that look as if they said something and do not."""
    for path in sorted(files):
        bare, _, suffix = path.rpartition(".")
        start = Position(tree.shown(path), 1, 1)
        if suffix != suffix.lower() and suffix.lower() in ("sql", "yaml", "yml"):
            yield Invalid(f"expected the suffix .{suffix.lower()}, got .{suffix}", position=start)
        elif suffix == "yml":
            yield Invalid("expected the suffix .yaml, got .yml", position=start)
        elif suffix == "sql" and path.endswith("/_defaults.sql"):
            yield Invalid("expected another name: a job called _defaults has no sidecar", position=start)
        elif suffix == "yaml" and path.rpartition("/")[2] != DEFAULTS and f"{bare}.sql" not in files:
            if path.endswith(SUFFIX):
                continue
            advice = f"expected {bare.rpartition('/')[2]}.sql beside it"
            yield Invalid("this file belongs to no job", position=start, advice=advice)


def _twins(tree: Tree, paths: Sequence[str]) -> Iterator[Invalid]:
    """Jobs and namespaces that differ only in case, or in how an accent is written: one file on many machines."""
    seen: dict[str, str] = {}
    jobs: dict[str, str] = {}
    for path in paths:
        if (other := jobs.setdefault(stem(path), path)) != path:
            advice = "rename one of them"
            start = Position(tree.shown(path), 1, 1)
            yield Invalid(f"the same name as {tree.shown(other)}", at=("name",), position=start, advice=advice)
        for part in dict.fromkeys((path.partition("/")[0], path)):
            first = seen.setdefault(unicodedata.normalize("NFC", part).casefold(), part)
            if first != part:
                message = f"the same name as {tree.shown(first)} but for upper and lower case"
                position = Position(tree.shown(part), 1, 1)
                yield Invalid(message, at=("name",), position=position, advice="rename one of them")


def _idle(paths: Sequence[str], environment: Environment) -> Iterator[Invalid]:
    """Globs of the environment that match nothing: most likely a job was renamed."""
    for overlay in environment.overlays:
        for glob, position in zip(overlay.match, overlay.positions, strict=True):
            if not any(matches(glob, path) for path in paths):
                yield Invalid(f"no job matches {glob!r}", at=("match",), position=position)


def _lost(tree: Tree, paths: Sequence[str], environment: Environment) -> Iterator[Invalid]:
    """Namespaces of the environment without a folder: most likely that was renamed."""
    tops = {path.partition("/")[0] for path in paths}
    for name in environment.namespaces:
        if name not in tops:
            place = environment.sources.get(name)
            message = f"there is no job in {tree.shown(name)}"
            yield Invalid(message, at=("namespaces", name), position=place, advice="remove it, or name another folder")
