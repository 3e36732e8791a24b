"""The states of things and which of them are final."""

from __future__ import annotations

from flinkform.openapi import states


def test_final_states() -> None:
    """Waiting ends in these and in no others."""
    final = {kind.__name__: {s.value for s in kind if s.final} for kind in (states.Job, states.Savepoint)}
    assert final == {"Job": {"FAILED", "CANCELLED", "FINISHED"}, "Savepoint": {"COMPLETED", "FAILED"}}
    assert {s.value for s in states.Instance if s.final} == {"RUNNING", "DISABLE", "DELETED"}
    assert {s.value for s in states.Namespace if s.final} == {"SUCCESS", "FAILED"}
    assert {s.value for s in states.Ticket if s.final} == {"FINISHED", "FAILED"}


def test_states_are_their_words() -> None:
    """A state compares with what the API sends."""
    assert states.Job("RUNNING") == "RUNNING"
    assert f"{states.Stop.STOP_WITH_SAVEPOINT}" == "STOP_WITH_SAVEPOINT"
