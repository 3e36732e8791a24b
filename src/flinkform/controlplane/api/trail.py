"""What the audit log is told of a request: who, what, where, and which fields changed; of values only harmless ones."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api.rights import Identity
from flinkform.controlplane.store import audit, nonces
from flinkform.openapi import signature
from flinkform.openapi.models import model
from flinkform.openapi.operation import Operation
from flinkform.resources.job import OURS

HIDDEN = "(hidden)"
"""Stands for a value that may be secret: all that is not known to be none."""

_SHOWN = frozenset(
    """
    ChargeType Cpu Duration Ha InstanceId InstanceName MemoryGB Namespace PricingCycle Region ResourceId ResourceType
    allowNonRestoredState cpu deploymentId deploymentTargetName enabled engineVersion executionMode folderId id jobId
    jobParallelism kind labelKey loggerLevel loggerName member memory mode name nativeFormat parallelism parentId
    resourceQueueName role savepointId sessionClusterName state stopStrategy
    """.split()  # noqa: SIM905  one a line would be a page
)
"""Fields of the API's models whose values are shown."""
_TOLD = frozenset(f"labels.{OURS}{name}" for name in ("commit", "path", "blob", "release"))
"""Labels of ours that tell where a definition comes from: with them the log proves what was released."""
_DEEPEST = 12
"""Steps into a document that are looked at; the API's models have half as many."""
_MOST = 100
_LONGEST = 200


@dataclass(slots=True, kw_only=True)
class Trail:
    """What one request leaves behind, written once, in the first transaction that it ends well."""

    identity: Identity
    operation: str
    request_id: str
    now: int
    where: Mapping[str, Any] = field(default_factory=dict)
    """Workspace, namespace, and whatever else the path names."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = "done"
    nonce: tuple[str, str] | None = None
    """Key and nonce of its signature: they are used up where it changes something, and with that change."""

    written: bool = False

    def spend(self, db: Connection) -> None:
        """Use its nonce up, before anything is changed. Refused: another request did."""
        if self.nonce is not None and not self.written:
            key_id, nonce = self.nonce
            used = not nonces.fresh(db, key_id, nonce, now=self.now)
            signature.check_nonce(lambda _key_id, _nonce: used, key_id, nonce)

    def write(self, db: Connection) -> None:
        """Write the row, unless it stands there already."""
        if self.written:
            return
        self.written = True
        when = datetime.fromtimestamp(self.now / 1000, UTC).isoformat(timespec="milliseconds")
        entry = {
            "at": when.replace("+00:00", "Z"),
            "principal": self.identity.principal,
            "through": self.identity.through,
            "operation": self.operation,
            "request_id": self.request_id,
            "outcome": self.outcome,
            "where": self.where,
            "changes": self.changes,
        }
        audit.append(db, entry)


def local(operation: str, where: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Trail:
    """Return the trail of what a user of this machine does with the database itself."""
    return Trail(
        identity=Identity(f"uid:{os.getuid()}"),
        operation=operation,
        request_id=str(uuid.uuid4()),
        now=time.time_ns() // 1_000_000,
        where=where,
        changes=changes or {},
    )


def begun(
    identity: Identity,
    operation: Operation,
    params: Mapping[str, Any],
    body: Any,
    *,
    request_id: str,
    now: int,
    nonce: tuple[str, str] | None = None,
) -> Trail:
    """Return the trail of a request that is about to be carried out; its changes are what it sends."""
    names = {"workspace", "InstanceId", "Namespace", *operation.path_params}
    given = {one.name: params[one.name] for one in (*operation.query, *operation.form) if one.name in params}
    types = {one.name: one.type for one in (*operation.query, *operation.form)}
    sent = dict(_leaves(given, types, operation.product))
    if isinstance(body, Mapping):
        sent |= _leaves(body, _types(operation.product, operation.body), operation.product)
    return Trail(
        identity=identity,
        operation=operation.name,
        request_id=request_id,
        now=now,
        where={name: str(params[name])[:_LONGEST] for name in sorted(names) if name in params},
        changes=_bounded({path: value for path, (value, _) in sent.items() if path not in names}),
        nonce=nonce,
    )


def difference(old: Mapping[str, Any], new: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    """Return the fields in which two documents of an operation's model differ, each with its old and new value."""
    types = _types(operation.product, operation.body)
    before, after = (dict(_leaves(one, types, operation.product)) for one in (old, new))
    missing = (None, None)
    return _bounded(
        {
            path: [before.get(path, missing)[0], after.get(path, missing)[0]]
            for path in sorted({*before, *after})
            if before.get(path, missing)[1] != after.get(path, missing)[1]
        }
    )


def _leaves(
    value: Mapping[str, Any], types: Mapping[str, str], product: str, at: str = ""
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield each field's path with what may be shown of its value, and the value itself."""
    for name, item in value.items():
        path = f"{at}.{name}" if at else str(name)
        kind = types.get(name, "")
        if at.count(".") >= _DEEPEST:
            yield path, (HIDDEN, item)
        elif isinstance(item, Mapping):
            yield from _leaves(item, _types(product, kind), product, path)
        elif isinstance(item, list) and item and isinstance(item[0], Mapping):
            inner = _types(product, kind.removeprefix("List[").removesuffix("]"))
            for index, one in enumerate(item):
                yield from _leaves(one if isinstance(one, Mapping) else {"": one}, inner, product, f"{path}[{index}]")
        else:
            # A field that no model has stands in a map that a user fills as they like.
            yield path, (_shown(item) if path in _TOLD or (name in types and name in _SHOWN) else HIDDEN, item)


def _types(product: str, kind: str) -> dict[str, str]:
    return {name: one.type for name, one in (model(product, kind) or {}).items()} if kind else {}


def _shown(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)[:_LONGEST]


def _bounded(changes: Mapping[str, Any]) -> dict[str, Any]:
    kept = {path[:_LONGEST]: changes[path] for path in list(changes)[:_MOST]}
    return kept | ({"…": f"{len(changes) - _MOST} more"} if len(changes) > _MOST else {})
