"""A Git repository to commit into."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flinkform.release.git import Repository

SQL = "CREATE TEMPORARY TABLE t (x INT) WITH ('connector' = 'datagen');\n"
WHO = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


@dataclass
class Site:
    """A repository with a work tree, an author and a home of its own."""

    root: Path
    home: Path
    shell: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        self.shell = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, feed: bytes = b"") -> bytes:
        """Return what git prints."""
        shell = {**self.shell, **WHO, "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(
            ["git", *words], cwd=self.root, env=shell, input=feed, check=True, capture_output=True
        ).stdout

    def commit(self, files: Mapping[str, str | bytes | None], *, message: str = "change") -> str:
        """Write *files*, take away those that are None, and return the commit that has them so."""
        for path, text in files.items():
            file = self.root / path
            if text is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode() if isinstance(text, str) else text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").decode().strip()

    def linked(self, path: str, target: str) -> str:
        """Commit a symbolic link."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).symlink_to(target)
        return self.commit({})

    @property
    def repository(self) -> Repository:
        return Repository.around(self.root, self.shell)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site", tmp_path / "home")
