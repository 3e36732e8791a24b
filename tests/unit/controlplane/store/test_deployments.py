"""Deployments: revisions, filters, pages and what the API's summaries need."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from flinkform.controlplane.store import deployments, intents, runs
from flinkform.controlplane.store.deployments import Deployment, Filter
from flinkform.errors import Conflict, NotFound
from tests.unit.controlplane.store.conftest import Make

pytestmark = pytest.mark.both


def names(db: Connection, wanted: Filter | None = None, *, offset: int = 0, limit: int = 100) -> list[str]:
    return [one.name for one in deployments.page(db, "ws", "team", wanted, offset=offset, limit=limit).items]


def start(db: Connection, deployment: Deployment) -> runs.Run:
    return intents.start(db, deployment, restore={"kind": "NONE"}, creator="ann", now=1)


def let(db: Connection, run: runs.Run, state: str) -> None:
    runs.change(db, run, {"state": state}, now=1)


def test_read_back_is_what_was_written(db: Connection, deploy: Make) -> None:
    """A document comes back exactly, with any text that is valid in JSON."""
    made = deploy("a", artifact={"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "-- é\r\n'\x00;${x}' 𝄞"}})
    assert deployments.get(db, "ws", "team", made.id) == made


def test_names_are_unique_in_a_namespace(db: Connection, deploy: Make) -> None:
    """A name is taken once in a namespace, and is free in another."""
    deploy("a")
    deployments.create(db, "x", workspace="ws", namespace="other", name="a", document={}, creator="ann", now=1)
    with pytest.raises(Conflict, match="deployment a exists already in namespace team"):
        deployments.create(db, "y", workspace="ws", namespace="team", name="a", document={}, creator="ann", now=1)


def test_other_namespaces_are_not_seen(db: Connection, deploy: Make) -> None:
    """A deployment is found only in its own workspace and namespace."""
    made = deploy("a")
    for workspace, namespace in (("ws", "other"), ("other", "team")):
        with pytest.raises(NotFound):
            deployments.get(db, workspace, namespace, made.id)
        assert deployments.page(db, workspace, namespace).total == 0


def test_revision_counts_definitions(db: Connection, deploy: Make) -> None:
    """Only a change of what a job computes, or with what, is a new revision."""
    made = deploy("a", labels={"x": "1"})
    told = deployments.replace(
        db, made, {**made.document, "labels": {}, "description": "hi"}, name="b", modifier="bob", now=9
    )
    assert (told.revision, told.name, told.modifier, told.modified_at, told.creator) == (1, "b", "bob", 9, "ann")
    changed = deployments.replace(db, told, {**told.document, "flinkConf": {"a": 1}}, name="b", modifier="bob", now=10)
    assert changed.revision == 2


def test_rename_to_a_taken_name_is_refused(db: Connection, deploy: Make) -> None:
    """A new name must be free; keeping one's own is not a clash."""
    made, other = deploy("a"), deploy("b")
    with pytest.raises(Conflict, match="deployment b exists already"):
        deployments.replace(db, made, made.document, name="b", modifier="ann", now=1)
    assert deployments.replace(db, other, other.document, name="b", modifier="ann", now=1).name == "b"


def test_mode_cannot_change(db: Connection, deploy: Make) -> None:
    """A streaming deployment does not become a batch one."""
    made = deploy("a")
    with pytest.raises(Conflict, match="cannot change its executionMode"):
        deployments.replace(db, made, {**made.document, "executionMode": "BATCH"}, name="a", modifier="ann", now=1)


def test_pages(db: Connection, deploy: Make) -> None:
    """Pages are newest first, know the total, and are empty behind the end."""
    for name in "abcde":
        deploy(name)
    first = deployments.page(db, "ws", "team", offset=0, limit=2)
    assert ([one.name for one in first.items], first.total) == (["e", "d"], 5)
    assert names(db, offset=4, limit=2) == ["a"]
    assert names(db, offset=9, limit=2) == []


def test_filter_by_part_of_name(db: Connection, deploy: Make) -> None:
    """Any part of a name finds it in any case, and SQL's own wildcards are plain characters."""
    for name in ("Bids-1", "bids_2", "other"):
        deploy(name)
    assert names(db, Filter(name="IDS")) == ["bids_2", "Bids-1"]
    assert names(db, Filter(name="s_")) == ["bids_2"]
    assert names(db, Filter(name="%")) == []


def test_filter_by_people_and_mode(db: Connection, deploy: Make) -> None:
    """Creator, modifier and mode narrow a list, together too."""
    deploy("a")
    deploy("b", creator="bob", executionMode="BATCH")
    c = deploy("c", creator="bob")
    deployments.replace(db, c, c.document, name="c", modifier="cy", now=1)
    assert names(db, Filter(creator="bob")) == ["c", "b"]
    assert names(db, Filter(batch=True)) == ["b"]
    assert names(db, Filter(modifier="cy", creator="bob", batch=False)) == ["c"]


def test_filter_by_label(db: Connection, deploy: Make) -> None:
    """A label finds by key, by any of some values, and follows changes."""
    a = deploy("a", labels={"team": "x", "flinkform.io/nonce": "n1"})
    deploy("b", labels={"team": "y"})
    deploy("c")
    assert names(db, Filter(label="team")) == ["b", "a"]
    assert names(db, Filter(label="team", label_values=("x", "z"))) == ["a"]
    assert names(db, Filter(label="flinkform.io/nonce", label_values=("n1",))) == ["a"]
    deployments.replace(db, a, {**a.document, "labels": {"team": "y"}}, name="a", modifier="ann", now=1)
    assert names(db, Filter(label="team", label_values=("y",))) == ["b", "a"]


def test_filter_by_status_of_the_newest_run(db: Connection, deploy: Make) -> None:
    """The status that filters is the newest run's; older runs and deployments that never ran do not count."""
    a, b = deploy("a"), deploy("b")
    deploy("never")
    let(db, start(db, a), "FAILED")
    let(db, start(db, a), "RUNNING")
    let(db, start(db, b), "FAILED")
    assert names(db, Filter(status="FAILED")) == ["b"]
    assert names(db, Filter(status="RUNNING")) == ["a"]


def test_order_by_change(db: Connection, deploy: Make) -> None:
    """The list can be ordered by the last change instead of the creation."""
    a = deploy("a")
    deploy("b")
    deployments.replace(db, a, a.document, name="a", modifier="ann", now=99)
    assert names(db, Filter(newest_change_first=True)) == ["a", "b"]


def test_summaries(db: Connection, deploy: Make) -> None:
    """Counts by state, whether an older definition runs, and the newest run, for each deployment asked for."""
    a, b, never = deploy("a"), deploy("b"), deploy("never")
    let(db, start(db, a), "FAILED")
    newest = start(db, a)
    let(db, start(db, b), "FINISHED")
    deployments.replace(db, a, {**a.document, "engineVersion": "2"}, name="a", modifier="ann", now=1)
    found = runs.summaries(db, [a.id, b.id, never.id])
    assert found[a.id].counts == {
        "starting": 1,
        "running": 0,
        "cancelling": 0,
        "failed": 1,
        "cancelled": 0,
        "finished": 0,
    }
    assert found[a.id].outdated(2)
    assert not found[a.id].outdated(1)
    assert found[a.id].newest == newest
    assert not found[b.id].outdated(2)
    assert (sum(found[never.id].counts.values()), found[never.id].newest) == (0, None)


def test_summaries_cost_the_same_for_many(db: Connection, deploy: Make) -> None:
    """A page of a hundred summaries costs as many queries as one of one."""
    ids = [deploy(f"n{number}").id for number in range(20)]
    seen: list[str] = []
    event.listen(db, "before_cursor_execute", lambda *call: seen.append(call[2]))
    runs.summaries(db, ids[:1])
    one = len(seen)
    runs.summaries(db, ids)
    assert len(seen) == 2 * one


def test_remove_needs_an_end(db: Connection, deploy: Make) -> None:
    """A deployment whose run has not ended stays; afterwards it goes with its runs, and its name is free."""
    made = deploy("a")
    run = start(db, made)
    with pytest.raises(Conflict, match="has a job that is STARTING; stop it first"):
        deployments.remove(db, made)
    let(db, run, "FAILED")
    deployments.remove(db, made)
    assert runs.find(db, run.id) is None
    assert names(db) == []
    deploy("a")
