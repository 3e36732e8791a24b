"""Turns a run's definition into what Flink is handed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flinkform.controlplane.reconcile import seating
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Invalid
from flinkform.flink.values import Submission


def submission(bench: Bench, run: Run) -> Submission:
    """The job as it is defined, from no state.

    Invalid: the artifact is no SQL script, or the options of its JVM make no sense.
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
        options=seating.options(run),
    )


def script(asked: Mapping[str, Any]) -> str:
    """The SQL of a definition. Invalid: its artifact is something else."""
    kind = _within(asked, "artifact").get("kind")
    if kind != "SQLSCRIPT":
        raise Invalid(f"expected an artifact of kind SQLSCRIPT, got {kind}", at=("artifact", "kind"))
    return str(_within(asked, "artifact", "sqlArtifact").get("sqlScript") or "")


def _within(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """An inner object, empty where nothing is set."""
    for name in path:
        value = value.get(name) or {}
    return value
