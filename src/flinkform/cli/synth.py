"""Runs `main.py`: from the files of a checkout to stacks that Terraform takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from flinkform.cli import stacks
from flinkform.cli.project import Project
from flinkform.errors import Invalid

_PLAIN = "FLINKFORM_PLAIN"
"""Asks the constructs to do without Node, which takes longer to start than all else that a synth of some jobs does."""


def synthesise(here: Project, environment: dict[str, str]) -> tuple[stacks.Stack, ...]:
    """Run `main.py` and return what it wrote; without Node first, and with it where that is not enough."""
    code = here.home / "cache" / "python"
    kept = _keeping(environment, code)
    done = _run(here, {_PLAIN: "1", **kept})
    if done.returncode and kept.get(_PLAIN) is None:
        done = _run(here, kept)
    # Its own modules are compiled in no time, and those of a commit lie in another folder every time.
    shutil.rmtree(code / here.root.resolve().relative_to(here.root.anchor), ignore_errors=True)
    if done.returncode:
        raise Invalid(f"main.py failed:\n{_reason(done.stderr)}")
    return stacks.read(Path(environment.get("CDKTF_OUTDIR", here.root / "cdktf.out")))


def _run(here: Project, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py"],
        cwd=here.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _keeping(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with byte code kept in *folder* where none was to be kept: to make it takes seconds."""
    if not environment.get("PYTHONDONTWRITEBYTECODE") or environment.get("PYTHONPYCACHEPREFIX"):
        return environment
    kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder)}


def _reason(text: str) -> str:
    """Return what a failed main.py means: the last exception's own words where it is one of ours."""
    lines = text.strip().splitlines()
    last = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].startswith("flinkform.errors.")), None)
    return "\n".join(lines[last:]).split(": ", 1)[-1] if last is not None else text.strip()
