"""Jars are fetched whole, and only those that were pinned."""

from __future__ import annotations

import gc
import hashlib
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flinkform.errors import Invalid, Missing, Unavailable
from flinkform.flink import maven
from flinkform.flink.catalogue import Artifact

CONTENT = b"a jar" * 1000
JAR = Artifact("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())
PLACE = Path("org/example/thing/1.0/thing-1.0.jar")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Serves `tmp_path/remote`; the user has no Maven cache of their own."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "remote" / PLACE.parent).mkdir(parents=True)
    (tmp_path / "folder").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "remote"))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield {"test": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()
        thread.join()
    with warnings.catch_warnings():  # jgo leaves the answer of a repository that lacks a jar to be collected
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_fetch(tmp_path: Path, repository: dict[str, str]) -> None:
    """A jar arrives whole and alone, and its size was told."""
    (tmp_path / "remote" / PLACE).write_bytes(CONTENT)
    told: list[str] = []
    found = maven.fetch(JAR, tmp_path / "folder", say=told.append, repositories=repository)
    assert found.read_bytes() == CONTENT
    assert list((tmp_path / "folder").iterdir()) == [found]
    assert told == ["thing-1.0.jar (0.0 MB)"]


def test_another_jar(tmp_path: Path, repository: dict[str, str]) -> None:
    """A jar that is not the pinned one is thrown away."""
    (tmp_path / "remote" / PLACE).write_bytes(CONTENT + b"!")
    with pytest.raises(Invalid, match=r"thing-1\.0\.jar is not the jar that is pinned"):
        maven.fetch(JAR, tmp_path / "folder", say=print, repositories=repository)
    assert not list((tmp_path / "folder").iterdir())


def test_no_such_jar(tmp_path: Path, repository: dict[str, str]) -> None:
    """A repository without it, and one that does not answer, are told apart; no address is shown."""
    with pytest.raises(Missing, match=r"has no org\.example:thing:1\.0") as missing:
        maven.fetch(JAR, tmp_path / "folder", say=print, repositories=repository)
    with pytest.raises(Unavailable, match="could not be fetched: ConnectionError") as silent:
        maven.fetch(JAR, tmp_path / "folder", say=print, repositories={"test": "http://127.0.0.1:9"})
    assert "127.0.0.1" not in str(missing.value) + str(silent.value)
    assert not list((tmp_path / "folder").iterdir())


def test_own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's Maven cache and a jar near by are taken without asking anybody, if they are the pinned ones."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    kept = tmp_path / "user" / ".m2" / "repository" / PLACE
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    near = tmp_path / "thing-1.0.jar"
    near.write_bytes(b"broken")
    (tmp_path / "folder").mkdir()
    found = maven.fetch(JAR, tmp_path / "folder", say=print, near=[near], repositories={"test": "http://127.0.0.1:9"})
    assert found.read_bytes() == CONTENT
