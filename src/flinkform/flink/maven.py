"""Fetches pinned jars from Maven Central; what is not the file that was pinned is thrown away."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flinkform.errors import Invalid, Missing, Unavailable
from flinkform.flink.catalogue import Artifact

_SECONDS = 60


def fetch(
    artifact: Artifact,
    folder: Path,
    *,
    say: Callable[[str], None],
    near: Iterable[Path] = (),
    repositories: Mapping[str, str] | None = None,
) -> Path:
    """Put the jar of *artifact* into *folder*, whole or not at all; one *near* or in the user's Maven cache will do.

    *repositories* are names and addresses of others than Maven Central.

    Unavailable: the repository did not answer. Missing: it has no such jar. Invalid: the jar is another one.
    """
    target = folder / artifact.file
    for kept in (*near, _kept(artifact)):
        if kept.is_file() and _digest(kept) == artifact.sha256:
            shutil.copyfile(kept, target)
            return target
    cache = folder / ".maven"
    try:
        found = _download(artifact, cache, say, repositories)
        if (got := _digest(found)) != artifact.sha256:
            raise Invalid(
                f"{artifact.file} is not the jar that is pinned: expected sha256 {artifact.sha256}, got {got}",
                advice="nothing was installed; somebody between here and the repository changes files, or it is broken",
            )
        found.replace(target)
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    return target


def _download(
    artifact: Artifact, cache: Path, say: Callable[[str], None], repositories: Mapping[str, str] | None
) -> Path:
    # They cost as much to start as all the rest of a command, and only this one downloads.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    @contextmanager
    def shown(file: str, size: int) -> Iterator[Callable[[int], None]]:
        say(f"{file} ({size / 1e6:.1f} MB)")
        yield lambda _: None

    resolver = PythonResolver(progress_callback=shown)
    remote = dict(repositories) if repositories else None
    context = MavenContext(resolver=resolver, repo_cache=cache, local_repos=[], remote_repos=remote, timeout=_SECONDS)
    group, name, version = artifact.coordinates.split(":")
    try:
        return Path(context.project(group, name).at_version(version).artifact().resolve())
    except RequestException as error:
        raise Unavailable(
            f"{artifact.file} could not be fetched: {type(error).__name__}",
            advice="check the network, proxy and certificates, or put it into ~/.m2/repository; then try again",
        ) from error
    except RuntimeError as error:
        raise Missing(
            f"the Maven repository has no {artifact.coordinates}", advice="put it into ~/.m2/repository and try again"
        ) from error


def _kept(artifact: Artifact) -> Path:
    group, name, version = artifact.coordinates.split(":")
    return Path.home().joinpath(".m2", "repository", *group.split("."), name, version, artifact.file)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
