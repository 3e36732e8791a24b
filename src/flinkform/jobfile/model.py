"""What reading job files gives: jobs, and what an environment wants different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flinkform.errors import Path, Position
from flinkform.jobfile.documents import Document
from flinkform.jobfile.weave import Woven


@dataclass(frozen=True, slots=True)
class Job:
    """One job file with everything that applies to it.

    *path* is relative to the jobs folder, with `/`. *values* are attributes of `flink_job` by name, without
    those that nobody set; `sql` is always there and is the file's text to the byte. *sources* says where
    each value was written: the last file that had a say in it.
    """

    path: str
    name: str
    namespace: str
    values: Mapping[str, Any] = field(hash=False)
    sources: Mapping[str, Position] = field(hash=False, compare=False)
    moved: tuple[str, ...] = ()
    """The paths that it had before, the oldest first: it is the same job."""
    woven: Woven | None = field(default=None, hash=False, compare=False, repr=False)
    """Where its author wrote each part of its script; `None` for a program."""
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the variables of its script stand for."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What an environment changes in the jobs that *match*; a value of `None` takes the inherited one away."""

    match: tuple[str, ...]
    values: Mapping[str, Any] = field(hash=False)
    sources: Mapping[str, Position] = field(hash=False, compare=False)
    positions: tuple[Position, ...] = field(hash=False, compare=False)
    """Where each glob of *match* stands."""
    document: Document | None = field(default=None, hash=False, compare=False, repr=False)
    at: Path = field(default=(), hash=False, compare=False)
    """The file that says so, and where in it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What one environment has different from the others: its workspace, its namespaces, some of its jobs."""

    name: str
    workspace: Mapping[str, Any] = field(hash=False)
    namespaces: Mapping[str, Mapping[str, Any]] = field(hash=False)
    overlays: tuple[Overlay, ...] = ()
    sources: Mapping[str, Position] = field(default_factory=dict, hash=False, compare=False)
    """Where each of *namespaces* is named."""
    release: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What it asks of a release."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The keys that may differ between environments; *flink_options* are globs over option names."""

    workspace: frozenset[str] = frozenset({"name", "region", "cpu", "vpc_id", "vswitch_ids", "bucket"})
    namespaces: frozenset[str] = frozenset({"cpu"})
    jobs: frozenset[str] = frozenset({"parallelism", "state", "labels", "flink_options"})
    flink_options: tuple[str, ...] = ("*",)
