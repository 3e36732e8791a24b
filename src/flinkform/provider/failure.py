"""Why a job is not running: its failure, the diagnosis, and the end of its start log, in one error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    status = "restarting again and again" if observe.restarting(job) else observe.status(job)
    said = [f"job {job.get('jobId')} of {name} is {status}, expected RUNNING"]
    reason = (job.get("status") or {}).get("failure") or {}
    _tell(said, "", (reason.get("reason"), reason.get("message")))
    for symptom in _symptoms(client, place, job):
        _tell(said, "diagnosis: ", (symptom.get(word) for word in ("name", "description", "recommendation")))
    lines = str(_asked(client, "GetLatestJobStartLog", place, "")).strip().splitlines()[-LINES:]
    if not all(_known(said, line) for line in lines):
        said.append("\n".join(("\nthe end of the start log:", *(f"  {line[:_WIDTH]}" for line in lines))))
    return JobFailed("\n".join(said), at=("state",))


def _tell(said: list[str], head: str, words: Iterable[Any]) -> None:
    """Add what *words* say in one paragraph, without what was said already: several places tell the same reason."""
    fresh: list[str] = []
    for word in words:
        if word and not _known([*said, *fresh], str(word)):
            fresh.append(_shortened(word))
    if fresh:
        said.append(f"\n{head}{': '.join(fresh)}")


def _known(said: Iterable[str], text: str) -> bool:
    return any(text.strip() in told for told in said)


def _symptoms(client: Caller, place: Mapping[str, str], job: Document) -> Iterable[Mapping[str, Any]]:
    params = {**place, "jobId": str(job.get("jobId"))}
    symptoms = _asked(client, "GetJobDiagnosis", params, {}).get("symptoms") or {}
    return chain.from_iterable(s if isinstance(s, list) else [s] for s in symptoms.values() if s)


def _asked(client: Caller, operation: str, params: Mapping[str, str], nothing: Any) -> Any:
    try:
        return client.call(operation, params).get("data") or nothing
    except FlinkformError:
        return nothing  # the job's own failure is what matters


def _shortened(text: Any) -> str:
    return "\n".join(line[:_WIDTH] for line in str(text).strip().splitlines()[:LINES])
