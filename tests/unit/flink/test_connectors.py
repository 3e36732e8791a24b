"""Installed connectors: what is seen, what goes where, and what a Flink that runs still needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flinkform.errors import Conflict, Invalid
from flinkform.flink import connectors
from flinkform.flink.catalogue import CONNECTORS, DEFAULT, Place, advice, providing

SCRIPT = "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'format' = 'it''s');"


def put(place: Path, name: str, *jars: str) -> None:
    (place / name).mkdir(parents=True)
    for jar in jars:
        (place / name / jar).touch()


def test_catalogue() -> None:
    """Every connector has pinned jars, and no two are known by one word."""
    words = [word for connector in CONNECTORS for word in connector.words]
    assert len(words) == len(set(words))
    for connector in CONNECTORS:
        assert connector.engines
        for artifacts in connector.engines.values():
            for artifact in artifacts:
                assert re.fullmatch("[0-9a-f]{64}", artifact.sha256)
                assert artifact.coordinates.count(":") == 2
                assert artifact.file.endswith(".jar")


def test_advice() -> None:
    """Whoever lacks something is told the command that brings it, and for which engines there is one."""
    assert advice("upsert-kafka") == "`flinkform connectors install kafka` brings it"
    assert advice("postgres-cdc") == "`flinkform connectors install postgres-cdc` brings it (engine 1.20 only)"
    assert advice("hologres") == ""
    assert providing("s3a") is providing("s3")


def test_installed(tmp_path: Path) -> None:
    """Folders with jars count, also those put there by hand; what is half-made does not."""
    place = connectors.folder(tmp_path, "2.3.0")
    assert place == tmp_path / DEFAULT
    assert connectors.installed(place) == ()
    put(place, "kafka", "k.jar")
    put(place, "mine", "m.jar", "notes.txt")
    put(place, ".new-x", "x.jar")
    put(place, "empty")
    found = connectors.installed(place)
    assert [(one.name, [jar.name for jar in one.jars]) for one in found] == [("kafka", ["k.jar"]), ("mine", ["m.jar"])]


def test_places(tmp_path: Path) -> None:
    """A jar that two connectors share is on the classpath once; a plugin is not on it, but among the plugins."""
    for name in ("parquet", "orc"):
        put(tmp_path / "2.3", name, f"{name}.jar", "hadoop.jar")
    put(tmp_path / "2.3", "s3", "s3.jar")
    found = connectors.installed(tmp_path / "2.3")
    assert sorted(jar.name for jar in connectors.classpath(found)) == ["hadoop.jar", "orc.jar", "parquet.jar"]
    plugin = found[-1]
    assert plugin.place is Place.PLUGIN
    (tmp_path / "plugins").mkdir()
    for _ in range(2):
        connectors.link(plugin, tmp_path / "plugins")
    assert (tmp_path / "plugins" / "s3" / "s3.jar").resolve() == plugin.jars[0].resolve()


def test_late(tmp_path: Path) -> None:
    """A JVM that runs is given what was installed since, if the script may need it and Flink can take it late."""
    place = tmp_path / "2.3"
    put(place, "orc", "orc.jar")
    begun = connectors.installed(place)
    for name in ("kafka", "avro", "iceberg", "mine"):
        put(place, name, f"{name}.jar")
    assert [jar.name for jar in connectors.late(place, begun, SCRIPT)] == ["kafka.jar", "mine.jar"]
    assert [jar.name for jar in connectors.late(place, begun, "-- 'kafka' in a comment")] == ["mine.jar"]
    assert connectors.late(tmp_path / "none", (), SCRIPT) == []


def test_digest(tmp_path: Path) -> None:
    """The hash changes with what is installed, and only then."""
    put(tmp_path, "kafka", "k.jar")
    before = connectors.digest(connectors.installed(tmp_path))
    assert connectors.digest(connectors.installed(tmp_path)) == before
    (tmp_path / "kafka" / "k.jar").write_text("another")
    assert connectors.digest(connectors.installed(tmp_path)) != before


@pytest.mark.parametrize(
    ("name", "engine", "reason"),
    [
        ("hologres", "2.3", r"expected a connector for Flink 2\.3 \(kafka, .*\), got 'hologres'$"),
        ("postgres-cdc", "2.3.0", r"got 'postgres-cdc'; postgres-cdc is for Flink 1\.20$"),
        ("kafka", "9.9", r"expected a connector for Flink 9\.9 \(none\), got 'kafka'; kafka is for Flink 2\.3"),
    ],
)
def test_not_to_be_had(tmp_path: Path, name: str, engine: str, reason: str) -> None:
    """What there is none of is told with what there is, and nothing is made."""
    with pytest.raises(Invalid, match=reason):
        connectors.install(tmp_path, name, engine=engine, say=print)
    assert not list(tmp_path.iterdir())


def test_remove(tmp_path: Path) -> None:
    """Only a connector's folder can be removed."""
    put(tmp_path / "2.3", "kafka", "k.jar")
    for name in ("orc", "..", ".", "../2.3", "kafka/.."):
        with pytest.raises(Conflict, match="is not installed"):
            connectors.remove(tmp_path, name, engine="2.3")
    connectors.remove(tmp_path, "kafka", engine="2.3")
    assert list((tmp_path / "2.3").iterdir()) == []
