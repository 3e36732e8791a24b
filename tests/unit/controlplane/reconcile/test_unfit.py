"""What the control plane tells of a state that was refused is what the provider takes for one."""

from __future__ import annotations

import pytest

from flinkform.controlplane.store.deployments import Deployment
from flinkform.errors import Unfit
from flinkform.flink.diagnosis import Failure, diagnose
from flinkform.provider import failure
from tests.unit.controlplane.reconcile.conftest import World
from tests.unit.controlplane.reconcile.test_road import planned, refusal
from tests.unit.provider.cloud import Cloud

__all__ = ["planned"]

PLACE = {"workspace": "w", "namespace": "n", "deploymentId": "d"}
TRACES = {
    "gone": "java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/s. Cannot map "
    "checkpoint/savepoint state for operator 0a448493b4782967b150582570326227 to the new program, because the operator "
    "is not available in the new program.",
    "other": "org.apache.flink.util.StateMigrationException: The new state serializer must not be incompatible.",
}


def told(reason: str, message: str) -> Exception:
    status = {"currentJobStatus": "FAILED", "failure": {"reason": reason, "message": message}}
    return failure.explain(Cloud(), PLACE, {"jobId": "j", "status": status}, "a")


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_by_flink(trace: str) -> None:
    """Flink's own refusal, through our diagnosis and as the public API passes it on."""
    found = diagnose(Failure(trace, None))
    for error in (told(str(found), found.root), told("JOB_FAILED", trace)):
        assert isinstance(error, Unfit)
        assert "JOB_FAILED" not in error.reason


def test_by_us(world: World, planned: Deployment) -> None:
    """A start that would drop state without leave names the operator."""
    world.stopped(world.running(planned))
    edited = world.edit(planned, "max")
    reason = refusal(world, world.ask_start(edited, "LATEST_STATE"))
    error = told(reason, reason)
    assert isinstance(error, Unfit)
    assert "aggregate (groupBy=" in error.reason


def test_other_failures() -> None:
    """A job that fails for another reason is not brought back."""
    assert not isinstance(told("a system the job talks to cannot be reached", "Connection refused"), Unfit)
