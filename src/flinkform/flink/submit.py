"""Turns one script into one Flink job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flinkform.errors import Conflict, Invalid, Position
from flinkform.flink.checkpoints import uri
from flinkform.flink.diagnosis import Failure, diagnose
from flinkform.flink.environment import Reading, read
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.values import Problem, Submission

PARALLELISM = "parallelism.default"
_SQL_PARALLELISM = "table.exec.resource.default-parallelism"


class Prepared:
    """A job that is read and checked, but not yet handed over."""

    def __init__(
        self, gateway: Gateway, job: Submission, defaults: Mapping[str, str], target: Mapping[str, str]
    ) -> None:
        """Read the script. Invalid: the first problem in it, with its position."""
        self._gateway = gateway
        self._job = job
        self._target = target
        options = {**defaults, PARALLELISM: str(job.parallelism), **job.options}
        self._reading = read(gateway, job.script, batch_default=job.batch, options=options, dry=False)
        if self._reading.problems:
            raise _invalid(job, self._reading.problems)

    @property
    def slots(self) -> int:
        """How many slots it takes to run; a batch job makes do with one, stage after stage."""
        if self._reading.batch:
            return 1
        with self._gateway.answering():
            configuration = self._reading.environment.getConfig().getConfiguration()
            wanted = (configuration.getString(key, "1") for key in (PARALLELISM, _SQL_PARALLELISM))
            return max(int(value) for value in wanted)

    def run(self) -> None:
        """Hand it to the cluster. Conflict or Invalid with the diagnosis: Flink would not take it."""
        try:
            with self._gateway.answering():
                self._decide()
                self._execute()
        except Thrown as error:
            trace = self._gateway.trace(error)
            if "DuplicateJobSubmissionException" in trace or "has already been submitted" in trace:
                return
            told = diagnose(Failure(trace, None))
            raise Conflict(f"{self._job.name}: {told.reason}", advice=told.advice) from error

    def _execute(self) -> None:
        environment = self._reading.environment
        if self._job.plan is None:
            environment.executeInternal(_operations(self._gateway, self._reading))
        else:
            environment.loadPlan(self._planned()).execute()

    def write(self, file: Path) -> None:
        """Write the job to a file, as a cluster's REST takes it. Conflict with the diagnosis: it cannot be."""
        try:
            with self._gateway.answering():
                self._decide()
                graph = self._graph()
                java = self._gateway.jvm.java.io
                stream = java.ObjectOutputStream(java.FileOutputStream(str(file)))
                stream.writeObject(graph)
                stream.close()
        except Thrown as error:
            told = diagnose(Failure(self._gateway.trace(error), None))
            raise Conflict(f"{self._job.name}: {told.reason}", advice=told.advice) from error

    def _graph(self) -> Any:
        """What Flink's own client would send, made as `executeInternal` makes it."""
        environment = self._reading.environment
        planner = environment.getPlanner()
        if self._job.plan is None:
            transformations = planner.translate(_operations(self._gateway, self._reading))
        else:
            transformations = planner.translatePlan(planner.loadPlan(self._planned()))
        # The executor is out of reach otherwise; it alone turns options into the graph's settings.
        field = environment.getClass().getDeclaredField("execEnv")
        field.setAccessible(True)
        executor = field.get(environment)
        pipeline = executor.createPipeline(transformations, environment.getConfig().getConfiguration(), self._job.name)
        utils = self._gateway.flink.client.deployment.executors.PipelineExecutorUtils
        graph = utils.getStreamGraph(pipeline, executor.getConfiguration())
        graph.serializeUserDefinedInstances()
        return graph

    def _planned(self) -> Any:
        return self._gateway.flink.table.api.PlanReference.fromJsonString(self._job.plan)

    def _decide(self) -> None:
        """What nobody may override, set last: where the job goes, its id, its state."""
        configuration = self._reading.environment.getConfig()
        for key, value in {**self._target, **identity(self._job)}.items():
            configuration.set(key, value)


def identity(job: Submission) -> dict[str, str]:
    """The options that nobody may override: its id, its name, where its state is."""
    options = {
        "$internal.pipeline.job-id": job.id,
        "pipeline.name": job.name,
        "execution.attached": "false",
        "table.dml-sync": "false",
        "execution.checkpointing.dir": uri(job.checkpoint_dir),
        "execution.checkpointing.savepoint-dir": uri(job.savepoint_dir),
    }
    if job.restore:
        options["execution.state-recovery.path"] = uri(job.restore)
        options["execution.state-recovery.ignore-unclaimed-state"] = str(job.allow_non_restored).lower()
    return options


def _operations(gateway: Gateway, reading: Reading) -> Any:
    """Every INSERT of the script in one list: one list is one job."""
    joined = gateway.jvm.java.util.ArrayList()
    for _, operations in reading.inserts:
        joined.addAll(operations)
    return joined


def _invalid(job: Submission, found: list[Problem]) -> Invalid:
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Invalid(first.message + more, position=Position(job.name, first.line, first.column))
