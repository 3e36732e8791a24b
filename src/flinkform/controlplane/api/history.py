"""The history of a deployment: each run with what it ran, what it began from, what it left, and how it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request

from flinkform.controlplane.api import jobs
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.store import runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Invalid, NotFound
from flinkform.resources.job import OURS

COMMIT = OURS + "commit"
"""The label that says which commit a deployment was applied from."""
_LIMIT = 20
_MOST = 1000


class History:
    """The page about the runs of one deployment."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def answer(self, incoming: Request) -> dict[str, Any]:
        """Return the newest runs, `limit` of them. NotFound: the deployment never ran. Times are in milliseconds."""
        deployment_id = incoming.path_params["deployment"]
        limit = _whole(incoming.query_params.get("limit", str(_LIMIT)))
        with self._services.store.read() as db:
            found = runs.page(db, deployment_id, limit=limit)
            if not found.items:
                raise NotFound(f"deployment {deployment_id[:80]} does not exist or was never started")
            return {"total": found.total, "runs": _told(db, found.items)}


def _told(db: Connection, found: Sequence[Run]) -> list[dict[str, Any]]:
    places = savepoints.by_place(db, [run.began_from for run in found if run.began_from])
    left = savepoints.left(db, [run.id for run in found])
    return [_run(run, places.get(run.began_from or ""), left.get(run.id)) for run in found]


def _run(run: Run, origin: Savepoint | None, left: Savepoint | None) -> dict[str, Any]:
    script = str(((run.definition.get("artifact") or {}).get("sqlArtifact") or {}).get("sqlScript") or "")
    return {
        "number": run.seq,
        "job_id": run.id,
        "state": run.state,
        "creator": run.creator,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "revision": run.revision,
        "sql_sha256": hashlib.sha256(script.encode()).hexdigest(),
        "engine_version": run.definition.get("engineVersion"),
        "commit": (run.definition.get("labels") or {}).get(COMMIT),
        "asked": dict(run.restore),
        "began_from": {"place": run.began_from, "savepoint": origin.id if origin else None},
        "left": {"place": left.location, "savepoint": left.id, "origin": left.origin} if left else None,
        "failure": jobs.failure(run.failure) if run.failure else None,
    }


def _whole(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise Invalid(f"expected limit=RUNS from 1 to {_MOST}, got {text[:40]!r}")
    return int(text)
