"""What one commit makes of two environments, value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform.jobfile import Environment, Job
from flinkform.jobfile.layers import VARIABLES
from flinkform.jobfile.weave import INCLUDED, LIMIT
from flinkform.release.git import Repository
from flinkform.release.review import SECRET
from flinkform.release.select import ENVIRONMENTS, JOBS
from flinkform.release.tree import CommitTree, below


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that two environments have otherwise: of the workspace, a namespace or a job; '' where one has none."""

    what: str
    key: str
    one: str
    other: str


def differences(repository: Repository, commit: str, one: str, other: str) -> tuple[Difference, ...]:
    """Return every value that differs. Invalid: a job's script would by more than variables."""
    entries = repository.tree(commit, JOBS, ENVIRONMENTS)
    with repository.objects() as objects:
        places = CommitTree(objects, below(entries, ENVIRONMENTS), ENVIRONMENTS)
        jobs = CommitTree(objects, below(entries, JOBS), JOBS)
        jobs.fetch((path for path in jobs.files() if path.endswith((".sql", ".yaml", INCLUDED))), LIMIT)
        sides = [jobfile.environment_in(places, name) for name in (one, other)]
        read = [{job.path: job for job in jobfile.load(jobs, environment=side)} for side in sides]
    found = list(_places(*sides))
    for path in sorted(read[0].keys() | read[1].keys()):
        values = [_values(side[path]) if path in side else {} for side in read]
        scripts = [one.pop("sql", None) for one in values]
        if scripts[0] != scripts[1] and values[0].get(VARIABLES) == values[1].get(VARIABLES):
            raise Invalid(f"{JOBS}/{path} would be another script in {other}")
        found += _differing(f"{JOBS}/{path}", values[0], values[1])
    return tuple(found)


def _values(job: Job) -> dict[str, Any]:
    """Return what a job has, with those variables that its script uses: of it nothing else can be another."""
    used = job.woven.used if job.woven else frozenset()
    named = {name: value for name, value in job.variables.items() if name in used}
    return {**job.values, **({VARIABLES: named} if named else {})}


def _places(one: Environment, other: Environment) -> Iterator[Difference]:
    yield from _differing("workspace", one.workspace, other.workspace)
    for name in sorted(one.namespaces.keys() | other.namespaces.keys()):
        yield from _differing(f"namespace {name}", one.namespaces.get(name, {}), other.namespaces.get(name, {}))


def _differing(what: str, one: Mapping[str, Any], other: Mapping[str, Any], at: str = "") -> Iterator[Difference]:
    for key in sorted(one.keys() | other.keys()):
        old, new, name = one.get(key), other.get(key), f"{at}{key}"
        if old == new:
            continue
        if isinstance(old, Mapping | None) and isinstance(new, Mapping | None):
            yield from _differing(what, old or {}, new or {}, f"{name}.")
        else:
            yield Difference(what, name, *(_text(name, value) for value in (old, new)))


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    return "(hidden)" if SECRET.search(name) else value if isinstance(value, str) else json.dumps(value)
