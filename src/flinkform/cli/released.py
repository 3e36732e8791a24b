"""What a home's database has of the jobs of each environment, held against the ledgers of the repository around."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.cli import project
from flinkform.controlplane.store import audit, deployments, states
from flinkform.controlplane.store.audit import Row
from flinkform.controlplane.store.deployments import Deployment
from flinkform.errors import FlinkformError
from flinkform.provider.provenance import blob
from flinkform.release import ledger, proof
from flinkform.release.git import Repository
from flinkform.release.proof import Running
from flinkform.resources.job import OURS, RESOURCE

_CHANGES = ("CreateDeployment", "UpdateDeployment")
_LABEL = f"labels.{OURS}release"


def proven(db: Connection) -> tuple[int, list[str]]:
    """Return how many releases were looked at, and what log, labels and Git do not say alike; none in no repository."""
    try:
        repository = Repository.around(project.checkout().root, os.environ)
        names = ledger.environments(repository)
    except FlinkformError:
        return 0, []
    if not names:
        return 0, []
    logged, count, found = _logged(audit.rows(db)), 0, list[str]()
    for name in names:
        count += len({one.about.get("release") for one in ledger.history(repository, name)})
        found += proof.faults(repository, name, _running(db, name, logged))
    return count, found


def _running(db: Connection, environment: str, logged: Mapping[str, str]) -> Iterator[Running]:
    """Yield the jobs that the states of an environment hold, as their deployments are."""
    for kept in states.every(db):
        if not kept.address.startswith(f"{environment}/"):
            continue
        state = json.loads(states.read(db, kept.address) or b"{}")
        rows = (row for row in state.get("resources", ()) if row.get("type") == RESOURCE.type_name)
        for one in (instance.get("attributes") or {} for row in rows for instance in row.get("instances", ())):
            if deployment := deployments.find(db, str(one.get("deployment_id"))):
                yield _told(deployment, logged)


def _told(deployment: Deployment, logged: Mapping[str, str]) -> Running:
    labels = deployment.document.get("labels") or {}
    ours = {key.removeprefix(OURS): value for key, value in labels.items() if key.startswith(OURS)}
    script = ((deployment.document.get("artifact") or {}).get("sqlArtifact") or {}).get("sqlScript")
    place = f"{deployment.workspace}/{deployment.namespace}/{deployment.name}"
    last = logged.get(deployment.id, logged.get(place))
    runs = blob(script.encode()) if isinstance(script, str) else ""
    return Running(f"{deployment.namespace}/{deployment.name}", ours, runs, None if last == "(hidden)" else last)


def _logged(rows: Iterable[Row]) -> dict[str, str]:
    """Return the release that the audit log has last of each deployment: by its id, or as it was created."""
    found: dict[str, str] = {}
    for row in rows:
        entry = row.entry
        changes, where = entry.get("changes") or {}, entry.get("where") or {}
        if entry.get("operation") not in _CHANGES or entry.get("outcome") != "done" or _LABEL not in changes:
            continue
        value: Any = changes[_LABEL]
        release = str((value[1] if isinstance(value, list) else value) or "")
        created = f"{where.get('workspace')}/{where.get('namespace')}/{changes.get('name')}"
        found[str(where.get("deploymentId") or created)] = release
    return found
