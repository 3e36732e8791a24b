"""Reads a script into a fresh table environment: objects made, INSERTs collected, nothing run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flinkform.errors import Position, TimedOut, Unavailable
from flinkform.flink.blame import Blame
from flinkform.flink.diagnosis import Failure, causes, diagnose, said
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.places import Tables
from flinkform.flink.sql import Lines, Statement, batch, inner, padded, statements, without_mark
from flinkform.flink.values import Problem

# Statements are recognised by what Flink parsed them to. These touch the environment alone, which ends with us.
_LOCAL = frozenset(
    {
        *("CreateTableOperation", "CreateViewOperation", "CreateModelOperation", "CreateDatabaseOperation"),
        *("CreateCatalogOperation", "CreateCatalogFunctionOperation", "CreateTempSystemFunctionOperation"),
        *("UseCatalogOperation", "UseDatabaseOperation", "UseModulesOperation"),
        *("LoadModuleOperation", "UnloadModuleOperation"),
        *("AlterTableChangeOperation", "AlterTableRenameOperation", "AlterViewAsOperation", "AlterViewRenameOperation"),
        *("DropTableOperation", "DropViewOperation", "DropDatabaseOperation", "DropModelOperation"),
        *("DropCatalogFunctionOperation", "DropTempSystemFunctionOperation"),
    }
)
_FUNCTIONS = frozenset({"CreateCatalogFunctionOperation", "CreateTempSystemFunctionOperation"})
_IGNORED = frozenset({"BeginStatementSetOperation", "EndStatementSetOperation"})
_MODE = "execution.runtime-mode"
_NAMED = re.compile(r"for key '([^']+)'")
_REFUSED = {
    "CreateTableASOperation": "it would start a job of its own; write CREATE TABLE and INSERT INTO",
    "ReplaceTableAsOperation": "it would start a job of its own; write CREATE TABLE and INSERT INTO",
    "CompileAndExecutePlanOperation": "it would start a job of its own; write INSERT INTO",
    "ExecutePlanOperation": "it would start a job of its own; write INSERT INTO",
    "AddJarOperation": "jars are installed for every job, not added by one",
}


@dataclass(slots=True)
class Reading:
    """A script as Flink took it."""

    environment: Any
    batch: bool
    inserts: list[tuple[Statement, Any]] = field(default_factory=list)
    """Each statement that writes, with the list of Flink's operations for it."""
    problems: list[Problem] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    """Those that the script makes, where it is only looked at."""


def read(
    gateway: Gateway,
    script: str,
    *,
    batch_default: bool,
    options: Mapping[str, str],
    dry: bool,
    explain: bool = True,
    lasting: bool = False,
) -> Reading:
    """Take a script in, one statement after the other, going on after problems.

    With *dry* tables in catalogs that outlive us are made as temporary ones, and with *explain* the INSERTs planned.
    With *lasting* temporary tables are made as others are, where the catalog ends with us.
    TimedOut or Unavailable, at the statement it came to: the JVM did not answer.
    """
    parts = statements(script)
    mode = batch(parts, default=batch_default)
    with gateway.answering():
        try:
            environment = _environment(gateway, options, mode=mode)
            for jar in gateway.late(script):
                environment.executeSql("ADD JAR '{}'".format(str(jar).replace("'", "''")))
        except Thrown as error:
            return Reading(None, mode, problems=[_refused(gateway, mode, error)])
        reader = _Reader(gateway, script, parts, Reading(environment, mode), dry=dry, lasting=lasting)
    for part in parts:
        with _placing(part), gateway.answering():
            reader.take(part)
    return reader.finish(explain=dry and explain)


def check(gateway: Gateway) -> None:
    """Unavailable, with the reason, if Flink's planner cannot work at all: its first failure alone tells it.

    Who asks later, or at the same time, hears only that a class could not be set up.
    """
    with gateway.answering():
        try:
            _environment(gateway, {}, mode=False)
        except Thrown as error:
            raise _broken(gateway.trace(error)) from error


def _environment(gateway: Gateway, options: Mapping[str, str], *, mode: bool) -> Any:
    configuration = gateway.configuration({**options, _MODE: "batch" if mode else "streaming"})
    api = gateway.flink.table.api
    settings = api.EnvironmentSettings.newInstance().withConfiguration(configuration).build()
    return api.TableEnvironment.create(settings)


@contextmanager
def _placing(part: Statement) -> Iterator[None]:
    """Around a statement: silence is told with its place."""
    try:
        yield
    except (TimedOut, Unavailable) as error:
        error.position = Position("script", part.line, part.column)
        raise


def _refused(gateway: Gateway, mode: bool, error: Thrown) -> Problem:
    """Return what is wrong with the options Flink made no environment of; Unavailable if it makes none of none."""
    trace = gateway.trace(error)
    try:
        _environment(gateway, {}, mode=mode)
    except Thrown:
        raise _broken(trace) from error
    reason = said(causes(trace)[0])
    named = _NAMED.search(reason)
    return Problem(1, 1, 1, 1, f"Flink options: {reason}", option=named[1] if named else "")


def _broken(trace: str) -> Unavailable:
    told = diagnose(Failure(trace, None))
    return Unavailable(f"Flink's planner cannot work: {told.reason}", advice=told.advice)


class _Reader:
    def __init__(
        self, gateway: Gateway, script: str, parts: list[Statement], reading: Reading, *, dry: bool, lasting: bool
    ) -> None:
        self._gateway = gateway
        self._lines = Lines(without_mark(script))
        self._script = script
        self._reading = reading
        self._blame = Blame(gateway, reading.environment, parts, self._lines)
        self._dry = dry
        self._lasting = lasting
        self._foreign = False

    def take(self, part: Statement) -> None:
        try:
            operation = self._parse(part)
            self._obey(part, operation, str(operation.getClass().getSimpleName()))
        except Thrown as error:
            if not self._inside(part, self.take) and self._blame.thrown(part, error):
                self.take(part)

    def _inside(self, part: Statement, look: Callable[[Statement], None]) -> bool:
        """Whether a mistake is found in the statements of a set, looked at one by one."""
        before = len(self._blame.found)
        for each in inner(part, self._lines):
            look(each)
        return len(self._blame.found) > before

    def _parse(self, part: Statement) -> Any:
        return self._reading.environment.getParser().parse(padded(part, self._lines)).get(0)

    def finish(self, *, explain: bool) -> Reading:
        """With *explain* the writing statements are planned too: only the optimiser finds some mistakes."""
        found = self._blame.found
        if not self._reading.inserts and not found:
            found.append(Problem(1, 1, 1, 1, "expected an INSERT INTO, the script writes nothing"))
        if explain:
            for part, operations in self._reading.inserts:
                with _placing(part):
                    self._explain(part, operations)
            if found and not self._gateway.late(self._script):
                self._blame.unused()
        self._reading.problems = found
        return self._reading

    def _obey(self, part: Statement, operation: Any, kind: str) -> None:
        if kind == "SinkModifyOperation":
            self._reading.inserts.append((part, self._list(operation)))
        elif kind == "StatementSetOperation":
            self._reading.inserts.append((part, operation.getOperations()))
        elif kind == "SetOperation":
            self._set(part, operation)
        elif reason := self._refusal(operation, kind):
            self._blame.refuse(part, reason)
        elif kind not in _IGNORED:
            self._make(part, operation, kind)

    def _refusal(self, operation: Any, kind: str) -> str:
        if kind.endswith("QueryOperation"):
            return "its rows would go nowhere; expected INSERT INTO"
        if kind not in _LOCAL and kind not in _IGNORED:
            return _REFUSED.get(kind, "expected CREATE, USE, SET or INSERT INTO")
        if kind in _FUNCTIONS:
            return _function_refusal(operation)
        if self._foreign and kind.startswith(("Drop", "Alter", "CreateDatabase")):
            return "it would change a catalog that outlives the job"
        return ""

    def _make(self, part: Statement, operation: Any, kind: str) -> None:
        if kind == "CreateCatalogOperation":
            self._foreign = self._foreign or operation.getProperties().get("type") != "generic_in_memory"
        if kind == "CreateTableOperation":
            self._blame.made(part, operation)
            if self._dry:
                self._reading.tables.made(part, operation)
        if self._dry and self._foreign and kind in ("CreateTableOperation", "CreateViewOperation"):
            operation = self._again_as(operation, kind, temporary=True)
        elif self._lasting and not self._foreign and kind == "CreateTableOperation":
            operation = self._again_as(operation, kind, temporary=False)
        self._reading.environment.executeInternal(operation)

    def _again_as(self, operation: Any, kind: str, *, temporary: bool) -> Any:
        """The same operation of a table or a view that is temporary, or is not."""
        ddl = self._gateway.flink.table.operations.ddl
        if kind == "CreateTableOperation":
            table, again = operation.getCatalogTable(), operation.isIgnoreIfExists()
            return ddl.CreateTableOperation(operation.getTableIdentifier(), table, again, temporary)
        view, again = operation.getCatalogView(), operation.isCreateIfNotExists()
        return ddl.CreateViewOperation(operation.getViewIdentifier(), view, again, temporary)

    def _set(self, part: Statement, operation: Any) -> None:
        """A SET anywhere holds for the whole job, which is submitted last; only the mode must come first."""
        key, value = operation.getKey(), operation.getValue()
        if not key.isPresent() or not value.isPresent():
            self._blame.refuse(part, "expected SET 'key' = 'value'")
        elif key.get() != _MODE:
            self._reading.environment.getConfig().set(key.get(), value.get())
        elif (value.get().upper() == "BATCH") != self._reading.batch:
            self._blame.refuse(part, f"{_MODE} must be set before the first other statement")

    def _explain(self, part: Statement, operations: Any) -> None:
        api = self._gateway.flink.table.api
        try:
            with self._gateway.answering():
                none = self._gateway.array(api.ExplainDetail)
                told = self._reading.environment.explainInternal(operations, api.ExplainFormat.TEXT, none)
                self._reading.tables.used(str(told))
        except Thrown as error:
            if not self._inside(part, self._again) and self._blame.thrown(part, error):
                self._again(part)

    def _again(self, part: Statement) -> None:
        """Plan a statement alone, anew from its text: what was parsed holds on to the tables of then."""
        try:
            with self._gateway.answering():
                operation = self._parse(part)
        except Thrown as error:
            self._blame.thrown(part, error)
        else:
            self._explain(part, self._list(operation))

    def _list(self, operation: Any) -> Any:
        made = self._gateway.jvm.java.util.ArrayList()
        made.add(operation)
        return made


def _function_refusal(operation: Any) -> str:
    """A function must be a class that is there: a jar would be fetched and Python started only to read the script."""
    function = operation.getCatalogFunction()
    if str(function.getFunctionLanguage()) == "PYTHON":
        return "functions in Python are not supported"
    if not function.getFunctionResources().isEmpty():
        return "jars are installed for every job, not fetched by one"
    return ""
