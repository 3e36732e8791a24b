"""A bucket for states, against a real S3 server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flinkform.cli import bucket
from flinkform.errors import Invalid, Unavailable


def test_a_bucket_is_made_fit(s3: Callable[[], Any]) -> None:
    """Versions, encryption, nothing public; doing it again changes nothing and says so."""
    wanted = s3()
    assert bucket.ensure(wanted.name, region="eu-central-1") is True
    wanted.put("state")
    assert bucket.ensure(wanted.name, region="eu-central-1") is False
    client = wanted.client
    assert client.get_bucket_versioning(Bucket=wanted.name)["Status"] == "Enabled"
    rules = client.get_bucket_encryption(Bucket=wanted.name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(client.get_public_access_block(Bucket=wanted.name)["PublicAccessBlockConfiguration"].values())
    assert client.get_bucket_location(Bucket=wanted.name)["LocationConstraint"] == "eu-central-1"
    assert wanted.keys == ["state"]


def test_a_name_that_is_none(s3: Callable[[], Any]) -> None:
    """S3's rules are told with what was given."""
    s3()
    with pytest.raises(Invalid, match="'NOT A BUCKET'"):
        bucket.ensure("NOT A BUCKET", region="us-east-1")


def test_an_s3_that_is_not_there(s3: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where to look, and holds no key."""
    s3()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match="cannot be reached") as told:
        bucket.ensure("flow", region="us-east-1")
    assert "EXAMPLE" not in str(told.value)
