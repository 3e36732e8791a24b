"""flink_job with a program in a jar: uploaded once, pinned by content, replaced where it takes a script's place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from flinkform.errors import Invalid
from flinkform.provider import check
from flinkform.resources.job import JAR_SHA256, RESOURCE
from tests.unit.provider.conftest import config, restored
from tests.unit.provider.core import World, planned

ONE, OTHER = b"one jar", b"another jar"
NOTHING: dict[str, Any] = {a.name: None for a in RESOURCE.attribute("jar").nested}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def jar(**given: Any) -> dict[str, Any]:
    return config(sql=None, jar=NOTHING | given)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "bids.jar"
    file.write_bytes(ONE)
    return file


def test_remote(world: World) -> None:
    """What is sent is a JarArtifact, its pin is a label, and reading it back changes nothing."""
    one = jar(uri="oss://b/a.jar", sha256=digest(ONE), entry_class="org.A", args=["--topic", "a b"])
    state = world.apply(one)
    sent = next(iter(world.cloud.deployments.values()))
    assert sent["artifact"]["kind"] == "JAR"
    assert sent["artifact"]["jarArtifact"] == {
        "jarUri": "oss://b/a.jar",
        "entryClass": "org.A",
        "mainArgs": "--topic 'a b'",
        "additionalDependencies": [],
    }
    assert sent["labels"][JAR_SHA256] == digest(ONE)
    assert world.refresh() == state
    assert planned(RESOURCE, state, one).values == state


def test_source(world: World, source: Path) -> None:
    """A file is uploaded once for all who want its content, and neither kept in the state nor planned again."""
    one = jar(source=str(source), sha256=digest(ONE))
    state = world.apply(one)
    name = f"bids-{digest(ONE)}.jar"
    assert world.cloud.files == {name: ONE}
    assert next(iter(world.cloud.deployments.values()))["artifact"]["jarArtifact"]["jarUri"] == f"oss://bucket/{name}"
    assert state["jar"] == one["jar"]
    assert world.refresh() == state
    assert planned(RESOURCE, state, one).values == state


def test_other_bytes(world: World, source: Path) -> None:
    """Other bytes are uploaded before the job is stopped, and it goes on from its savepoint."""
    world.apply(jar(source=str(source), sha256=digest(ONE)))
    world.cloud.changes()
    source.write_bytes(OTHER)
    world.apply(jar(source=str(source), sha256=digest(OTHER)))
    assert world.cloud.changes() == ["PUT", "StopJob", "UpdateDeployment", "StartJob"]
    assert restored(world)["savepointId"] == next(iter(world.cloud.savepoints))
    assert next(iter(world.cloud.deployments.values()))["labels"][JAR_SHA256] == digest(OTHER)


def test_verdict(world: World, source: Path) -> None:
    """What becomes of state is asked before anything is uploaded; of the same bytes as of no other program."""
    world.apply(jar(source=str(source), sha256=digest(ONE)))
    world.cloud.changes()
    world.plan(jar(source=str(source), sha256=digest(OTHER)))
    asked = world.cloud.proposed["artifact"]["jarArtifact"]["jarUri"]
    assert asked == f"https://later.invalid/bids-{digest(OTHER)}.jar"
    world.plan(jar(source="elsewhere.jar", sha256=digest(ONE), flink_options={"a": "b"}))
    assert "artifact" not in world.cloud.proposed
    assert world.cloud.changes() == []


def test_moved_source(world: World, source: Path) -> None:
    """The same content from another path stops nothing."""
    world.apply(jar(source=str(source), sha256=digest(ONE)))
    world.cloud.changes()
    moved = source.rename(source.with_name("moved.jar"))
    state = world.apply(jar(source=str(moved), sha256=digest(ONE)))
    assert world.cloud.changes() == []
    assert state["jar"]["source"] == str(moved)


def test_changed_since_the_plan(world: World, source: Path) -> None:
    """A file that is another one by now is not uploaded, and nothing is stopped."""
    world.apply(jar(source=str(source), sha256=digest(ONE)))
    world.cloud.changes()
    with pytest.raises(Invalid, match=r"expected .*bids\.jar to have sha256") as error:
        world.apply(jar(source=str(source), sha256=digest(OTHER)))
    assert error.value.at == ("jar", "sha256")
    assert world.cloud.changes() == []


def test_drift(world: World) -> None:
    """A jar, an argument or a pin that was changed behind Terraform's back is seen and mended."""
    one = jar(uri="oss://b/a.jar", sha256=digest(ONE), args=["a"])
    world.apply(one)
    deployment = next(iter(world.cloud.deployments.values()))
    deployment["artifact"]["jarArtifact"] |= {"jarUri": "oss://b/b.jar", "mainArgs": "b"}
    deployment["labels"][JAR_SHA256] = digest(OTHER)
    found = world.refresh()
    assert found is not None
    assert found["jar"] == one["jar"] | {"uri": "oss://b/b.jar", "args": ["b"], "sha256": digest(OTHER)}
    world.apply(one)
    assert deployment["artifact"]["jarArtifact"]["jarUri"] == "oss://b/a.jar"
    assert deployment["labels"][JAR_SHA256] == digest(ONE)


def test_unpinned(world: World) -> None:
    """A pin that is taken away is gone."""
    world.apply(jar(uri="oss://b/a.jar", sha256=digest(ONE)))
    world.apply(jar(uri="oss://b/a.jar"))
    assert JAR_SHA256 not in next(iter(world.cloud.deployments.values()))["labels"]


@pytest.mark.parametrize("there", [True, False])
def test_replaced(world: World, *, there: bool) -> None:
    """A program in a script's place, or the other way, is another job."""
    script, program = config(), jar(uri="oss://b/a.jar")
    state = world.apply(script if there else program)
    made = planned(RESOURCE, state, program if there else script)
    assert set(made.replace) == {("sql",), ("jar",)}


@pytest.mark.parametrize(
    ("given", "at", "said"),
    [
        ({"sql": "SELECT 1", "jar": NOTHING | {"uri": "oss://b/a.jar"}}, ("jar",), "either jar or sql, got both"),
        ({"sql": None, "jar": None}, (), "either jar or sql, got neither"),
        ({"sql": None, "jar": NOTHING}, ("jar",), "either source or uri, got neither"),
        ({"sql": None, "jar": NOTHING | {"source": "a.jar"}}, ("jar", "sha256"), "is required beside source"),
        ({"sql": None, "jar": NOTHING | {"uri": "x", "sha256": "12"}}, ("jar", "sha256"), "a sha256 of 64"),
        ({"sql": None, "jar": NOTHING | {"uri": "x", "entry_class": "a b"}}, ("jar", "entry_class"), "name of a class"),
    ],
)
def test_wrong(given: dict[str, Any], at: tuple[str, ...], said: str) -> None:
    """Neither or both, half of a source, or a pin that is none: told at the attribute."""
    (fault,) = check.faults(RESOURCE.attributes, config(**given))
    assert fault.at == at
    assert said in str(fault)
