"""Where a run sits: in the JVM that most share, in one of its own, or in a cluster somewhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.targets import QUEUE
from flinkform.controlplane.units import RUNTIME
from flinkform.errors import Invalid
from flinkform.flink import fleet
from flinkform.flink.catalogue import DEFAULT
from flinkform.flink.fleet import HEAP, ISOLATION, SHARED, Seat
from flinkform.openapi import engine


def seat(run: Run) -> Seat:
    """The seat of a run; one whose options cannot be read gets none of its own, and `submission` refuses it."""
    try:
        return asked(run)
    except Invalid:
        return SHARED


def target(run: Run) -> str:
    """The cluster that a run's deployment target stands for; empty for the Flink beside us."""
    return _target(run.definition)


def shares(definition: Mapping[str, Any]) -> None:
    """Invalid: a definition asks for a JVM of its own where a session cluster decides which job runs where."""
    conf, name = definition.get("flinkConf") or {}, _target(definition)
    if _cluster(definition):
        name = str(definition["deploymentTarget"]["name"])
    own = [option for option in (ISOLATION, HEAP) if conf.get(option, "shared") != "shared"]
    if name and own:
        advice = f"take it out, or run the job in {QUEUE}"
        raise Invalid(
            f"the session cluster {name} gives no job a JVM of its own", at=("flinkConf", own[0]), advice=advice
        )


def _cluster(definition: Mapping[str, Any]) -> str:
    """The id of the session cluster beside us that a definition was sent to; empty for none."""
    name = str(definition.get("runtime") or "")
    return name.removeprefix(RUNTIME) if name.startswith(RUNTIME) else ""


def _target(definition: Mapping[str, Any]) -> str:
    if _cluster(definition):
        return ""  # it keeps states where all beside us do
    name = definition.get("runtime") or (definition.get("deploymentTarget") or {}).get("name") or QUEUE
    return "" if name == QUEUE else str(name)


def asked(run: Run) -> Seat:
    """The seat that a run's options ask for, or that it was sent to. Invalid: they make no sense."""
    if cluster := _cluster(run.definition):
        return Seat(cluster=cluster)
    if name := target(run):
        if line := _engine(run):
            raise Invalid(f"jobs for the session cluster {name} are planned by Flink {DEFAULT}, got {line}")
        return Seat(target=name)
    wanted, sent = options(run.definition), run.troubles.get("alone")
    # What a former run did is forgiven where somebody says so; what this one did is not.
    if sent and (ISOLATION not in wanted or sent["run"] == run.id):
        wanted[ISOLATION] = "own"
    return fleet.seat(wanted, alone=run.deployment_id)._replace(engine=_engine(run))


def _engine(run: Run) -> str:
    """The line of Flink that a run asks for; empty for the usual one."""
    line = engine.line(str(run.definition.get("engineVersion") or ""))
    return "" if line == DEFAULT else line


def options(definition: Mapping[str, Any]) -> dict[str, str]:
    """The Flink options of a definition as Flink writes them: the API lets numbers and booleans through."""
    return {name: _text(value) for name, value in (definition.get("flinkConf") or {}).items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
