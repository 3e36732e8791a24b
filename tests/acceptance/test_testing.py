"""What users get for their own tests, in a checkout of theirs."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.acceptance.repository import ROOT, Repository


def test_the_guide(tmp_path: Path) -> None:
    """The guide's tests pass in a user's repository: real plans, golden files, and nothing left behind."""
    repository = Repository.make(tmp_path / "repository")
    repository.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    repository.write("tests/test_jobs.py", _code(ROOT / "docs/guides/testing.md"))
    first = _pytest(repository, "--update-golden")
    assert re.search(r"^3 passed", first.splitlines()[-1]), first
    assert sorted(file.name for file in (repository.root / "tests/golden").iterdir()) == ["shop.json", "workspace.json"]
    assert not repository.home.exists()
    assert _processes(tmp_path) == []


def _pytest(repository: Repository, *words: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *words]
    base = repository.root.parent / "base"
    done = subprocess.run(
        [*command, f"--basetemp={base}"],
        cwd=repository.root,
        env=repository.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr


def _processes(below: Path) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended while we looked
            found.append(file.read_bytes().replace(b"\0", b" ").decode())
    return [command for command in found if str(below) in command]


def _code(guide: Path) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL))
