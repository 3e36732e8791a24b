"""Asks Flink for the compiled plan of a script."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from flinkform.errors import Invalid, Position, Unplanned
from flinkform.flink.environment import Reading, read
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.plan import Plan
from flinkform.flink.problems import problem
from flinkform.flink.sql import Lines, statements, without_mark
from flinkform.flink.tables import unsaid
from flinkform.flink.values import Problem

# Options that no node repeats. The first give the same expression another meaning, the others the same operator
# another way to keep what it keeps.
_MEANING = ("table.local-time-zone", "table.exec.legacy-cast-behaviour")
_RUNNING = ("table.exec.emit.", "table.exec.async-state.", "table.exec.unbounded-over.")
_HINTED = "write the options into the table, or make it one that is not TEMPORARY"
_HINT = "hints=[[[OPTIONS"
"""How a node says that the options of its table are not all its own."""
_PART = re.compile(r"`((?:[^`]|``)+)`")
_FUNCTION = re.compile(r"(CREATE|ALTER|DROP|USE|LOAD)\b.*\b(FUNCTION|MODULES?)\b", re.IGNORECASE | re.DOTALL)


def compiled(gateway: Gateway, script: str, *, name: str, batch: bool, options: Mapping[str, str]) -> Plan | None:
    """The plan of all INSERTs of a script, with ids from 1; None for a batch job, which keeps no state.

    The same script and options give the same plan, byte for byte. Invalid: the first problem, with its place in
    *name*. Unplanned: each INSERT is right, but there is no plan of them. TimedOut or Unavailable: the JVM did not
    answer.
    """
    reading = read(gateway, script, batch_default=batch, options=options, dry=True, explain=False)
    if reading.problems:
        raise _invalid(name, min(reading.problems, key=lambda found: (found.line, found.column)))
    if reading.batch:
        return None
    try:
        with gateway.answering():
            plan = _plan(gateway, reading, _functions(script))
            return plan if _whole(plan) else _hinted(gateway, script, batch=batch, options=options)
    except Thrown as error:
        # Planned one by one, the statement that Flink refuses is found.
        each = read(gateway, script, batch_default=batch, options=options, dry=True).problems
        if each:
            raise _invalid(name, each[0]) from error
        part, _ = reading.inserts[0]
        whole = problem(gateway.trace(error), part, Lines(without_mark(script)))
        raise Unplanned(whole.message, position=_position(name, whole)) from error


def _plan(gateway: Gateway, reading: Reading, functions: str) -> Plan:
    joined = gateway.jvm.java.util.ArrayList()
    for _, operations in reading.inserts:
        joined.addAll(operations)
    text = str(reading.environment.compilePlan(joined).asJsonString())
    options = gateway.flink.table.api.config.ExecutionConfigOptions
    kept = reading.environment.getConfig().get(options.IDLE_STATE_RETENTION)
    said = dict(reading.environment.getConfig().getConfiguration().toMap())
    means, runs = (_said(said, beginnings) for beginnings in (_MEANING, _RUNNING))
    plan = Plan.compiled(text, ttl=int(kept.toMillis()) > 0, functions=functions, means=means, runs=runs)
    if not _whole(plan):
        return plan
    return plan.told({name: _table(gateway, reading, name) for name in sorted(plan.unsaid)})


def _whole(plan: Plan) -> bool:
    """Whether a plan says all. Of a temporary table Flink writes the name alone, and so loses what a hint adds."""
    return not any(unsaid(node) and _HINT in node.get("description", "") for node in plan.nodes)


def _hinted(gateway: Gateway, script: str, *, batch: bool, options: Mapping[str, str]) -> Plan:
    """The plan of a script whose temporary tables are taken for others, of which Flink writes everything.

    A job that has a temporary table of that name, and the same columns, runs it with the options in the plan.
    Unplanned: one is in the place of a table that is there, or in a catalog that outlives the job.
    """
    reading = read(gateway, script, batch_default=batch, options=options, dry=True, explain=False, lasting=True)
    if not reading.problems:
        plan = _plan(gateway, reading, _functions(script))
        if _whole(plan):
            return plan
    raise Unplanned("its plan would not hold the OPTIONS hint of a temporary table", advice=_HINTED)


def _table(gateway: Gateway, reading: Reading, name: str) -> dict[str, Any]:
    """What a temporary table is, in the form in which Flink's plans say it of the others."""
    parts = [part.replace("``", "`") for part in _PART.findall(name)]
    identifier = gateway.flink.table.catalog.ObjectIdentifier.of(*parts)
    table = reading.environment.getCatalogManager().getTableOrError(identifier).getResolvedTable()
    schema = table.getResolvedSchema()
    said: dict[str, Any] = {"columns": [_column(one) for one in schema.getColumns()]}
    if schema.getPrimaryKey().isPresent():
        key = schema.getPrimaryKey().get()
        said["primaryKey"] = {"name": key.getName(), "type": "PRIMARY_KEY", "columns": list(key.getColumns())}
    return {"schema": said, "options": dict(sorted(table.getOptions().items()))}


def _column(column: Any) -> dict[str, Any]:
    said = {"name": column.getName(), "dataType": column.getDataType().getLogicalType().asSerializableString()}
    if column.isPhysical():
        return said
    if column.getClass().getSimpleName() != "MetadataColumn":
        return {**said, "kind": "COMPUTED"}
    key = column.getMetadataKey()
    named = {"metadataKey": key.get()} if key.isPresent() else {}
    return {**said, "kind": "METADATA", **named, "isVirtual": column.isVirtual()}


def _said(options: Mapping[str, str], beginnings: tuple[str, ...]) -> str:
    """Which of some options are set, and to what."""
    return "; ".join(f"{key}={value}" for key, value in sorted(options.items()) if key.startswith(beginnings))


def _functions(script: str) -> str:
    """A digest of the statements that define functions; the plan knows the functions' names alone."""
    made = [" ".join(part.code.split()) for part in statements(script) if _FUNCTION.match(part.code)]
    return hashlib.sha256("\n".join(made).encode()).hexdigest()[:24] if made else ""


def _invalid(name: str, found: Problem) -> Invalid:
    return Invalid(found.message, position=_position(name, found))


def _position(name: str, found: Problem) -> Position:
    return Position(name, found.line, found.column)
