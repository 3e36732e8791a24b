"""Why a job is not running: its failure, the diagnosis, and the end of its start log, in one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from flinkform.errors import FlinkformError, JobFailed
from flinkform.provider import observe
from flinkform.provider.lists import Caller, Document

LINES = 25
"""Lines of the start log that are shown."""
_WIDTH = 400
"""Characters of a line that are shown."""


def explain(client: Caller, place: Mapping[str, str], job: Document, name: str) -> JobFailed:
    """Return the error about *job* of the deployment at *place*; what cannot be asked is left out."""
    reason = (job.get("status") or {}).get("failure") or {}
    what = ": ".join(_shortened(reason[key]) for key in ("reason", "message") if reason.get(key))
    status = "restarting again and again" if observe.restarting(job) else observe.status(job)
    said = f"job {job.get('jobId')} of {name} is {status}, expected RUNNING"
    parts = (f"{said}\n{what}" if what else said, *_diagnosis(client, place, job), *_log(client, place))
    return JobFailed("\n\n".join(parts), at=("state",))


def _diagnosis(client: Caller, place: Mapping[str, str], job: Document) -> Iterator[str]:
    params = {**place, "jobId": str(job.get("jobId"))}
    symptoms = _asked(client, "GetJobDiagnosis", params, {}).get("symptoms") or {}
    found = chain.from_iterable(s if isinstance(s, list) else [s] for s in symptoms.values() if s)
    lines = [_symptom(s) for s in found if s.get("description") or s.get("name")]
    if lines:
        yield "\n".join(("diagnosis:", *lines))


def _symptom(symptom: Mapping[str, Any]) -> str:
    words = (symptom.get("name"), symptom.get("description"), symptom.get("recommendation"))
    return "  " + ": ".join(_shortened(word) for word in words if word)


def _log(client: Caller, place: Mapping[str, str]) -> Iterator[str]:
    lines = str(_asked(client, "GetLatestJobStartLog", place, "")).strip().splitlines()
    if lines:
        yield "\n".join(("the end of the start log:", *(f"  {line[:_WIDTH]}" for line in lines[-LINES:])))


def _asked(client: Caller, operation: str, params: Mapping[str, str], nothing: Any) -> Any:
    try:
        return client.call(operation, params).get("data") or nothing
    except FlinkformError:
        return nothing  # the job's own failure is what matters


def _shortened(text: Any) -> str:
    return "\n".join(line[:_WIDTH] for line in str(text).strip().splitlines()[:LINES])
