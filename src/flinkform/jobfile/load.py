"""A folder of job files to jobs, or to everything that is wrong with them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from flinkform.errors import Invalid, NotFound, Position
from flinkform.jobfile.model import Allowed, Environment, Job
from flinkform.jobfile.moves import astray
from flinkform.jobfile.reader import reading
from flinkform.jobfile.shape import misshapen
from flinkform.jobfile.tree import Tree
from flinkform.jobfile.weave import Woven


def load(
    folder: Path | Tree, *, environment: Environment | Path | None = None, schema: Allowed | None = None
) -> tuple[Job, ...]:
    """Return every job of *folder*, by path; the first thing that is wrong raises Invalid at its place.

    *environment* is a file or what `environment()` returned, *schema* what it may change (see there). Each of
    its globs must match a job, each of its namespaces a folder. NotFound: no such folder or environment.
    """
    reader = reading(folder, environment, schema)
    reader.faults.extend(misshapen(reader.tree, reader.files, reader.paths, reader.environment))
    reader.faults.settle()
    found = tuple(filter(None, map(reader.sound, reader.paths)))
    reader.faults.extend(astray(found, reader.files))
    reader.faults.settle()
    return found


def load_job(
    path: str, folder: Path | Tree, *, environment: Environment | Path | None = None, schema: Allowed | None = None
) -> Job:
    """Return the one job at *path*, relative to *folder*; NotFound if there is none."""
    reader = reading(folder, environment, schema)
    reader.faults.settle()
    found = reader.sound(path) if path in reader.paths else None
    if found is None:
        raise NotFound(f"there is no job {reader.tree.shown(path)}")
    return found


@dataclass(frozen=True, slots=True)
class Survey:
    """A folder of which something may be wrong."""

    jobs: tuple[Job, ...]
    """Those of which enough is right for Flink's planner to look at."""
    problems: tuple[Invalid, ...]
    """Everything that is wrong in any file, each thing once."""
    silent: tuple[str, ...] = ()
    """Namespaces that the environment, which names others, says nothing about."""
    recomposed: tuple[Position, ...] = ()
    """Where scripts hold letters that Terraform is going to write otherwise: it composes accents (NFC)."""


def survey(
    folder: Path | Tree, *, environment: Environment | Path | None = None, schema: Allowed | None = None
) -> Survey:
    """Return what there is in *folder*, and everything that is wrong with it and its environment."""
    reader = reading(folder, environment, schema)
    reader.faults.extend(misshapen(reader.tree, reader.files, reader.paths, reader.environment))
    jobs = tuple(filter(None, map(reader.job, reader.paths)))
    reader.faults.extend(astray(jobs, reader.files))
    problems = {str(fault): fault for fault in reader.faults}
    named = reader.environment.namespaces
    silent = dict.fromkeys(job.namespace for job in jobs if named and job.namespace not in named)
    recomposed = tuple(filter(None, (_recomposed(job.woven) for job in jobs if job.woven)))
    return Survey(jobs, tuple(problems.values()), tuple(silent), recomposed)


def _recomposed(woven: Woven) -> Position | None:
    """Return where a script first differs from its composed form."""
    text = woven.text
    if unicodedata.is_normalized("NFC", text):
        return None
    pairs = enumerate(zip(text, unicodedata.normalize("NFC", text), strict=False))
    first = next((at for at, (one, other) in pairs if one != other), 0)
    return woven.origin(first)
