"""What becomes of state: what a plan asks and shows, what it refuses, and what an apply makes of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from flinkform.errors import Conflict, Invalid, JobFailed
from flinkform.provider.plan import Plan
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.resources.job import RESOURCE
from flinkform.schema.model import Change
from tests.unit.provider.conftest import config, restored
from tests.unit.provider.core import World
from tests.unit.provider.test_job import upgrade

COUNT = {"name": "aggregate: groupBy=[customer]", "fate": "dropped", "why": "it computes something else"}
FRESH = {"name": "aggregate: groupBy=[seller]", "fate": "new", "why": "results begin again"}
SOURCE = {"name": "source: orders", "fate": "kept", "why": ""}


def answer(verdict: str, *operators: dict[str, str]) -> dict[str, Any]:
    return {"verdict": verdict, "summary": "1 of 2 operators drops its state", "operators": list(operators)}


@pytest.fixture
def running() -> World:
    """A world with a job that runs, in which an edit to `SELECT 2` drops the state of an aggregate."""
    world = World(RESOURCE)
    world.cloud.verdicts = {"SELECT 2": answer("partly", SOURCE, FRESH, COUNT)}
    world.apply(config())
    world.cloud.changes()
    world.cloud.calls.clear()
    return world


def refused(made: Plan) -> Any:
    (fault,) = made.faults
    return fault


@pytest.mark.parametrize("word", ["same", "compatible"])
def test_kept(running: World, word: str) -> None:
    """The verdict is in the plan without a word of warning, then in the state, and the next plan is empty."""
    edit = config(sql="SELECT 3")
    running.cloud.verdicts = {"SELECT 3": answer(word, SOURCE)}
    made = running.plan(edit)
    assert (made.values or {})["state_verdict"] == word
    assert (made.faults, made.warnings) == ((), ())
    assert running.apply(edit)["state_verdict"] == word
    assert restored(running) == {"kind": "FROM_SAVEPOINT", "savepointId": "s-4", "allowNonRestoredState": False}
    assert running.plan(edit).values is running.result.state
    assert running.result.private == {"started": True}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"labels": {"team": "x"}},
        {"parallelism": 4},
        {"logging": {"root": "DEBUG"}},
        {"state": "suspended", "sql": "SELECT 2"},
        {"sql": "SELECT 2", "upgrade": upgrade(mode="stateless")},
        {"sql": "SELECT 2", "execution_mode": "BATCH"},
    ],
    ids=str,
)
def test_not_asked(running: World, changes: dict[str, Any]) -> None:
    """What carries no state over, or cannot change what it fits, asks nothing: no change above all."""
    made = running.plan(config(**changes))
    assert running.cloud.calls["GetStateVerdict"] == 0
    assert (made.values or {})["state_verdict"] is None
    assert made.warnings == ()


@pytest.mark.parametrize(
    "changes", [{"sql": "SELECT 9"}, {"flink_options": {"a": "b"}}, {"engine_version": "2"}], ids=str
)
def test_asked_once(running: World, changes: dict[str, Any]) -> None:
    """A plan that carries state over asks once, with the definition that the update is going to send."""
    running.plan(config(**changes))
    assert running.cloud.calls["GetStateVerdict"] == 1


def test_refused(running: World) -> None:
    """With `fail` the plan is an error that names the operator and what to do, and no script; nothing was touched."""
    fault = refused(running.plan(config(sql="SELECT 2")))
    assert fault.at == ()
    said = str(fault)
    assert "a would lose state: 1 of 2 operators drops its state" in said
    assert "dropped: aggregate: groupBy=[customer]; it computes something else\n" in said
    assert said.index("dropped:") < said.index("new: aggregate: groupBy=[seller]")
    assert "source: orders" not in said
    assert 'upgrade.on_incompatible = "drop_partial"' in said
    assert running.cloud.changes() == []


def test_refused_option(running: World) -> None:
    """The error is at what changed."""
    running.cloud.verdicts = {"SELECT 1": answer("lost", COUNT)}
    assert refused(running.plan(config(flink_options={"table.exec.state.ttl": "1 h"}))).at == ("flink_options",)


def test_dropped(running: World) -> None:
    """With `drop_partial` the plan warns and the new job may leave state behind; the verdict stays in the state."""
    edit = config(sql="SELECT 2", upgrade=upgrade(on_incompatible="drop_partial"))
    (warning,) = running.plan(edit).warnings
    assert "a loses a part of its state: 1 of 2" in warning
    assert "dropped: aggregate" in warning
    state = running.apply(edit)
    assert restored(running)["allowNonRestoredState"] is True
    assert state["state_verdict"] == "partly"
    assert running.plan(edit).values is running.result.state


def test_allowed_already(running: World) -> None:
    """`allow_non_restored_state` is leave to drop state too."""
    made = running.plan(config(sql="SELECT 2", allow_non_restored_state=True))
    assert made.faults == ()
    assert len(made.warnings) == 1


def test_emptied(running: World) -> None:
    """With `restart_empty` the new job starts with nothing, and a savepoint of the old one is there all the same."""
    edit = config(sql="SELECT 2", upgrade=upgrade(on_incompatible="restart_empty"))
    assert "a starts with nothing: 1 of 2" in running.plan(edit).warnings[0]
    running.apply(edit)
    assert restored(running) == {"kind": "NONE"}
    assert len(running.cloud.savepoints) == 1


def test_verdict_is_of_one_apply(running: World) -> None:
    """A later restart is not emptied by the verdict of an earlier one, which the state still shows."""
    way = upgrade(on_incompatible="restart_empty")
    running.apply(config(sql="SELECT 2", upgrade=way))
    state = running.apply(config(sql="SELECT 2", upgrade=way, logging={"root": "DEBUG"}))
    assert restored(running)["kind"] == "FROM_SAVEPOINT"
    assert state["state_verdict"] == "partly"


UNFIT = "the saved state holds an operator (5_group-aggregate) that the new SQL does not have"


@pytest.fixture
def unsaid(running: World) -> World:
    """The same, with an API that cannot say what an edit does; `SELECT 2` takes over no state."""
    running.cloud.verdicts = None
    running.cloud.unfit["SELECT 2"] = UNFIT
    return running


def test_brought_back(unsaid: World) -> None:
    """With `fail` the old job is back RUNNING from its savepoint as it was; the error names the operator."""
    with pytest.raises(Conflict, match=r"was not upgraded: .*\(5_group-aggregate\).* runs on as it was") as raised:
        unsaid.apply(config(sql="SELECT 2", labels={"team": "x"}))
    assert raised.value.at == ("sql",)
    assert unsaid.cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob", "UpdateDeployment", "StartJob"]
    assert unsaid.cloud.job("a")["status"] == {"currentJobStatus": "RUNNING"}
    assert restored(unsaid)["savepointId"] == next(iter(unsaid.cloud.savepoints))
    state = unsaid.result.state or {}
    assert (state["sql"], state["labels"], state["state"]) == ("SELECT 1", None, "running")
    assert unsaid.plan(config()).values is unsaid.result.state


def test_not_brought_back(unsaid: World) -> None:
    """An old definition that does not start again either is told beside the reason for the new one."""
    unsaid.cloud.unfit["SELECT 1"] = "the saved state does not fit the new SQL"
    with pytest.raises(JobFailed, match=r"(?s)5_group-aggregate.*the old definition did not start again either"):
        unsaid.apply(config(sql="SELECT 2"))
    assert (unsaid.result.state or {})["state"] == "failed"


def test_emptied_when_refused(unsaid: World) -> None:
    """With `restart_empty` a state that Flink refuses is a warning, and the job starts with nothing."""
    unsaid.apply(config(sql="SELECT 2", upgrade=upgrade(on_incompatible="restart_empty")))
    assert UNFIT in unsaid.result.warnings[0]
    assert [body["restoreStrategy"]["kind"] for name, body in unsaid.cloud.said if name == "StartJob"] == [
        "FROM_SAVEPOINT",
        "NONE",
    ]


def test_dropped_when_unsaid(unsaid: World) -> None:
    """With `drop_partial` the new job may leave behind what nobody foresaw."""
    assert unsaid.apply(config(sql="SELECT 2", upgrade=upgrade(on_incompatible="drop_partial")))["state"] == "running"


def test_a_failed_job_is_not_brought_back(unsaid: World) -> None:
    """Of a job that did not run there is nothing to bring back: the new definition stays, and its failure is told."""
    unsaid.cloud.kill("a")
    with pytest.raises(JobFailed, match="5_group-aggregate"):
        unsaid.apply(config(sql="SELECT 2"))
    assert unsaid.cloud.changes() == ["UpdateDeployment", "StartJob"]


def test_not_offered() -> None:
    """An API that does not know the question is asked once, however many jobs change, and nobody is warned."""
    world = World(RESOURCE)
    world.cloud.verdicts = None
    world.apply(config())
    world.cloud.calls.clear()
    prior, engine = world.refresh(), world.engine()
    for number in range(5):
        told = engine.foresight(prior, Plan({**(prior or {}), "sql": f"SELECT {number + 5}"}), {})()
        assert told.values["state_verdict"] == "unknown"
        assert told.warnings == ()
    assert world.cloud.calls["GetStateVerdict"] == 1


def test_not_answered(running: World) -> None:
    """While nobody answers, the verdict is known after apply, which says that nobody could tell."""
    running.cloud.down.add("GetStateVerdict")
    edit = config(sql="SELECT 2")
    made = running.plan(edit)
    assert (made.values or {})["state_verdict"] is UNKNOWN
    assert "cannot connect" in made.warnings[0]
    assert running.apply(edit)["state_verdict"] == "unknown"


def test_unknown_script(running: World) -> None:
    """A script that is not known yet cannot be asked about; the plan that core makes when it is known asks."""
    made = running.plan(config(sql=UNKNOWN))
    assert (made.values or {})["state_verdict"] is UNKNOWN
    assert running.cloud.calls["GetStateVerdict"] == 0
    assert (made.faults, made.warnings) == ((), ())


def test_wrong_script(running: World) -> None:
    """A script that Flink cannot read is an error of the plan already."""
    running.cloud.wrong["SELEC"] = "unexpected SELEC"
    with pytest.raises(Invalid, match="line 3, column 7: unexpected SELEC") as raised:
        running.plan(config(sql="SELEC"))
    assert raised.value.at == ("sql",)


def test_resumed(running: World) -> None:
    """An edit of a suspended job is asked about when the job is to go on."""
    running.apply(config(state="suspended"))
    running.apply(config(state="suspended", sql="SELECT 2"))
    assert running.cloud.calls["GetStateVerdict"] == 0
    assert refused(running.plan(config(sql="SELECT 2"))).at == ("state",)


def test_never_started() -> None:
    """A job that never ran has no state to lose."""
    world = World(RESOURCE)
    world.apply(config(state="suspended"))
    world.apply(config(sql="SELECT 2"))
    assert world.cloud.calls["GetStateVerdict"] == 0


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({}, Change.NOTHING),
        ({"labels": {"a": "b"}, "description": "x", "timeouts": {"create": "1m"}}, Change.NOTHING),
        ({"labels": {"a": "b"}, "parallelism": 4}, Change.HOT),
        ({"parallelism": 4, "flink_options": {"a": "b"}}, Change.RESTART),
        ({"sql": "SELECT 2", "parallelism": 4}, Change.RESTART),
        ({"sql": "SELECT 2", "flink_options": {"a": "b", "pipeline.max-parallelism": "8"}}, Change.AFRESH),
        ({"sql": "SELECT 2", "execution_mode": "BATCH"}, Change.REPLACE),
    ],
    ids=str,
)
def test_cost(running: World, changes: dict[str, Any], cost: Change) -> None:
    """Several changes cost the dearest one; of a map the dearest of the keys that differ."""
    made = running.plan(config(**changes))
    assert RESOURCE.cost(running.result.state or {}, made.values or {}) is cost


def test_afresh(running: World) -> None:
    """What costs the state is refused unless the job may start with nothing; then it does. Nobody is asked."""
    edit = {"flink_options": {"pipeline.max-parallelism": "8"}}
    for way in ("fail", "drop_partial"):
        fault = refused(running.plan(config(**edit, upgrade=upgrade(on_incompatible=way))))
        assert fault.at == ("flink_options",)
        assert "pipeline.max-parallelism" in str(fault)
        assert "drop_partial" not in str(fault)
    state = running.apply(config(**edit, upgrade=upgrade(on_incompatible="restart_empty")))
    assert state["state_verdict"] == "lost"
    assert restored(running) == {"kind": "NONE"}
    assert running.cloud.calls["GetStateVerdict"] == 0


def test_another_backend(running: World) -> None:
    """Checkpoints are for the backend that wrote them: `latest` is refused, a savepoint takes the state along."""
    edit = {"flink_options": {"state.backend.type": "rocksdb"}}
    fault = refused(running.plan(config(**edit, upgrade=upgrade(mode="latest"))))
    assert fault.at == ("flink_options",)
    assert 'upgrade.mode = "savepoint"' in str(fault)
    assert running.plan(config(flink_options={"state.backend": "hashmap"}, upgrade=upgrade(mode="latest"))).faults == ()
    running.apply(config(**edit))
    assert restored(running)["kind"] == "FROM_SAVEPOINT"


def test_many_operators(running: World) -> None:
    """Of a hundred operators twenty are named, and the number of the others."""
    rows: Iterable[dict[str, str]] = ({**COUNT, "name": f"join {n}"} for n in range(100))
    running.cloud.verdicts = {"SELECT 2": answer("lost", *rows)}
    said = str(refused(running.plan(config(sql="SELECT 2"))))
    assert "join 19;" in said
    assert "join 20;" not in said
    assert "and 80 more" in said


def test_session_is_one_configuration(running: World) -> None:
    """What is not offered is found out anew in each command."""
    running.cloud.verdicts = None
    for _ in range(2):
        running.plan(config(sql="SELECT 5"))
    assert running.cloud.calls["GetStateVerdict"] == 2
