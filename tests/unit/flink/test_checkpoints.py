"""Which checkpoint is the newest, and what may be deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.errors import Invalid
from flinkform.flink import checkpoints


def complete(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "_metadata").touch()
    return folder


def test_newest(tmp_path: Path) -> None:
    """The highest number counts, not the spelling, and only with _metadata."""
    base = tmp_path / "with space"
    complete(base / "job" / "chk-9")
    wanted = complete(base / "job" / "chk-10")
    (base / "job" / "chk-11").mkdir()
    complete(base / "job" / "shared")
    (base / "job" / "chk-12").touch()
    assert checkpoints.newest(str(base), "job") == wanted.as_uri()
    assert checkpoints.newest(base.as_uri(), "job") == wanted.as_uri()


def test_none(tmp_path: Path) -> None:
    """No folder and an empty folder hold no checkpoint."""
    assert checkpoints.newest(str(tmp_path), "job") is None
    (tmp_path / "job").mkdir()
    assert checkpoints.newest(str(tmp_path), "job") is None


def test_delete(tmp_path: Path) -> None:
    """Only a savepoint's folder is deleted; one that is gone is no error."""
    folder = complete(tmp_path / "savepoint")
    assert checkpoints.exists(folder.as_uri())
    checkpoints.delete(folder.as_uri())
    assert not folder.exists()
    checkpoints.delete(str(folder))
    (tmp_path / "other").mkdir()
    with pytest.raises(Invalid, match="expected a savepoint's folder"):
        checkpoints.delete(str(tmp_path / "other"))
    assert (tmp_path / "other").exists()


@pytest.mark.parametrize("location", ["s3://bucket/x", "relative/path", ""])
def test_elsewhere(location: str) -> None:
    """What is no absolute path on this machine is refused, not guessed."""
    with pytest.raises(Invalid, match="expected a file: URI or an absolute path"):
        checkpoints.local(location)


def test_uri() -> None:
    """A URI goes to Flink as it is, a path as a URI."""
    assert checkpoints.uri("s3://bucket/x y") == "s3://bucket/x y"
    assert checkpoints.uri("/a b") == "file:///a%20b"
