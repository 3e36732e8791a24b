"""Checkpoints and savepoints in a bucket are found and removed as those in folders are."""

from __future__ import annotations

import pytest

from flinkform.errors import Denied, FlinkformError, Invalid, Unavailable
from flinkform.flink import checkpoints, objects
from tests.conftest import SECRET, Bucket


def test_newest(bucket: Bucket) -> None:
    """The highest number counts, not the spelling, and only with _metadata; folders beside it do not."""
    bucket.complete("flow/job/chk-9")
    wanted = bucket.complete("flow/job/chk-10")
    bucket.put("flow/job/chk-11/data", "flow/job/shared/_metadata", "flow/job2/chk-99/_metadata")
    assert checkpoints.newest(f"{bucket.uri}/flow", "job") == wanted
    assert checkpoints.newest(f"{bucket.uri}/flow/", "none") is None
    assert sorted(checkpoints.folders(f"{bucket.uri}/flow")) == ["job", "job2"]


def test_complete(bucket: Bucket) -> None:
    """A savepoint is complete with its _metadata; one below a folder is found, and told when it was written."""
    bucket.put("flow/a/savepoint-1/_metadata-not", "flow/a/savepoint-2/data")
    assert checkpoints.inside(f"{bucket.uri}/flow/a") is None
    assert not checkpoints.exists(f"{bucket.uri}/flow/a/savepoint-1")
    place = bucket.complete("flow/a/savepoint-3")
    assert checkpoints.inside(f"{bucket.uri}/flow/a") == place
    assert checkpoints.completed_at(place) > 1_700_000_000 * 10**9


def test_removal(bucket: Bucket) -> None:
    """A folder goes with all that is in it and with nothing beside it; one that is gone is no error."""
    place = bucket.complete("flow/a/savepoint-1")
    bucket.put("flow/a/savepoint-1/inner/deep", "flow/a/savepoint-10/_metadata")
    checkpoints.delete(place)
    checkpoints.delete(place)
    assert bucket.keys == ["flow/a/savepoint-10/_metadata"]


def test_many_objects(bucket: Bucket) -> None:
    """More objects than one answer holds are removed too."""

    def few(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 2

    bucket.client.meta.events.register("before-parameter-build.s3.ListObjectsV2", few)
    bucket.put("flow/a/_metadata", *(f"flow/a/{n}" for n in range(5)), "flow/b/_metadata")
    checkpoints.remove(f"{bucket.uri}/flow/a")
    assert bucket.keys == ["flow/b/_metadata"]


@pytest.mark.parametrize("place", ["s3://bucket", "s3://bucket/", "s3:///a", "gs://bucket/a"])
def test_a_whole_bucket_is_never_removed(place: str) -> None:
    """What names no folder in a bucket is refused before anything is asked."""
    with pytest.raises(Invalid, match="expected "):
        objects.remove(place, first="_metadata")


def test_no_bucket(bucket: Bucket) -> None:
    """A bucket that is not there is the user's to make."""
    assert bucket.name
    with pytest.raises(Invalid, match="there is no bucket nowhere"):
        checkpoints.exists("s3://nowhere/a/b")


def test_unreachable(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer is worth trying again."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    objects.client.cache_clear()
    with pytest.raises(Unavailable, match=f"the bucket {bucket.name} cannot be reached"):
        checkpoints.exists(f"{bucket.uri}/a/b")


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "AccessDenied", "SlowDown"])
def test_errors_hold_no_secrets(bucket: Bucket, code: str) -> None:
    """What S3 refuses is told without S3's text, which repeats what it was asked with."""
    from botocore.exceptions import ClientError  # noqa: PLC0415  as in the code under test

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": f"the key {SECRET} is not known"}}, "ListObjectsV2")

    bucket.client.meta.events.register("before-parameter-build.s3.ListObjectsV2", refuse)
    with pytest.raises(FlinkformError) as caught:
        checkpoints.folders(f"{bucket.uri}/a")
    assert isinstance(caught.value, Unavailable if code == "SlowDown" else Denied)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
