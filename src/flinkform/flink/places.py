"""Where the tables of scripts are outside of Flink: a topic, a folder, a table of a database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from flinkform.flink.sql import Statement, pairs
from flinkform.flink.values import Table

# Options by which connectors say where a table is, from the whole to the part: the last one present names it.
WHERE = (
    *("properties.bootstrap.servers", "service-url", "hosts", "hostname", "port", "endpoint", "uri", "url"),
    *("bucket", "project", "instancename", "keyspace", "database-name", "database", "schema-name"),
    *("path", "queue", "stream", "stream.arn", "logstore", "index", "collection", "table-name", "table", "topic"),
)
_CHANGES = "-cdc"
"""Connectors that end so read the log of a database: whoever writes that is no job."""
_UPSERT = "upsert-"
_SCAN = re.compile(r"LogicalTableScan\(table=\[\[([^\]]*)\]")
_SINK = re.compile(r"LogicalSink\(table=\[([^\]]*)\]")

Place = tuple[str, ...]
"""A connector and what its options say of where: the same place is the same data. The last one is its name."""


def places(table: Table) -> Iterator[Place]:
    """Yield where a table is, for each topic of several; nothing for one that is nowhere, as of datagen."""
    connector = table.options.get("connector", "")
    found = [table.options[name].rstrip("/") for name in WHERE if table.options.get(name)]
    if found and connector and not connector.endswith(_CHANGES):
        for name in found[-1].split(";"):
            yield (connector.removeprefix(_UPSERT), *found[:-1], name)


def mentioned(script: str) -> Iterator[str]:
    """Yield the names of places that a script speaks of: what it says nothing of it neither reads nor writes."""
    for name, value in pairs(script):
        if name in WHERE:
            yield from value.rstrip("/").split(";")


class Tables:
    """The tables of one script, gathered while Flink takes it in and plans it."""

    def __init__(self) -> None:
        self._made: dict[str, Table] = {}

    @property
    def found(self) -> tuple[Table, ...]:
        return tuple(self._made.values())

    def made(self, part: Statement, operation: Any) -> None:
        """Note the table that a statement makes."""
        name = str(operation.getTableIdentifier().asSummaryString())
        options: Mapping[Any, Any] = operation.getCatalogTable().getOptions()
        told = {str(key): str(options[key]) for key in options}
        self._made[name] = Table(name, part.line, part.column, told)

    def used(self, explained: str) -> None:
        """Note which tables the plan of an INSERT reads and writes."""
        for scan in _SCAN.findall(explained):
            name = ".".join(scan.split(", "))
            if name in self._made:
                self._made[name] = replace(self._made[name], reads=True)
        for name in _SINK.findall(explained):
            if name in self._made:
                self._made[name] = replace(self._made[name], writes=True)
