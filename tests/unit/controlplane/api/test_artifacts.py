"""Programs in jars: what a deployment may say of one, and how its file is uploaded."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from flinkform.controlplane.delivery import links
from flinkform.controlplane.delivery.fetch import at
from flinkform.resources.job import JAR_SHA256
from tests.unit.controlplane.api.world import HOST, Api, Clock

PROGRAM = {"jarUri": "https://host/a.jar", "entryClass": "org.A", "mainArgs": "--a 'b c'"}


def jar(**fields: Any) -> dict[str, Any]:
    return {"artifact": {"kind": "JAR", "jarArtifact": {**PROGRAM, **fields}}}


def link(api: Api, name: str = "a.jar") -> tuple[str, str]:
    """Where a file is going to be, and the path that it is put to."""
    found = api.call("GetPreSignedUrlForPutObject", fileName=name)["data"]
    parts = urlsplit(found["preSignedUrl"])
    assert parts.netloc == HOST
    return found["jarUrl"], parts.path


def test_comes_back(api: Api) -> None:
    """A program is kept as it was sent; what a script left behind is not."""
    made = api.make()
    after = api.call("UpdateDeployment", jar(), deploymentId=made)["data"]
    assert after["artifact"] == {"kind": "JAR", "jarArtifact": PROGRAM}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (jar(jarUri=None), "artifact.jarArtifact.jarUri: expected the URI of a jar, got nothing"),
        (jar(jarUri="a.jar"), "artifact.jarArtifact.jarUri: expected a URI with one of file:, http:"),
        (jar(jarUri="https://u:p@host/a.jar"), "artifact.jarArtifact.jarUri: expected a URI without a user"),
        (jar(jarUri="file:a.jar"), "artifact.jarArtifact.jarUri: expected file: and an absolute path"),
        (jar(jarUri="https://host/a.jar#x"), "artifact.jarArtifact.jarUri: expected #sha256="),
        (jar(entryClass="a b"), "artifact.jarArtifact.entryClass: expected the name of a class"),
        (jar(mainArgs="'a"), "artifact.jarArtifact.mainArgs: expected words as a shell takes them"),
        (jar(additionalDependencies=["b"]), "artifact.jarArtifact.additionalDependencies[0]: expected a URI"),
        ({**jar(), "labels": {JAR_SHA256: "12"}}, f"labels.{JAR_SHA256}: expected a sha256 of 64"),
    ],
)
def test_wrong(api: Api, change: dict[str, Any], said: str) -> None:
    """What no program could be started from is refused at its place."""
    code, message = api.fails("UpdateDeployment", change, deploymentId=api.make())
    assert code == "InvalidParameter"
    assert message.startswith(said)


def test_upload(api: Api) -> None:
    """What is put to a link is kept once by its content, in private files, and is what its URI means."""
    shelf = at(api.services.settings.home / "artifacts").shelf
    digest = hashlib.sha256(b"bytes").hexdigest()
    for name in ("a.jar", "b.jar"):
        place, path = link(api, name)
        assert place == f"artifact://{api.workspace}/{api.namespace}/{name}"
        answer = api.client.request("PUT", path, content=b"bytes")
        assert (answer.status_code, answer.json()) == (200, {"sha256": digest})
        assert shelf.named(place) == digest
    files = list(shelf.path(digest).parent.iterdir())
    assert files == [shelf.path(digest)]
    assert files[0].read_bytes() == b"bytes"
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


def test_no_other_name(api: Api) -> None:
    """A name that is a path is none."""
    code, message = api.fails("GetPreSignedUrlForPutObject", fileName="../a.jar")
    assert (code, message[:24]) == ("InvalidParameter", "fileName: expected a fil")


def test_bad_links(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that was changed, or is too old, brings nothing; so do no bytes and too many."""
    _, path = link(api)
    home = api.services.settings.home / "artifacts"
    for bad in (path[:-1] + ("0" if path[-1] != "0" else "1"), path.rpartition("/")[0] + "/é.ü"):
        assert api.client.request("PUT", bad, content=b"x").status_code == 403
    assert api.client.request("PUT", path, content=b"").status_code == 400
    monkeypatch.setattr(at(home).shelf, "limit", 3)
    assert api.client.request("PUT", path, content=b"four").status_code == 413
    assert api.client.request("PUT", path, content=iter_(b"four")).status_code == 400
    clock.now += links.SECONDS + 1
    assert api.client.request("PUT", path, content=b"x").status_code == 403
    assert not list(Path(home / "files").iterdir())


async def iter_(content: bytes) -> Any:
    """A body whose length is not announced."""
    yield content
