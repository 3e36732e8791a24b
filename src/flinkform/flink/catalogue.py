"""The connectors, formats, catalogs and file systems that can be installed: coordinates, hashes, what each brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where Flink has to find the jars.

    ADDED: a job may bring them, so they serve a JVM that runs already. START: on the classpath the JVM starts with.
    PLUGIN: in a plugin's folder, before the cluster starts.
    """

    ADDED = "added"
    START = "start"
    PLUGIN = "plugin"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A jar of Maven Central: `group:artifact:version`, and the hash of the file that was tried."""

    coordinates: str
    sha256: str

    @property
    def file(self) -> str:
        _, name, version = self.coordinates.split(":")
        return f"{name}-{version}.jar"


@dataclass(frozen=True, slots=True)
class Connector:
    """One thing to install: *words* are the identifiers that scripts know it by, *engines* the jars by Flink's line."""

    name: str
    words: tuple[str, ...]
    engines: Mapping[str, tuple[Artifact, ...]]
    place: Place = Place.ADDED
    note: str = ""


_PINNED = """
5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616 flink-sql-connector-kafka:5.0.0-2.2
ccb9691bf1d0f97574ae768e1bef05a39c06d7f7b13996e9d485fbdd69dcbfec flink-connector-jdbc-core:4.0.0-2.0
b59c29dc65cafe8ae398e69072b9f6022f4a978a09002fd06a05a1a8dd3348d6 flink-connector-jdbc-postgres:4.0.0-2.0
50d243cf0e1aac67c2c81c9fb2e9b32bb7d7124b9594df009efa8122e3df1c75 flink-connector-jdbc:3.3.0-1.20
73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c org.postgresql:postgresql:42.7.14
8f6a41ce820303bd816ebddafbd6edcd6b5c43b4fdac348ad7c0d9029e4e7f75 flink-sql-avro:2.3.0
abb904c1de29af02d2ea5c21df117f12d1fe9dd89f2514913a5079fc742d49ea flink-sql-avro-confluent-registry:2.3.0
f30617f4a5a6d437750f155ff72178ab34439aec91df64d96621c260559ba5fd flink-sql-parquet:2.3.0
523c119fff156f324d8b8f3f1f15754b463ba8ce4a69baba39210f7209c46d3d flink-sql-orc:2.3.0
a964d4daa054c9615bbafb4553efbb140fa7fb9ac6f358a24393f183a5703438 org.apache.hadoop:hadoop-client-api:3.4.1
f6a800a159f918670db533606d33560d6c13b7e13f14eda493280ae33b9eeb2f org.apache.hadoop:hadoop-client-runtime:3.4.1
6b858424f518015f32bfcd1183a373f4a827d72d026b6031da0c91cf0e8f3489 commons-logging:commons-logging:1.3.2
31e665368b12969f81c540edac6f2b575a86db8cd3cfc9a53e29f23cdecc9a2e flink-protobuf:2.3.0
8c99e4d971338bafb0b0b1d1cea9b1bbb3dc9630eb9c25109e4c7c27bca832cb com.google.protobuf:protobuf-java:4.32.1
1d1ac84369df1ecdc70cd56cf6a0eda1192e4422717179cccb3bc108fbc41a08 org.apache.paimon:paimon-flink-2.1:1.3.0
39e658d876f253815b4b17c6676bebf6a24d517afe93a21298106d1d7fa97331 org.apache.iceberg:iceberg-flink-runtime-2.1:1.11.0
5a3de2daac49e9df1783367391f994dace3bfa18c168b45c3d4563decca7d3d0 flink-s3-fs-hadoop:2.3.0
60f6166809c7607ab4ff94e4f8d8a42104088fdba9e1c155da4a92beedbd275d flink-oss-fs-hadoop:2.3.0
8c5b78d279a51676ad27e9730db37477c1cbf6691dd2382c6fa653b3fe293262 flink-sql-connector-postgres-cdc:3.5.0
"""
"""The hash of each file that was tried, and its coordinates; the group is Flink's where there is none."""


def _artifact(row: str) -> tuple[str, Artifact]:
    """A row of the table, by name and version."""
    sha256, coordinates = row.split()
    group, name = coordinates.split(":", 1) if coordinates.count(":") == 2 else ("org.apache.flink", coordinates)
    return name, Artifact(f"{group}:{name}", sha256)


_ARTIFACTS = dict(map(_artifact, _PINNED.strip().splitlines()))


def _jars(*names: str) -> tuple[Artifact, ...]:
    return tuple(_ARTIFACTS[name] for name in names)


_KAFKA = _jars("flink-sql-connector-kafka:5.0.0-2.2")
_JDBC = _jars("flink-connector-jdbc-core:4.0.0-2.0", "flink-connector-jdbc-postgres:4.0.0-2.0", "postgresql:42.7.14")
_HADOOP = _jars("hadoop-client-api:3.4.1", "hadoop-client-runtime:3.4.1", "commons-logging:1.3.2")

CONNECTORS = (
    Connector(
        "kafka",
        ("kafka", "upsert-kafka"),
        {"2.3": _KAFKA, "2.2": _KAFKA},
        note="the topic must exist; more subtasks than partitions hold watermarks back",
    ),
    Connector(
        "jdbc",
        ("jdbc",),
        {"2.3": _JDBC, "2.2": _JDBC, "1.20": _jars("flink-connector-jdbc:3.3.0-1.20", "postgresql:42.7.14")},
        note="with the driver of PostgreSQL",
    ),
    Connector("avro", ("avro",), {"2.3": _jars("flink-sql-avro:2.3.0")}),
    Connector(
        "avro-confluent",
        ("avro-confluent", "debezium-avro-confluent"),
        {"2.3": _jars("flink-sql-avro-confluent-registry:2.3.0")},
    ),
    Connector("parquet", ("parquet",), {"2.3": (*_jars("flink-sql-parquet:2.3.0"), *_HADOOP)}),
    Connector("orc", ("orc",), {"2.3": (*_jars("flink-sql-orc:2.3.0"), *_HADOOP)}),
    Connector(
        "protobuf",
        ("protobuf",),
        {"2.3": _jars("flink-protobuf:2.3.0", "protobuf-java:4.32.1")},
        Place.START,
        "the jar of your messages goes into a folder of its own beside it",
    ),
    Connector("paimon", ("paimon",), {"2.3": (*_jars("paimon-flink-2.1:1.3.0"), *_HADOOP)}),
    Connector("iceberg", ("iceberg",), {"2.3": (*_jars("iceberg-flink-runtime-2.1:1.11.0"), *_HADOOP)}, Place.START),
    Connector("s3", ("s3", "s3a"), {"2.3": _jars("flink-s3-fs-hadoop:2.3.0")}, Place.PLUGIN),
    Connector("oss", ("oss",), {"2.3": _jars("flink-oss-fs-hadoop:2.3.0")}, Place.PLUGIN),
    Connector(
        "postgres-cdc",
        ("postgres-cdc",),
        {"1.20": _jars("flink-sql-connector-postgres-cdc:3.5.0")},
        note="the tables need REPLICA IDENTITY FULL",
    ),
)
"""From the most to the least asked for. What is not here was not tried, or does not work with any of these engines."""

DEFAULT = "2.3"
"""The line of Flink that is meant where none is named."""

BY_NAME = {connector.name: connector for connector in CONNECTORS}


def providing(word: str) -> Connector | None:
    """The connector that scripts know by *word*: an identifier of a table, a format, a catalog or a path's scheme."""
    return next((connector for connector in CONNECTORS if word in connector.words), None)


def advice(word: str) -> str:
    """What a person can do who lacks what scripts know by *word*; empty where nothing here brings it."""
    found = providing(word)
    if found is None:
        return ""
    engines = ", ".join(found.engines)
    only = f" (engine {engines} only)" if DEFAULT not in found.engines else ""
    return f"`flinkform connectors install {found.name}` brings it{only}"
