"""Checkpoints and savepoints as files, on this machine or in a bucket."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flinkform.errors import Invalid, Unavailable
from flinkform.flink import objects

_CHECKPOINT = re.compile(r"chk-(\d+)")
_RETAINED = re.compile(r"/([0-9a-f]{32})/chk-(\d+)/?$")
_METADATA = "_metadata"


def newest(checkpoint_dir: str, job_id: str) -> str | None:
    """The newest complete checkpoint of a job, as a URI; None if there is none.

    A folder without `_metadata` is a checkpoint that was under way when Flink died.
    """
    folder = join(checkpoint_dir, job_id)
    for number in sorted(numbers(folder), reverse=True):
        if exists(place := join(folder, f"chk-{number}")):
            return place
    return None


def numbers(folder: str) -> list[int]:
    """The numbers of the checkpoints in a job's folder, complete or not."""
    return [int(match[1]) for name in folders(folder) if (match := _CHECKPOINT.fullmatch(name))]


def job(location: str) -> str | None:
    """The id of the job that a retained checkpoint is of; None for a savepoint."""
    match = _RETAINED.search(location)
    return match[1] if match else None


def number(location: str) -> int:
    """The number of a retained checkpoint; 0 for a savepoint."""
    match = _RETAINED.search(location)
    return int(match[2]) if match else 0


def exists(location: str) -> bool:
    """Whether a savepoint or checkpoint is complete."""
    return completed_at(location) > 0


def inside(directory: str) -> str | None:
    """The newest complete savepoint that Flink put below *directory*, as a URI; None if there is none."""
    found = [(at, place) for name in folders(directory) if (at := completed_at(place := join(directory, name)))]
    return max(found)[1] if found else None


def completed_at(location: str) -> int:
    """When a savepoint or checkpoint was completed, in nanoseconds since the epoch; 0 if it never was."""
    if _remote(location):
        return objects.modified(join(location, _METADATA))
    file = local(location) / _METADATA
    try:
        return max(1, file.stat().st_mtime_ns) if file.is_file() else 0
    except FileNotFoundError:
        return 0


def check(location: str) -> None:
    """Raise Invalid if there is something at *location*, and it is no savepoint or checkpoint."""
    if exists(location):
        return
    if objects.filled(location) if _remote(location) else local(location).exists():
        raise Invalid(f"expected a savepoint's folder with {_METADATA}, got {location}")


def delete(location: str) -> None:
    """Remove a savepoint's files; harmless when they are gone. Invalid when it is not a savepoint's folder."""
    check(location)
    remove(location)


def remove(folder: str) -> None:
    """Remove a folder, whatever it is; harmless when it is gone. Unavailable: some of it is still there.

    Every `_metadata` goes first: of a removal that was cut short nobody takes the rest for a whole one.
    """
    if _remote(folder):
        objects.remove(folder, first=_METADATA)
        return
    path = local(folder)
    try:
        for file in path.rglob(_METADATA):
            file.unlink(missing_ok=True)
        shutil.rmtree(path)
    except OSError as error:
        if path.exists():
            raise Unavailable(f"cannot remove {path}: {error.strerror}") from error


def folders(location: str) -> list[str]:
    """The names of the folders in one; none where there is no such folder."""
    if _remote(location):
        return objects.folders(location)
    path = local(location)
    return [inner.name for inner in path.iterdir() if inner.is_dir()] if path.is_dir() else []


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


def join(folder: str, *names: str) -> str:
    """The URI of what is in a folder."""
    if _remote(folder):
        return "/".join((folder.rstrip("/"), *names))
    return local(folder).joinpath(*names).as_uri()


def _remote(location: str) -> bool:
    return urlsplit(location).scheme in objects.SCHEMES
