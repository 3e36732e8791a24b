"""Flink beside us with its state in a bucket; `make bucket` runs this, for it fetches 32 MB."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.controlplane.settings import from_environment
from flinkform.flink import checkpoints, connectors
from flinkform.flink.rest import Rest
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.values import Submission
from tests.conftest import SECRET, Bucket
from tests.flink.conftest import ended, printed, stopped, until
from tests.flink.test_lifecycle import counting

pytestmark = pytest.mark.skipif(not os.environ.get("FLINKFORM_BUCKET"), reason="fetches 32 MB; make bucket runs it")


@pytest.fixture
def runtime(settings: Settings, bucket: Bucket, tmp_path: Path) -> Iterator[Embedded]:
    """A Flink that reaches the bucket as the control plane's own would, from its environment."""
    assert bucket.keys == []
    place = tmp_path / "connectors"
    connectors.install(place, "s3", engine="2.3", say=lambda _: None)
    given = from_environment(os.environ, home=tmp_path, host="127.0.0.1", port=0, java=None)
    made = Embedded(replace(settings, home=tmp_path / "flink", connectors=place, filesystem=given.filesystem))
    made.start()
    yield made
    made.stop()


def test_state_in_a_bucket(runtime: Embedded, bucket: Bucket) -> None:
    """Checkpoints and a savepoint are written, found, restored exactly and deleted; the secret key is nowhere."""

    def job(name: str, restore: str | None = None) -> Submission:
        place = f"{bucket.uri}/state"
        once = {"restart-strategy.type": "none"}
        return Submission(uuid.uuid4().hex, name, counting(name), place, place, options=once, restore=restore)

    first = job("before")
    runtime.submit(first)
    until(lambda: checkpoints.newest(first.checkpoint_dir, first.id))
    location = stopped(runtime, first.id, f"{bucket.uri}/kept")
    assert checkpoints.inside(f"{bucket.uri}/kept") == location
    last = printed(runtime.home, "before")[-1]

    second = job("after", location)
    runtime.submit(second)
    until(lambda: checkpoints.newest(second.checkpoint_dir, second.id))
    assert printed(runtime.home, "after")[0] == (last[0] + 1, last[1] + 1)
    checkpoints.delete(location)
    assert not [key for key in bucket.keys if key.startswith("kept/savepoint")]

    runtime.cancel(second.id)
    ended(runtime, second.id)
    assert SECRET not in str(Rest(runtime.rest, timeout=30).get("/jobmanager/config"))
    files = [path for path in runtime.home.rglob("*") if path.is_file() and path.stat().st_size < 1 << 24]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
