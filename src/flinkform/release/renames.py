"""Jobs that a plan would stop and make anew though their file was only renamed: their deployment and state would go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flinkform.jobfile import job_path
from flinkform.release.select import JOBS
from flinkform.resources.job import RESOURCE

_ALIKE = 0.75
"""The share of lines that two scripts have in common where one may be the other, edited."""
_PAIRS = 10_000
"""Scripts that are compared; of a plan that replaces more nobody reads notes."""


def refused(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return, by the address of a new job, why it must not be made: another job goes that runs the very same."""
    fresh, gone = _sides(rows)
    found: dict[str, str] = {}
    for row in fresh:
        after = row["change"]["after"]
        old = next((one for one in gone if _content(one) == _content(after)), None)
        if old is not None:
            gone.remove(old)
            told = f"{_path(after)} is what {_path(old)} was, which would be stopped and removed with its state"
            found[str(row["address"])] = f"{told}\nif it was renamed, {_line(old, after)}\n{_APART}"
    return found


def notes(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield which new jobs are much like one that goes: a file that was renamed and edited."""
    fresh, gone = _sides(rows)
    if len(fresh) * len(gone) > _PAIRS:
        return
    lines = [(old, _lines(old)) for old in gone]
    for row in fresh:
        after = row["change"]["after"]
        mine = _lines(after)
        scores = ((_share(mine, theirs), old) for old, theirs in lines)
        score, best = max(scores, key=lambda one: one[0], default=(0.0, {}))
        if score >= _ALIKE and _content(best) != _content(after):
            both = f"{_path(after)} is much like {_path(best)}, which is removed"
            yield f"{both}: if it was renamed, {_line(best, after) if _together(best, after) else _ELSEWHERE}"


_ELSEWHERE = (
    "it starts with nothing, as no job moves to another namespace: take a savepoint of the old one first "
    "(`flinkform savepoint create`), and name its path as restore_from"
)
_APART = "if it is another job, remove the old one in an apply of its own, and add this one after it"


def _sides(rows: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the rows that make jobs, and the values of jobs that go."""
    jobs = [row for row in rows if row.get("type") == RESOURCE.type_name and row.get("mode", "managed") == "managed"]
    fresh = [row for row in jobs if row["change"]["actions"] == ["create"]]
    gone = [row["change"]["before"] for row in jobs if row["change"]["actions"] == ["delete"]]
    return fresh, gone


def _content(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return where a job is and what it runs."""
    jar = values.get("jar") or {}
    return str(values.get("namespace")), str(values.get("sql") or ""), str(jar.get("sha256") or jar.get("uri") or "")


def _together(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get("namespace") == other.get("namespace"))


def _path(values: Mapping[str, Any]) -> str:
    suffix = ".sql" if values.get("jar") is None else ".jar.yaml"
    return f"{JOBS}/{values.get('namespace')}/{job_path(str(values.get('name')))}{suffix}"


def _line(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what to write, and where."""
    file = _path(new)
    beside = file if file.endswith(".yaml") else f"{file.removesuffix('.sql')}.yaml"
    return f"write `moved_from: {_path(old).removeprefix(f'{JOBS}/')}` into {beside}"


def _lines(values: Mapping[str, Any]) -> Counter[str]:
    return Counter(line for line in str(values.get("sql") or "").splitlines() if line.strip())


def _share(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0
