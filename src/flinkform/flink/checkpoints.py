"""Checkpoints and savepoints as files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flinkform.errors import Invalid

_CHECKPOINT = re.compile(r"chk-(\d+)")
_METADATA = "_metadata"


def newest(checkpoint_dir: str, job_id: str) -> str | None:
    """The newest complete checkpoint of a job, as a URI; None if there is none.

    A folder without `_metadata` is a checkpoint that was under way when Flink died.
    """
    folder = local(checkpoint_dir) / job_id
    found = ((int(match[1]), path) for path in _folders(folder) if (match := _CHECKPOINT.fullmatch(path.name)))
    complete = [(number, path) for number, path in found if (path / _METADATA).is_file()]
    return max(complete)[1].as_uri() if complete else None


def exists(location: str) -> bool:
    """Whether a savepoint or checkpoint is complete."""
    return (local(location) / _METADATA).is_file()


def inside(directory: str) -> str | None:
    """The newest complete savepoint that Flink put below *directory*, as a URI; None if there is none."""
    complete = [path for path in _folders(local(directory)) if (path / _METADATA).is_file()]
    return max(complete, key=lambda path: completed_at(path.as_uri())).as_uri() if complete else None


def completed_at(location: str) -> int:
    """When a savepoint or checkpoint was completed, in nanoseconds since the epoch; 0 if it never was."""
    try:
        return (local(location) / _METADATA).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def delete(location: str) -> None:
    """Remove a savepoint's files; harmless when they are gone. Invalid when it is not a savepoint's folder."""
    folder = local(location)
    if not folder.exists():
        return
    if not (folder / _METADATA).is_file():
        raise Invalid(f"expected a savepoint's folder with {_METADATA}, got {folder}")
    shutil.rmtree(folder)


def local(location: str) -> Path:
    """The path of a `file:` URI or of an absolute path; Invalid for other schemes."""
    parts = urlsplit(location)
    path = Path(unquote(parts.path) if parts.scheme else location)
    if parts.scheme not in ("", "file") or not path.is_absolute():
        raise Invalid(f"expected a file: URI or an absolute path, got {location}")
    return path


def uri(location: str) -> str:
    """What Flink understands: a URI is left alone, a path becomes one."""
    return location if urlsplit(location).scheme else local(location).as_uri()


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
