"""Why a job is not running: its failure, the diagnosis, and the end of its start log, in one error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Any

from flinkform.errors import FlinkformError, JobFailed, Unfit
from flinkform.provider import observe
from flinkform.provider.lists import Caller, Document

LINES = 25
"""Lines of the start log that are shown."""
FEW = 6
"""Those that are shown where the diagnosis says what to do."""
_WIDTH = 400
"""Characters of a line that are shown."""
_FRAME = re.compile(r"\s+at [\w.$/<>]+\(|\s*\.\.\. \d+ more$")
"""A line of Java's stack traces that says nothing to whoever does not write Flink."""
_UNFIT = re.compile(
    r"Cannot map (?:checkpoint/)?savepoint state for operator|There is no operator for the state"
    r"|StateMigrationException|state serializer must not be incompatible|The maximum parallelism .* changed"
    r"|Unexpected state handle type|the saved state (?:holds|does not fit|is for)|its new script would drop state"
)
"""How the API says that Flink would not take over a state; the public one passes Flink's own words on."""


def explain(client: Caller, place: Mapping[str, str], job: Document, name: str) -> JobFailed:
    """Return the error about *job* of the deployment at *place*; what cannot be asked is left out."""
    status = "restarting again and again" if observe.restarting(job) else observe.status(job)
    said = [f"job {job.get('jobId')} of {name} is {status}, expected RUNNING"]
    reason = (job.get("status") or {}).get("failure") or {}
    _tell(said, "", (reason.get("reason"), reason.get("message")))
    symptoms = list(_symptoms(client, place, job))
    for symptom in symptoms:
        _tell(said, "diagnosis: ", (symptom.get(word) for word in ("name", "description", "recommendation")))
    advised = any(symptom.get("recommendation") for symptom in symptoms)
    log = str(_asked(client, "GetLatestJobStartLog", place, "")).strip().splitlines()
    # Whoever was told what to do has no use for a stack trace of Java's.
    plain = [line for line in log if not (advised and _FRAME.match(line))]
    if lines := [line for line in plain[-(FEW if advised else LINES) :] if not _known(said, line)]:
        said.append("\n".join(("\nthe end of the start log:", *(f"  {line[:_WIDTH]}" for line in lines))))
    if len(plain) < len(log):
        said.append(f"\nthe job's log has all of Flink's words: `flinkform logs {place.get('namespace')}/{name}`")
    if unfit := next((str(word) for word in reason.values() if _UNFIT.search(str(word))), ""):
        told = str(reason.get("reason") or unfit)
        return Unfit("\n".join(said), reason=_shortened(told if _UNFIT.search(told) else unfit), at=("state",))
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
    lines = (line[:_WIDTH] for line in str(text).strip().splitlines() if not _FRAME.match(line))
    return "\n".join(islice(lines, LINES))
