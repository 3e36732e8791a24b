"""What the stacks are told from outside: the repository, the environment, and where the control plane answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flinkform import jobfile
from flinkform.errors import Invalid

DEFAULT_ENDPOINT = "http://127.0.0.1:8711"


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment of one repository."""

    root: Path
    environment: jobfile.Environment
    endpoint: str
    commit: str = ""
    release: str = ""

    @classmethod
    def read(cls, root: Path, shell: Mapping[str, str]) -> Setting:
        """Return the setting that the variables of *shell* ask for.

        FLINKFORM_ENVIRONMENT names a file of `environments/`; FLINKFORM_ENDPOINT is the control plane's URL, else
        what the last `flinkform up` left in FLINKFORM_HOME; FLINKFORM_COMMIT and FLINKFORM_RELEASE, which `flinkform`
        sets where it knows them, go into the labels of the jobs that change. Raises `Invalid` or `NotFound` where
        there is no such environment.
        """
        name = shell.get("FLINKFORM_ENVIRONMENT") or "dev"
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise Invalid(f"expected FLINKFORM_ENVIRONMENT to be the name of an environment, got {name!r}")
        environment = jobfile.environment(root / "environments" / f"{name}.yaml")
        commit, release = (shell.get(f"FLINKFORM_{name}") or "" for name in ("COMMIT", "RELEASE"))
        return cls(root, environment, _endpoint(root, shell), commit, release)


def _endpoint(root: Path, shell: Mapping[str, str]) -> str:
    if given := shell.get("FLINKFORM_ENDPOINT"):
        return given.rstrip("/")
    home = Path(shell.get("FLINKFORM_HOME") or root / ".flinkform").expanduser()
    try:
        return (home / "endpoint").read_text().strip() or DEFAULT_ENDPOINT
    except FileNotFoundError:
        return DEFAULT_ENDPOINT
