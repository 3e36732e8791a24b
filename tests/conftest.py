"""What holds for every test, the databases that those of the control plane run on, and an S3 on this machine."""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from flinkform.flink import objects
from tests.postgresql import postgres, programs
from tests.unit.controlplane.tables import Kind, Postgresql, Sqlite

# Every Flink of every test starts from one archive of its classes, whatever its home.
os.environ.setdefault("FLINKFORM_ARCHIVE", str(Path(sys.prefix) / "archive"))
# No test may fail because the machine is slow.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Bucket:
    """An empty bucket, and what is in it."""

    name: str
    client: Any

    @property
    def uri(self) -> str:
        return f"s3://{self.name}"

    def put(self, *keys: str) -> None:
        for key in keys:
            self.client.put_object(Bucket=self.name, Key=key, Body=b"state")

    def complete(self, folder: str) -> str:
        """A folder with a checkpoint or savepoint in it; its URI."""
        self.put(f"{folder}/data-1", f"{folder}/_metadata")
        return f"{self.uri}/{PurePosixPath(folder)}"

    @property
    def keys(self) -> list[str]:
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.name).get("Contents", ())]


@pytest.fixture(scope="session")
def s3() -> Iterator[Callable[[], Bucket]]:
    """An S3 that this process is set up for as the user of one would be, by AWS' own variables."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  a second that only these tests need

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        shell.setenv("AWS_REGION", "us-east-1")
        shell.setenv("AWS_DEFAULT_REGION", "us-east-1")
        shell.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        shell.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield lambda: Bucket(f"flow-{next(_NUMBERS)}", objects.client())
    objects.client.cache_clear()
    server.stop()


@pytest.fixture
def bucket(s3: Callable[[], Bucket]) -> Iterator[Bucket]:
    made = s3()
    made.client.create_bucket(Bucket=made.name)
    yield made
    # Whatever a test did to the client, the next one gets a fresh one.
    objects.client.cache_clear()


ONLY = os.environ.get("FLINKFORM_DATABASES")
"""The one kind of database to run on; without it, SQLite, and both where a test says so."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that has a database on one kind of it, or on both; another `kind` is the test's own."""
    own = any("kind" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))
    if "kind" in metafunc.fixturenames and not own:
        both = metafunc.definition.get_closest_marker("both")
        kinds = [ONLY] if ONLY else ["sqlite", "postgresql"] if both else ["sqlite"]
        metafunc.parametrize("kind", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL for all tests that want one."""
    found = programs()
    if found is None:
        pytest.skip("no initdb on this machine")
    with postgres(found) as server:
        made = Postgresql(server)
        yield made
        made.close()


@pytest.fixture(scope="session")
def kind(request: pytest.FixtureRequest) -> Kind:
    """The kind of database that this run of a test has."""
    if request.param == "sqlite":
        return Sqlite()
    found: Kind = request.getfixturevalue("postgresql")
    return found
