"""Files are fetched from where they are kept: once for each content, and none that was not pinned."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flinkform.controlplane.delivery.fetch import Fetch, jars, uploaded
from flinkform.controlplane.delivery.shelf import Shelf
from flinkform.errors import Conflict, Denied, Invalid, Unavailable
from tests.conftest import Bucket

BYTES = b"a jar"
DIGEST = hashlib.sha256(BYTES).hexdigest()
OTHER = "0" * 64


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    return Fetch(Shelf(tmp_path / "shelf", limit=1000))


class _Site(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/a.jar")
            self.end_headers()
            return
        self.send_response({"/gone": 404, "/busy": 503}.get(self.path.partition("?")[0], 200))
        self.end_headers()
        self.wfile.write(b"x" * 2000 if self.path == "/huge" else BYTES)

    def log_message(self, *_said: object) -> None:
        return


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    _Site.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_pinned_once(fetch: Fetch, site: str) -> None:
    """A pinned file is fetched once, from wherever it is asked for."""
    first = fetch.fetch(f"{site}/a.jar", sha256=DIGEST)
    assert first.read_bytes() == BYTES
    assert fetch.fetch(f"{site}/b.jar#sha256={DIGEST}") == first
    assert _Site.asked == ["/a.jar"]


def test_unpinned(fetch: Fetch, site: str) -> None:
    """A file that nothing pins is fetched for each start, and not for one that is brought back."""
    first = fetch.fetch(f"{site}/a.jar")
    assert fetch.fetch(f"{site}/a.jar", again=True) == first
    assert len(_Site.asked) == 1
    fetch.fetch(f"{site}/a.jar")
    assert len(_Site.asked) == 2


@pytest.mark.parametrize(
    ("path", "failure", "said"),
    [
        ("/gone?signature=x", Conflict, "HTTP 404"),
        ("/busy", Unavailable, "HTTP 503"),
        ("/huge", Invalid, "at most 1000 bytes"),
        ("/away", Conflict, "HTTP 302"),
    ],
)
def test_web_refuses(fetch: Fetch, site: str, path: str, failure: type[Exception], said: str) -> None:
    """What is not there, too large, or led elsewhere is told, and the signature in an address is not."""
    with pytest.raises(failure, match=said) as error:
        fetch.fetch(f"{site}{path}")
    assert "signature" not in str(error.value)
    assert not list(fetch.shelf.path(OTHER).parent.iterdir())


def test_wrong_pin(fetch: Fetch, tmp_path: Path) -> None:
    """Another file than the pinned one is thrown away."""
    (tmp_path / "a b.jar").write_bytes(BYTES)
    with pytest.raises(Invalid, match=f"expected a file with sha256 {OTHER}, got {DIGEST}"):
        fetch.fetch((tmp_path / "a b.jar").as_uri(), sha256=OTHER)
    assert not fetch.shelf.has(DIGEST)


def test_file(fetch: Fetch, tmp_path: Path) -> None:
    """A file of this machine is copied; a folder and a device are none."""
    (tmp_path / "a b.jar").write_bytes(BYTES)
    assert fetch.fetch((tmp_path / "a b.jar").as_uri()).read_bytes() == BYTES
    for bad in (tmp_path.as_uri(), "file:///dev/zero", "file:///nowhere.jar"):
        with pytest.raises(Conflict, match="there is no file"):
            fetch.fetch(bad)


def test_bucket(fetch: Fetch, bucket: Bucket) -> None:
    """An object of a bucket is fetched, by either name of its store."""
    bucket.client.put_object(Bucket=bucket.name, Key="jars/a.jar", Body=BYTES)
    for scheme in ("s3", "oss"):
        assert fetch.fetch(f"{scheme}://{bucket.name}/jars/a.jar") == fetch.shelf.path(DIGEST)
    with pytest.raises(Invalid, match="no such object"):
        fetch.fetch(f"s3://{bucket.name}/jars/b.jar")


def test_uploaded(fetch: Fetch) -> None:
    """What was uploaded belongs to its namespace; what was not is told."""
    place = uploaded("w", "n", "a.jar")
    with pytest.raises(Conflict, match="was not uploaded"):
        fetch.fetch(place)
    with fetch.shelf.incoming() as new:
        new.write(BYTES)
        fetch.shelf.name(place, new.keep())
    asked = {"jarUri": place, "additionalDependencies": [place]}
    assert jars(fetch, asked, place=("w", "n"), sha256=DIGEST, again=False) == (fetch.shelf.path(DIGEST),) * 2
    with pytest.raises(Invalid, match=r"expected artifact://w/n/a.jar to have sha256 0"):
        jars(fetch, asked, place=("w", "n"), sha256=OTHER, again=False)
    with pytest.raises(Denied, match="another namespace"):
        jars(fetch, asked, place=("w", "other"), sha256="", again=False)
