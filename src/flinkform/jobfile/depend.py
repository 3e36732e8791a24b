"""What a job depends on: which files have a say in it, and whether a change of one is one of the job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from flinkform.errors import Invalid
from flinkform.jobfile.layers import VARIABLES
from flinkform.jobfile.reader import Reader, defaults, sidecar
from flinkform.jobfile.shape import DEFAULTS

KINDS = (".sql", ".py", ".jar.yaml")
"""How the names of files end that are jobs by themselves; a `.yaml` beside no script is one too."""


def owner(path: str, files: Collection[str]) -> str | None:
    """Return the job whose own file *path* is, *files* being all there are; `None` if it is nobody's.

    Whether such a job can be run is another question, and none of the path's.
    """
    folder, _, name = path.rpartition("/")
    if name == DEFAULTS or not folder or any(part.startswith(".") for part in path.split("/")):
        return None
    if path.endswith(KINDS):
        return path
    if not path.endswith(".yaml"):
        return None
    script = path.removesuffix(".yaml") + ".sql"
    return script if script in files else path


def inputs(path: str) -> tuple[str, ...]:
    """Return the files that have a say in the job at *path*, whether they are there or not, the script last.

    The environment's overlays have one too, and what the script includes.
    """
    steps = path.split("/")[:-1]
    around = tuple(defaults("/".join(steps[:depth])) for depth in range(len(steps) + 1))
    return (*around, *((sidecar(path),) if path.endswith(".sql") else ()), path)


def included(reader: Reader, path: str) -> tuple[str, ...]:
    """Return the files that the script at *path* includes; none where it cannot be read."""
    if not path.endswith(".sql") or path not in reader.files:
        return ()
    with suppress(Invalid):
        return reader.script(path, reader.laid(path, reader.own(sidecar(path)))).woven.included
    return ()


def differing(old: Reader, new: Reader, paths: Iterable[str], *, scripts: bool = False) -> Iterator[str]:
    """Yield those of *paths*, jobs of both readings, that defaults and environments give other values.

    With *scripts* also those whose scripts become others by what they include. What cannot be read gives no values to
    compare: then all of them are yielded.
    """
    wanted = tuple(paths)
    found = [path for path in wanted if _differs(old, new, path, scripts=scripts)]
    yield from wanted if old.faults or new.faults else found


def _differs(old: Reader, new: Reader, path: str, *, scripts: bool) -> bool:
    laid = [one.laid(path, one.own(sidecar(path))) for one in (old, new)]
    values = [dict(one.values) for one in laid]
    variables = [one.pop(VARIABLES, None) for one in values]
    if values[0] != values[1]:
        return True
    if not path.endswith(".sql") or not (scripts or variables[0] != variables[1]):
        return False
    try:
        texts = [reader.script(path, one).text for reader, one in zip((old, new), laid, strict=True)]
    except Invalid:
        return True
    return texts[0] != texts[1]
