"""A jar in a bucket, against a real S3 server: S3's own, and OSS through what it understands of S3."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli.main import main
from flinkform.controlplane.delivery import fetch

CONTENT = b"PK one program"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    file = tmp_path / "late bids.jar"
    file.write_bytes(CONTENT)
    return file


@pytest.mark.parametrize("scheme", ["s3", "oss"])
def test_a_jar_is_brought_once(bucket: Any, jar: Path, capsys: Any, scheme: str) -> None:
    """Under a name with its content in it; what is printed is what a job file says, and can be fetched."""
    assert main(["jar", str(jar), f"{scheme}://{bucket.name}/jars/"]) == 0
    key = f"jars/late_bids-{SHA256}.jar"
    uri = f"{scheme}://{bucket.name}/{key}"
    assert capsys.readouterr().out == f"jar:\n  uri: {uri}\n  sha256: {SHA256}\n"
    assert bucket.keys == [key]
    assert bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read() == CONTENT
    assert main(["jar", str(jar), f"{scheme}://{bucket.name}/jars", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"uri": uri, "sha256": SHA256, "uploaded": False}
    assert scheme in fetch.SCHEMES


@pytest.mark.parametrize(
    ("file", "location", "said"),
    [
        ("none.jar", "s3://b/x", "expected a jar at none.jar: no such file or directory"),
        ("none.zip", "s3://b/x", "expected a file that ends with .jar, got none.zip"),
        (None, "https://b/x", "expected s3://BUCKET/FOLDER, got https://b/x/"),
        (None, "s3://no-such-bucket/x", "there is no bucket no-such-bucket"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_cannot_be(jar: Path, capsys: Any, file: str | None, location: str, said: str) -> None:
    """Is said in our words."""
    assert main(["jar", file or str(jar), location]) == 1
    assert said in capsys.readouterr().err
