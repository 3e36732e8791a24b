"""Folders of an S3 bucket, as far as checkpoints and savepoints need them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flinkform.errors import Denied, FlinkformError, Invalid, Unavailable

SCHEMES = ("s3", "s3a", "s3n", "s3p")
"""What Flink's two S3 file systems answer to."""
OSS = "oss"
"""Alibaba Cloud's own, which understands S3's requests where AWS_ENDPOINT_URL_S3 names it."""
_CHUNK = 1 << 20
_DENIED = ("401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")
_BATCH = 1000
"""Objects that one request may delete."""


def modified(location: str) -> int:
    """When an object was written, in nanoseconds since the epoch; 0 if it is not there."""
    bucket, key = _split(location)
    with _answering(bucket):
        # A key sorts before all that begin with it; unlike a HEAD, an absent one is no error.
        found = client().list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", ())
    return int(found[0]["LastModified"].timestamp() * 1e9) if found and found[0]["Key"] == key else 0


def read(location: str, write: Callable[[bytes], None]) -> None:
    """Hand an object over, part by part; what an S3 client can read of OSS too. Invalid: it is not there."""
    bucket, key = _split(location, (*SCHEMES, OSS))
    with _answering(bucket), client().get_object(Bucket=bucket, Key=key)["Body"] as body:
        while data := body.read(_CHUNK):
            write(data)


def put(location: str, file: Path) -> bool:
    """Bring a file there, where the name says its content; False if it was there. What OSS understands of S3 too."""
    bucket, key = _split(location, (*SCHEMES, OSS))
    with _answering(bucket):
        found = client().list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", ())
        if found and found[0]["Key"] == key and found[0]["Size"] == file.stat().st_size:
            return False
        with file.open("rb") as content:
            client().put_object(Bucket=bucket, Key=key, Body=content)
    return True


def filled(location: str) -> bool:
    """Whether there is anything in a folder."""
    bucket, key = _split(location)
    with _answering(bucket):
        return bool(client().list_objects_v2(Bucket=bucket, Prefix=f"{key}/", MaxKeys=1).get("Contents"))


def folders(location: str) -> list[str]:
    """The names of the folders in one."""
    bucket, key = _split(location)
    with _answering(bucket):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/", Delimiter="/")
        found = [part["Prefix"] for page in pages for part in page.get("CommonPrefixes", ())]
    return [prefix.rstrip("/").rpartition("/")[2] for prefix in found]


def remove(location: str, *, first: str) -> None:
    """Delete a folder and all that is in it, beginning with the objects called *first*; harmless when it is gone."""
    bucket, key = _split(location)
    with _answering(bucket):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/")
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        keys.sort(key=lambda name: name.rpartition("/")[2] != first)
        for start in range(0, len(keys), _BATCH):
            doomed = {"Objects": [{"Key": name} for name in keys[start : start + _BATCH]], "Quiet": True}
            answer = client().delete_objects(Bucket=bucket, Delete=doomed)
            if errors := answer.get("Errors"):
                raise _told(bucket, str(errors[0].get("Code")))


def _split(location: str, schemes: tuple[str, ...] = SCHEMES) -> tuple[str, str]:
    """Bucket and key. Invalid: there is none of either, as the whole bucket is never ours."""
    parts = urlsplit(location)
    key = parts.path.strip("/")
    if parts.scheme not in schemes or not parts.netloc or not key:
        raise Invalid(f"expected s3://BUCKET/FOLDER, got {location}")
    return parts.netloc, key


@cache
def client() -> Any:
    """The client of this process; key, region and endpoint come from where AWS' own tools take them."""
    # Imported here: it takes a third of a second, and most never have anything on S3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    patience = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"total_max_attempts": 2, "mode": "standard"},
        # OSS takes no checksums that come behind a content.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client("s3", config=patience)


@contextmanager
def _answering(bucket: str) -> Iterator[None]:
    """Say in our words what S3 refuses. Its own text is left out: it may repeat what it was asked with."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  see client

    try:
        yield
    except ClientError as error:
        raise _told(bucket, _code(error)) from None
    except BotoCoreError as error:
        raise Unavailable(
            f"the bucket {bucket} cannot be reached ({type(error).__name__})",
            advice="check AWS_ENDPOINT_URL_S3, AWS_REGION and the access key of the control plane",
        ) from None


def _told(bucket: str, code: str) -> FlinkformError:
    if code in _DENIED:
        return Denied(
            f"the bucket {bucket} does not let the control plane in ({code})",
            advice="check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do",
        )
    if code == "NoSuchBucket":
        return Invalid(f"there is no bucket {bucket}", advice="make it, or check AWS_ENDPOINT_URL_S3")
    if code == "NoSuchKey":
        return Invalid(f"there is no such object in the bucket {bucket}")
    return Unavailable(f"the bucket {bucket} answers with {code}")


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code"))
