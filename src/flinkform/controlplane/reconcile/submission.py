"""Turns a run's definition into what Flink is handed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flinkform.controlplane.delivery.fetch import jars
from flinkform.controlplane.reconcile import seating
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Invalid
from flinkform.flink.values import Program, Submission
from flinkform.resources import job


def submission(bench: Bench, run: Run) -> Submission:
    """The job as it is defined, from no state.

    Of a program in a jar what runs is left out, see `program`. Invalid: the artifact is of another kind, or the options
    of its JVM make no sense.
    """
    asked = run.definition
    seating.asked(run)
    seating.shares(asked)
    resources = _within(
        asked, "batchResourceSetting" if run.batch else "streamingResourceSetting", "basicResourceSetting"
    )
    return Submission(
        id=run.job_id,
        name=run.name,
        script=script(asked),
        checkpoint_dir=bench.checkpoints(run),
        savepoint_dir=bench.savepoints(run),
        batch=run.batch,
        parallelism=int(resources.get("parallelism") or 1),
        options=seating.options(run.definition),
    )


def program(bench: Bench, run: Run, *, again: bool) -> Program | None:
    """The program of a run, its jars fetched; None for a script. *again* takes those that it ran before.

    Invalid, Conflict, Denied or Unavailable: a jar cannot be had.
    """
    if not packed(run.definition):
        return None
    asked = _within(run.definition, "artifact", "jarArtifact")
    found = jars(bench.fetch, asked, place=(run.workspace, run.namespace), sha256=pin(run), again=again)
    return Program(found, str(asked.get("entryClass") or ""), tuple(job.words(str(asked.get("mainArgs") or ""))))


def pin(run: Run) -> str:
    """The sha256 that the jar of a run has to have; empty where nobody says."""
    return str(_within(run.definition, "labels").get(job.JAR_SHA256) or "")


def packed(asked: Mapping[str, Any]) -> bool:
    """Whether a definition is of a program in a jar, whose operators are its author's."""
    return _within(asked, "artifact").get("kind") == "JAR"


def script(asked: Mapping[str, Any]) -> str:
    """The SQL of a definition, empty for a program in a jar. Invalid: its artifact is something else."""
    kind = _within(asked, "artifact").get("kind")
    if kind not in ("SQLSCRIPT", "JAR"):
        raise Invalid(f"expected an artifact of kind SQLSCRIPT or JAR, got {kind}", at=("artifact", "kind"))
    return str(_within(asked, "artifact", "sqlArtifact").get("sqlScript") or "")


def _within(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """An inner object, empty where nothing is set."""
    for name in path:
        value = value.get(name) or {}
    return value
