"""A compiled plan of a streaming job: the nodes that Flink will run, under ids that are ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from flinkform.errors import Invalid
from flinkform.flink.tables import bare, known, told, unsaid

Node = Mapping[str, Any]
Edge = Mapping[str, Any]
_OURS = "flinkform"
_NUMBER = re.compile(r"\d+")
_KEPT = ("high", "ttl", "functions", "means", "runs")


@dataclass(frozen=True)
class Plan:
    """Nodes and edges as Flink's COMPILE PLAN writes them.

    Flink names an operator's state by the id of its node, so whoever keeps the ids keeps the state. *high* is the
    greatest id ever used in this job, also by nodes that are gone. *ttl* says whether `table.exec.state.ttl` was set,
    which some operators obey without their node saying so. *functions* differs when the script defines its own
    functions in another way, of which nodes know the names alone; *means* when an option gives expressions another
    meaning, *runs* when one makes operators keep their state in another way. Each is empty where nothing is said.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    version: str
    high: int
    ttl: bool = False
    functions: str = ""
    means: str = ""
    runs: str = ""

    @classmethod
    def compiled(cls, text: str, *, ttl: bool = False, **said: str) -> Plan:
        """Read what Flink compiled. Its ids count on for as long as a JVM lives; here they begin at 1.

        *said* is what nodes do not say: functions, means, runs.
        """
        raw = json.loads(text)
        nodes = sorted(raw["nodes"], key=_id)
        ids = {node["id"]: number for number, node in enumerate(nodes, 1)}
        plan = cls(tuple(nodes), tuple(raw["edges"]), raw["flinkVersion"], len(nodes), ttl, **said)
        return plan.renamed(ids, high=len(nodes))

    @classmethod
    def load(cls, text: str) -> Plan:
        """Read what `dump` wrote; Invalid for anything else."""
        try:
            raw = json.loads(text)
            ours = raw[_OURS]
            nodes, edges = tuple(raw["nodes"]), tuple(raw["edges"])
            return cls(nodes, edges, raw["flinkVersion"], **{key: ours[key] for key in _KEPT})
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid("expected a compiled plan that flinkform kept") from error

    def dump(self) -> str:
        """The form to keep: what Flink reads, and what we must remember."""
        ours = {key: getattr(self, key) for key in _KEPT}
        return json.dumps({**self._raw(), _OURS: ours}, ensure_ascii=False)

    def flink(self) -> str:
        """The form that Flink loads."""
        return json.dumps(bare(self._raw()), ensure_ascii=False)

    def told(self, tables: Mapping[str, Any]) -> Plan:
        """The same plan, which also says what its temporary tables are."""
        return replace(self, nodes=tuple(told(list(self.nodes), tables))) if tables else self

    def recalled(self, after: Plan) -> Plan:
        """The same plan, kept when only the names of temporary tables were: each is taken for what *after* has."""
        tables = known(after.nodes)
        return self.told({name: tables[name] for name in self.unsaid & tables.keys()})

    def renamed(self, ids: Mapping[int, int], *, high: int) -> Plan:
        """The same plan under other ids."""
        nodes = sorted(({**node, "id": ids[node["id"]]} for node in self.nodes), key=_id)
        edges = [{**e, "source": ids[e["source"]], "target": ids[e["target"]]} for e in self.edges]
        return replace(self, nodes=tuple(nodes), edges=tuple(edges), high=high)

    @property
    def unsaid(self) -> set[str]:
        """The tables that only their name is known of."""
        return unsaid(self.nodes)

    @cached_property
    def inputs(self) -> Mapping[int, Sequence[int]]:
        """The ids each node reads from, port by port."""
        found: dict[int, list[int]] = {node["id"]: [] for node in self.nodes}
        for edge in self.edges:
            found[edge["target"]].append(edge["source"])
        return found

    @cached_property
    def outputs(self) -> Mapping[int, Sequence[int]]:
        """The ids that read from each node."""
        found: dict[int, list[int]] = {node["id"]: [] for node in self.nodes}
        for edge in self.edges:
            found[edge["source"]].append(edge["target"])
        return found

    @cached_property
    def order(self) -> tuple[Node, ...]:
        """The nodes, each behind those it reads from."""
        by_id = {node["id"]: node for node in self.nodes}
        placed: dict[int, Node] = {}

        def place(number: int) -> None:
            stack = [number]
            while stack:
                waiting = [n for n in self.inputs[stack[-1]] if n not in placed]
                if waiting:
                    stack.extend(waiting)
                else:
                    placed.setdefault(last := stack.pop(), by_id[last])

        for number in sorted(by_id):
            place(number)
        return tuple(placed.values())

    def _raw(self) -> dict[str, Any]:
        return {"flinkVersion": self.version, "nodes": list(self.nodes), "edges": list(self.edges)}


def turning(*plans: Plan) -> bool:
    """Whether Flink turns state that expires into such that does not, and back, when it restores it.

    That was seen of 2.3, of all kinds of operators and both usual state backends; older ones refuse it.
    """
    return all([int(part) for part in _NUMBER.findall(plan.version)[:2]] >= [2, 3] for plan in plans)


def _id(node: Node) -> int:
    return int(node["id"])
