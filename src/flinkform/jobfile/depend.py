"""What a job depends on: which files have a say in it, and whether a change of one is one of the job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

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

    The environment's overlays have one too.
    """
    steps = path.split("/")[:-1]
    around = tuple(defaults("/".join(steps[:depth])) for depth in range(len(steps) + 1))
    return (*around, *((sidecar(path),) if path.endswith(".sql") else ()), path)


def differing(old: Reader, new: Reader, paths: Iterable[str]) -> Iterator[str]:
    """Yield those of *paths*, jobs of both readings, that defaults and environments give other values.

    What cannot be read gives no values to compare: then all of them are yielded.
    """
    wanted = tuple(paths)
    found = [path for path in wanted if _values(old, path) != _values(new, path)]
    yield from wanted if old.faults or new.faults else found


def _values(reader: Reader, path: str) -> object:
    return reader.laid(path, reader.own(sidecar(path))).values
