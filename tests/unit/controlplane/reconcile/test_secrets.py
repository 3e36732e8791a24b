"""Secrets that scripts name: put in for Flink, kept nowhere, taken out of what Flink says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flinkform.controlplane import vault
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.secrets import Secrets
from flinkform.controlplane.store import events, runs, things
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Invalid
from flinkform.flink.plan import Plan
from flinkform.flink.values import Diagnosis, Phase
from tests.unit.controlplane.reconcile.conftest import NS, PLANS, WS, World, artifact
from tests.unit.controlplane.reconcile.fake import Inline

PASSWORD = 'it\'s-a-"planted"-secret'
SQL = "-- ${secret_values.no}\nCREATE TABLE a (b INT) WITH ('password' = '${secret_values.password}');\nINSERT INTO c"


def test_quoted_as_it_stands() -> None:
    """A value is doubled or escaped for where it goes, and the mask knows each of its forms."""
    secrets = Secrets({"a": PASSWORD}, (PASSWORD,))
    script = secrets.script("SELECT '${secret_values.a}', '${ secret_values.a }', '${secret_values.b}'")
    assert script == "SELECT 'it''s-a-\"planted\"-secret', 'it''s-a-\"planted\"-secret', '${secret_values.b}'"
    plan = secrets.plan('{"password": "${secret_values.a}"}')
    assert plan == '{"password": "it\'s-a-\\"planted\\"-secret"}'
    assert "planted" not in secrets.mask(f"{script} {plan} {PASSWORD}")
    assert secrets.plan(None) is None
    assert "planted" not in repr(secrets)


@pytest.fixture
def sealing(world: World) -> World:
    """A world whose reconciler can unseal, in which a password is kept."""
    safe = vault.Vault(b"k" * 32)
    one = Thing(
        type="variable",
        workspace=WS,
        namespace=NS,
        id="password",
        name="password",
        creator="",
        modifier="",
        created_at=0,
        modified_at=0,
        document={"kind": "Encrypted"},
    )
    with world.store.write() as db:
        things.create(db, replace(one, secret=safe.seal(one, {"value": PASSWORD})))
    world.bench = replace(world.bench, opened=safe.open)
    world.loop = Loop(world.bench, executor=Inline())
    return world


def everything(world: World, run: Run) -> str:
    """All that is kept of a run."""
    with world.store.read() as db:
        told = [one.message for one in events.page(db, WS, NS, run_id=run.id, limit=1000).items]
        return repr([runs.find(db, run.id), runs.plan(db, run.id), told])


def test_flink_alone_is_told(sealing: World) -> None:
    """Flink is handed the script and the plan with the value; plan, run and events keep the name."""
    plan = Plan.load((PLANS / "aggregate.json").read_text())
    first = {**plan.nodes[0], "option": "${secret_values.password}"}
    sealing.flink.plans[SQL] = replace(plan, nodes=(first, *plan.nodes[1:]))
    run = sealing.running(sealing.deployment(artifact=artifact(SQL)))
    sent = sealing.flink.jobs[run.job_id].submission
    assert "'it''s-a-" in sent.script
    assert "planted" in (sent.plan or "")
    kept = everything(sealing, run)
    assert "planted" not in kept
    assert "secret_values.password" in kept


def test_what_flink_says(sealing: World) -> None:
    """A refusal and a diagnosis that repeat the value are told without it."""
    deployment = sealing.deployment(artifact=artifact(SQL))
    sealing.flink.submit_error = Invalid(f"cannot log in with {PASSWORD}")
    refused = sealing.ask_start(deployment)
    sealing.tick(3)
    assert "cannot log in with ******" in everything(sealing, refused)
    assert "planted" not in everything(sealing, refused)

    sealing.flink.submit_error = None
    run = sealing.running(deployment)
    sealing.flink.diagnosis = Diagnosis(f"bad {PASSWORD}", f"java.lang.Error: {PASSWORD}", advice=f"not {PASSWORD}")
    sealing.flink.see(run.job_id, Phase.FAILED)
    sealing.tick(3)
    assert "bad ******" in everything(sealing, run)
    assert "planted" not in everything(sealing, run)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("SELECT 1;\n  SELECT '${secret_values.nobody}'", "2:11: namespace ns has no variable nobody"),
        ("SELECT ${secret_values.password}", "1:8: expected ${secret_values.password} in a string"),
        ("SET 'a' = '${secret_values.password}';", "in a string of a statement that is no SET"),
    ],
)
def test_a_name_that_cannot_be_filled_in(sealing: World, script: str, said: str) -> None:
    """The run fails before Flink is called, with the place in the script."""
    run = sealing.ask_start(sealing.deployment(artifact=artifact(script)))
    sealing.tick(3)
    assert said.replace("namespace ns", f"namespace {NS}") in everything(sealing, run)
    assert not sealing.flink.asked("submit")
