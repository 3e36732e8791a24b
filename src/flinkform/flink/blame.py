"""Finds everything that is wrong with a script, not only the first: goes on behind each statement Flink refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flinkform.flink import problems
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.sql import Lines, Statement
from flinkform.flink.values import Problem

_NEVER = frozenset({"CALL", "DELETE", "UPDATE"})
"""Words that begin no statement of a job."""


class Blame:
    """What is wrong so far, and the tables that were replaced so that more can be found.

    A table that cannot be read or written would hide what else is wrong with a statement. So a stand-in of the same
    columns takes its place; what is then said about anything but another table or a place in the text is the
    stand-in's fault, and kept quiet.
    """

    def __init__(self, gateway: Gateway, environment: Any, parts: Sequence[Statement], lines: Lines) -> None:
        self.found: list[Problem] = []
        self._gateway = gateway
        self._environment = environment
        self._parts = parts
        self._lines = lines
        self._made: dict[str, tuple[Statement, Any]] = {}
        self._replaced: set[str] = set()
        self._broken: list[Statement] = []

    def made(self, part: Statement, operation: Any) -> None:
        """Remember the statement that makes a table: what is wrong with its options is wrong there."""
        self._made[str(operation.getTableIdentifier().asSummaryString())] = part, operation

    def refuse(self, part: Statement, reason: str) -> None:
        what = " ".join(part.code.split()[:3])
        self.found.append(problems.whole(part, f"{what}: not in a job's script: {reason}"))

    def thrown(self, part: Statement, error: Thrown) -> bool:
        """Take a refusal in; True if the same statement may be asked about again, for what else is wrong with it.

        A missing object is not told when it may be missing only because its own statement failed.
        """
        trace = self._gateway.trace(error)
        if part.code.split()[0].upper() in _NEVER:
            # Flink looks at their tables and catalogs first, and would complain of those.
            self.refuse(part, "expected CREATE, USE, SET or INSERT INTO")
            return False
        if problems.missing(trace, self._broken):
            return False
        table = problems.table(trace)
        if self._replaced and not problems.placed(trace) and (not table or table in self._replaced):
            return False
        if part.code[:6].upper() != "INSERT":
            self._broken.append(part)
        told = problems.problems(trace, *self._blamed(part, table), self._lines)
        self.found += [one for one in told if one not in self.found]
        return bool(table) and self._replace(str(table), trace)

    def unused(self) -> None:
        """Look at the tables that no statement got as far as using; only worth it where something is wrong."""
        for table, (part, _) in self._made.items():
            if table in self._replaced:
                continue
            for reads in (True, False):
                try:
                    with self._gateway.answering():
                        self._create(table, reads=reads)
                except Thrown as error:
                    if "can only be used as a sink" in (trace := self._gateway.trace(error)):
                        continue
                    told = problems.problems(trace, part, [], self._lines)
                    self.found += [one for one in told if one not in self.found]
                break

    def _create(self, table: str, *, reads: bool) -> None:
        """Have the connector of a table made, as a statement that uses it would."""
        factory = self._gateway.flink.table.factories.FactoryUtil
        create = factory.createDynamicTableSource if reads else factory.createDynamicTableSink
        identifier = self._made[table][1].getTableIdentifier()
        kept = self._environment.getCatalogManager().getTable(identifier)
        if kept.isPresent():
            loader = self._gateway.jvm.Thread.currentThread().getContextClassLoader()
            configuration = self._environment.getConfig()
            create(None, identifier, kept.get().getResolvedTable(), {}, configuration, loader, True)

    def _blamed(self, part: Statement, table: str | None) -> tuple[Statement, Sequence[Statement]]:
        """The statement to blame, and those to look for an option in: hints of a statement are its own."""
        if table in self._made:
            origin, _ = self._made[table]
            return (part, [origin]) if "OPTIONS" in part.code.upper() else (origin, [])
        return part, self._parts

    def _replace(self, table: str, trace: str) -> bool:
        if table not in self._made or table in self._replaced:
            return False
        self._replaced.add(table)
        _, operation = self._made[table]
        connector = "blackhole" if problems.writing(trace) else "datagen"
        columns = operation.getCatalogTable().copy({"connector": connector})
        identifier = operation.getTableIdentifier()
        create = self._gateway.flink.table.operations.ddl.CreateTableOperation
        try:
            with self._gateway.answering():
                self._environment.getCatalogManager().dropTemporaryTable(identifier, True)
                self._environment.executeInternal(create(identifier, columns, True, True))
        except Thrown:
            return False
        return True
