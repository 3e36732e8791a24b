"""Jobs whose files were renamed: each says what it was called, so that it stays the job that it is."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from yaml.nodes import SequenceNode

from flinkform.errors import Invalid, Position
from flinkform.jobfile.documents import parse
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.layers import MOVED, SUFFIX, layer
from flinkform.jobfile.model import Job
from flinkform.jobfile.names import job_name
from flinkform.jobfile.reading import without
from flinkform.jobfile.shape import stem

_KINDS = (".sql", SUFFIX)


def names(job: Job) -> tuple[str, ...]:
    """Return the names that a job had before, the oldest first."""
    return tuple(job_name(stem(path).partition("/")[2]) for path in job.moved)


def astray(jobs: Iterable[Job], files: Collection[str]) -> Iterator[Invalid]:
    """Yield what is wrong with where jobs say that they were; *files* are all that there are."""
    taken: dict[str, Job] = {}
    for job in jobs:
        for path in job.moved:
            message, advice = _wrong(job, path, files)
            if not message and (other := taken.setdefault(path, job)) is not job:
                message, advice = f"{other.path} was {path} too", "one of them is another job: remove it there"
            if message:
                yield _fault(job, message, advice)


def said(data: bytes, paths: Iterable[str]) -> bytes:
    """Return the job's own YAML file *data* with what it says of where it was, and that it was at *paths* since."""
    document = parse(data, "")
    moved, _ = without(document.root, MOVED)
    lines = data.decode().splitlines(keepends=True)
    known: tuple[str, ...] = ()
    if moved is not None:
        known = layer(document, Faults()).moved
        # A list of lines ends, for YAML, where the next thing begins: the comments between are none of it.
        last = moved.value[-1] if isinstance(moved, SequenceNode) and moved.value and not moved.flow_style else moved
        key, end = document.key((MOVED,)).start_mark, last.end_mark
        del lines[key.line : end.line + (end.column > key.column)]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    # A path that is there twice would be a circle.
    everywhere = dict.fromkeys((*known, *paths))
    lines.append(f"{MOVED}: [{', '.join(json.dumps(path, ensure_ascii=False) for path in everywhere)}]\n")
    return "".join(lines).encode()


def _wrong(job: Job, path: str, files: Collection[str]) -> tuple[str, str]:
    """Return what is wrong with one path and what to do, '' for nothing."""
    space, _, rest = path.partition("/")
    if not rest or not path.endswith(_KINDS) or ".." in path.split("/"):
        return f"expected the path of a job file below jobs/, got {path!r}", "write it as `git mv` had it: shop/old.sql"
    if path in files:
        return f"there is a job {path}: this one was not moved from it", "remove moved_from, or that file"
    if space != job.namespace:
        return (
            f"a job stays in its namespace, {space}: no control plane moves one to {job.namespace}",
            "take a savepoint of it (`flinkform savepoint create`), and name its path here as restore_from",
        )
    if path.endswith(".sql") is not job.path.endswith(".sql"):
        return f"{path} is another kind of job than {job.path}", "a script and a program are two jobs"
    try:
        job_name(stem(rest))
    except Invalid as error:
        return f"{path}: {error.message}", error.advice
    return "", ""


def _fault(job: Job, message: str, advice: str) -> Invalid:
    place = job.sources.get(MOVED, Position(job.path, 1, 1))
    return Invalid(message, at=(MOVED,), position=place, advice=advice)
