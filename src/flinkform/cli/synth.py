"""Runs `main.py`: from the files of a checkout to stacks that Terraform takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from flinkform.cli import stacks
from flinkform.cli.project import Project
from flinkform.errors import Invalid


def synthesise(here: Project, environment: dict[str, str]) -> tuple[stacks.Stack, ...]:
    """Run `main.py` and return what it wrote."""
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=here.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Invalid(f"main.py failed:\n{_reason(done.stderr)}")
    return stacks.read(Path(environment.get("CDKTF_OUTDIR", here.root / "cdktf.out")))


def _reason(text: str) -> str:
    """Return what a failed main.py means: the last exception's own words where it is one of ours."""
    lines = text.strip().splitlines()
    last = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].startswith("flinkform.errors.")), None)
    return "\n".join(lines[last:]).split(": ", 1)[-1] if last is not None else text.strip()
