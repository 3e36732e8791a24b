"""What Flink's REST says of jobs, and asks of them, in our values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flinkform.errors import Conflict, NotFound
from flinkform.flink.diagnosis import Failure, root_line
from flinkform.flink.graph import Graph
from flinkform.flink.rest import Rest
from flinkform.flink.values import Observed, Phase, SavepointStatus, Slots

_PHASES = {
    "INITIALIZING": Phase.STARTING,
    "CREATED": Phase.STARTING,
    "RECONCILING": Phase.STARTING,
    "RUNNING": Phase.RUNNING,
    "RESTARTING": Phase.RESTARTING,
    "FAILING": Phase.RESTARTING,
    "CANCELLING": Phase.STOPPING,
    "FINISHED": Phase.FINISHED,
    "CANCELED": Phase.CANCELED,
    "FAILED": Phase.FAILED,
    "SUSPENDED": Phase.FAILED,
}


def overview(rest: Rest) -> dict[str, Observed]:
    """Every job the cluster remembers, in one call."""
    return {job["jid"]: _observed(job) for job in rest.get("/jobs/overview")["jobs"]}


def submit(rest: Rest, graph: Path, jars: Sequence[Path]) -> None:
    """Hand over a job that was written to a file, with the jars it needs. The same job again is not an error."""
    artifacts: list[object] = []
    names = {"executionPlanFileName": graph.name, "jobJarFileNames": [jar.name for jar in jars]}
    try:
        rest.upload("/jobs", {**names, "jobArtifactFileNames": artifacts}, [graph, *jars])
    except Conflict as error:
        if "DuplicateJobSubmission" not in error.message and "already been submitted" not in error.message:
            raise


def slots(rest: Rest) -> Slots:
    """Places in the whole cluster, whoever holds them."""
    found = rest.get("/overview")
    return Slots(int(found["slots-total"]), int(found["slots-available"]))


def tasks(rest: Rest, job_id: str) -> int:
    """The greatest parallelism that a job was told to have: as many slots as it holds."""
    wanted = rest.get(f"/jobs/{job_id}/resource-requirements")
    return max((int(vertex["parallelism"]["upperBound"]) for vertex in wanted.values()), default=0)


def cancel(rest: Rest, job_id: str) -> None:
    """Ask Flink to cancel; a job that is gone or ended is cancelled enough."""
    try:
        rest.call("PATCH", f"/jobs/{job_id}?mode=cancel")
    except NotFound:
        return
    except Conflict as error:
        if "already" not in error.message and "terminal state" not in error.message:
            raise


def trigger(rest: Rest, job_id: str, directory: str, *, stop: bool, drain: bool, native: bool) -> str:
    """Begin a savepoint (with *stop*, the job's last act) and return Flink's trigger id.

    A directory is one savepoint's: asking again is the same savepoint. Flink would refuse another stop beside one whose
    answer was lost, and that one would end the job with a savepoint that nobody knows of.
    """
    rest.get(f"/jobs/{job_id}/status")  # NotFound here: the trigger would be taken for a job that is not there
    ours = uuid.uuid5(uuid.NAMESPACE_URL, f"{job_id} {directory}").hex
    body: dict[str, object] = {"formatType": "NATIVE" if native else "CANONICAL", "triggerId": ours}
    if stop:
        answer = rest.post(f"/jobs/{job_id}/stop", {**body, "targetDirectory": directory, "drain": drain})
    else:
        answer = rest.post(f"/jobs/{job_id}/savepoints", {**body, "target-directory": directory, "cancel-job": False})
    return str(answer["request-id"])


def triggered(rest: Rest, job_id: str, trigger_id: str) -> SavepointStatus:
    answer = rest.get(f"/jobs/{job_id}/savepoints/{trigger_id}")
    if answer["status"]["id"] != "COMPLETED":
        return SavepointStatus(done=False)
    operation = answer.get("operation", {})
    if location := operation.get("location"):
        return SavepointStatus(done=True, location=location)
    trace = operation.get("failure-cause", {}).get("stack-trace", "")
    return SavepointStatus(done=True, error=root_line(trace) or "the savepoint failed")


def rescale(rest: Rest, job_id: str, parallelism: int) -> int:
    """Ask for another parallelism of a job that goes on; how many tasks it has once it took that up.

    Vertices that cannot be more than one stay one. Flink runs what fits, so whoever asks makes sure that there are
    slots. Asking again changes nothing.
    """
    path = f"/jobs/{job_id}/resource-requirements"
    wanted = rest.get(path)
    for vertex in rest.get(f"/jobs/{job_id}")["vertices"]:
        if vertex["maxParallelism"] > 1:
            lower = min(wanted[vertex["id"]]["parallelism"]["lowerBound"], parallelism)
            wanted[vertex["id"]] = {"parallelism": {"lowerBound": lower, "upperBound": parallelism}}
    rest.call("PUT", path, wanted)
    return sum(int(vertex["parallelism"]["upperBound"]) for vertex in wanted.values())


def failure(rest: Rest, job_id: str) -> Failure | None:
    """The newest exception of a job, the task it happened in, and when it and those before it did."""
    try:
        history = rest.get(f"/jobs/{job_id}/exceptions?maxExceptions=100").get("exceptionHistory", {})
        entries = history.get("entries") or ()
        times = tuple(entry["timestamp"] for entry in entries if entry.get("timestamp"))
        for entry in entries:
            if entry.get("stacktrace"):
                graph = Graph(rest.get(f"/jobs/{job_id}"))
                vertex = entry.get("taskName") or graph.culprit(entry["stacktrace"])
                return Failure(entry["stacktrace"], vertex, times, *graph.tables(vertex))
        return _never_started(rest, job_id)
    except NotFound:
        return None


def _never_started(rest: Rest, job_id: str) -> Failure | None:
    """The exception of a job that failed before it had tasks, for instance on its savepoint: only its result tells."""
    result = rest.get(f"/jobs/{job_id}/execution-result").get("job-execution-result", {})
    trace = result.get("failure-cause", {}).get("stack-trace")
    return Failure(trace, None) if trace else None


def _observed(job: dict[str, Any]) -> Observed:
    tasks = job["tasks"]
    up, total = tasks["running"] + tasks["finished"], tasks["total"]
    phase = _PHASES.get(job["state"], Phase.STARTING)
    if phase is Phase.RUNNING and up < total:
        phase = Phase.STARTING
    end, changed = job["end-time"], job.get("last-modification", 0)
    last = end if end > 0 else None
    return Observed(phase, job["start-time"], last, tasks["running"], total, changed, tasks.get("canceling", 0))
