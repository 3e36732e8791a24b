"""The one operation that is our own: what an update would do to the state of a running job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flinkform.controlplane.api import deployments
from flinkform.controlplane.api.call import Call, Handler, Params, Services
from flinkform.controlplane.reconcile.absent import Absent
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.foresight import foreseen
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Invalid
from flinkform.flink.fleet import Fleet
from flinkform.flink.runtime import Runtime
from flinkform.flink.verdict import Operator, Outcome, Verdict


def get(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Answer with the verdict on an update, which is checked as if it were made.

    Invalid: the update, or the script in it. A control plane without Flink answers that nobody knows.
    """
    with call.store.read() as db:
        found = deployments.find(db, params)
        name, document = deployments.changed(call, db, found, body)
    services = call.services
    if isinstance(services.runtime, Absent):
        return _shown(Verdict(Outcome.UNKNOWN, services.runtime.reason))
    settings = services.settings
    bench = Bench(call.store, Fleet(lambda _: services.runtime), settings.folder, stores=settings.stores)
    try:
        return _shown(foreseen(bench, replace(found, name=name, document=document), partial(_planner, services)))
    except Invalid as wrong:
        at = f"line {wrong.position.line}, column {wrong.position.column}: " if wrong.position else ""
        raise Invalid(f"the script is not valid: {at}{wrong.message}", advice=wrong.advice) from wrong


def _planner(services: Services, run: Run) -> Runtime:
    """The Flink that plans a run: for the usual engine the shared one, which is up while a job's own is not."""
    return services.where(run) if seat(run).engine else services.runtime


def _shown(said: Verdict) -> dict[str, Any]:
    return {"verdict": said.outcome, "summary": said.reason, "operators": [_operator(one) for one in said.operators]}


def _operator(one: Operator) -> dict[str, str]:
    return {"name": f"{one.label}: {one.does}", "fate": one.fate, "why": one.note}


OPERATIONS: Mapping[str, Handler] = {"GetStateVerdict": get}
