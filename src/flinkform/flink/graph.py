"""The tasks of a job as Flink's REST shows them, and the tables they read and write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_COORDINATOR = re.compile(r"OperatorCoordinator for '(.+?)' \(operator")
_ATTEMPT = re.compile(r" \(\d+/\d+\).*$")
_SCAN = re.compile(r"TableSourceScan\(table=\[\[([^\[\]]*)")
_SINK = re.compile(
    r"(?:^|<br/>|[\s(]|-> |Sink: )`?([^\s:<>\[\]()`]+)`?\[\d+\](?:: Writer|: Committer|: Global Committer)"
)
_OLD_SINK = re.compile(r"Sink: `?([^\s:<>\[\]()`]+)`?\[\d+\]")


class Graph:
    """The vertices of one job."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        """*job* is the answer of `/jobs/ID`."""
        self._vertices = job.get("vertices") or ()
        self._nodes = {node["id"]: node for node in (job.get("plan") or {}).get("nodes") or ()}

    def culprit(self, trace: str) -> str | None:
        """The task that failed, where the exception does not name it; the others were cancelled with it."""
        if match := _COORDINATOR.search(trace):
            return match[1]
        failed = [vertex["name"] for vertex in self._vertices if vertex["status"] == "FAILED"]
        return str(failed[0]) if len(failed) == 1 else None

    def tables(self, task: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the tables that a task scans, and of those that its rows come to; empty if one is not known."""
        name = named(task)
        ids = [vertex["id"] for vertex in self._vertices if vertex["name"] == name]
        if len(ids) != 1:
            return (), ()
        text = str(self._nodes.get(ids[0], {}).get("description", ""))
        reads = [parts[2] for match in _SCAN.finditer(text) if len(parts := match[1].split(", ")) > 2]
        return tuple(dict.fromkeys(reads)), self._written(ids[0])

    def _written(self, start: str) -> tuple[str, ...]:
        below: dict[str, list[str]] = {}
        for node in self._nodes.values():
            for edge in node.get("inputs") or ():
                below.setdefault(edge["id"], []).append(node["id"])
        found: dict[str, None] = {}
        waiting, seen = [start], {start}
        while waiting:
            one = waiting.pop()
            text = str(self._nodes.get(one, {}).get("description", ""))
            sinks = [*_SINK.findall(text), *_OLD_SINK.findall(text)]
            if not sinks and not below.get(one):
                return ()  # rows end here, and nobody says where
            found.update(dict.fromkeys(sinks))
            fresh = [node for node in below.get(one, ()) if node not in seen]
            seen.update(fresh)
            waiting += fresh
        return tuple(found)


def named(task: str | None) -> str | None:
    """A task's name without its attempt and subtask: `Source: a[1] -> Calc[2] (1/1) - execution #0`."""
    return _ATTEMPT.sub("", task) if task else None
