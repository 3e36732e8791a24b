"""A real system for jobs to speak to: a Kafka broker on loopback, gone with the test."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flinkform.flink import maven
from flinkform.flink.catalogue import Artifact
from tests.flink.plane import wait

LOCK = Path(__file__).with_name("broker.lock")
CACHE = Path(os.environ.get("FLINKFORM_TEST_CACHE") or Path.home() / ".cache" / "flinkform-tests")
_JAVA = ("java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
# One process is broker and controller; without the small buffer the log cleaner takes all of the heap.
_SETTINGS = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=1
log.cleaner.dedupe.buffer.size=2097152
log.cleaner.threads=1
"""
_LOGGING = """<Configuration status="error"><Appenders>
<Console name="out"><PatternLayout pattern="%d %p %c - %m%n"/></Console></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


def jars() -> Path:
    """The broker's own jars; Unavailable or Missing where they cannot be had."""
    folder = CACHE / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    for line in LOCK.read_text().splitlines():
        if not line.startswith("#"):
            sha256, coordinates = line.split()
            artifact = Artifact(coordinates, sha256)
            if not (folder / artifact.file).exists():
                maven.fetch(artifact, folder, say=lambda _: None)
    return folder


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """Run a broker until the block ends; its address."""
    port, control = _free(), _free()
    folder.mkdir()
    settings, logging = folder / "server.properties", folder / "log4j2.xml"
    settings.write_text(_SETTINGS.format(port=port, control=control, data=folder / "data"))
    logging.write_text(_LOGGING)
    java = [*_JAVA, f"-Dlog4j2.configurationFile={logging}", "-cp", f"{jars()}/*"]
    made = subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(settings)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([*java, "kafka.Kafka", str(settings)], stdout=out, stderr=out)
    try:
        wait(lambda: _listens(port) or process.poll() is not None, "the broker")
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
