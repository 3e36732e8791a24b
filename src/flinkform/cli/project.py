"""Where things are: the repository, the home that `up` writes to, and what the shell says about both."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flinkform.errors import Invalid, Missing, Unavailable

OWN = "FLINKFORM_OWN_ENDPOINT"
"""What `flinkform env` says beside FLINKFORM_ENDPOINT where that is the home's own: it may be another by now."""


@dataclass(frozen=True, slots=True)
class Project:
    """A checkout with a `cdktf.json`, its home (FLINKFORM_HOME) and the shell's environment."""

    root: Path
    home: Path
    shell: Mapping[str, str]

    @property
    def environment(self) -> str:
        return self.shell.get("FLINKFORM_ENVIRONMENT") or "dev"

    def within(self, environment: str) -> Project:
        """Return the same checkout in another environment."""
        return Project(self.root, self.home, {**self.shell, "FLINKFORM_ENVIRONMENT": environment})

    @property
    def endpoint_file(self) -> Path:
        return self.home / "endpoint"

    def endpoint(self) -> str:
        """Return the control plane's URL: FLINKFORM_ENDPOINT, else what the last `up` remembered, else ''."""
        if given := self.shell.get("FLINKFORM_ENDPOINT"):
            return given.rstrip("/")
        if self.endpoint_file.exists():
            return self.endpoint_file.read_text().strip()
        return ""

    def credentials(self) -> tuple[str, str]:
        """Return the access key to use: the shell's, else the home's own."""
        key = self.shell.get("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
        secret = self.shell.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
        file = self.home / "credentials.json"
        if (key and secret) or not file.exists():
            return key, secret
        try:
            kept = json.loads(file.read_text())
            return kept["access_key_id"], kept["access_key_secret"]
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(
                f"{file} holds no access key", advice="delete it; `flinkform down` and `up` make another"
            ) from error

    @property
    def signer(self) -> str:
        """Where the access key comes from, for a person."""
        key, secret = (self.shell.get(f"ALIBABA_CLOUD_ACCESS_KEY_{part}") for part in ("ID", "SECRET"))
        return "ALIBABA_CLOUD_ACCESS_KEY_ID" if key and secret else str(self.home / "credentials.json")

    def login(self) -> tuple[str, str, str]:
        """Return endpoint, key id and secret; `Unavailable` where there is no control plane to speak to yet."""
        endpoint = self.endpoint()
        key, secret = self.credentials()
        if not endpoint or not key:
            raise Unavailable("no control plane has been started here", advice="run `flinkform up`")
        return endpoint, key, secret


def find(shell: Mapping[str, str] = os.environ, *, start: Path | None = None) -> Project:
    """Return the project around *start* (default: the working directory).

    A FLINKFORM_ENDPOINT that is the home's own is dropped from its shell.
    """
    here = (start or Path.cwd()).resolve()
    root = _root(here)
    given = shell.get("FLINKFORM_HOME")
    if root is None and not given:
        raise _outside(here)
    root = root or here
    home = Path(given).expanduser().resolve() if given else root / ".flinkform"
    found = Project(root=root, home=home, shell={k: v for k, v in shell.items() if k != "FLINKFORM_ENDPOINT"})
    named = shell.get("FLINKFORM_ENDPOINT", "").rstrip("/")
    # What `flinkform env` exported is no other control plane: it may be started again, on another port too.
    return found if named in {found.endpoint(), shell.get(OWN)} else Project(root=root, home=home, shell=shell)


def checkout(shell: Mapping[str, str] = os.environ, *, start: Path | None = None) -> Project:
    """Return the project around *start*, for what reads its files: FLINKFORM_HOME alone is not enough."""
    here = (start or Path.cwd()).resolve()
    if _root(here) is None:
        raise _outside(here)
    return find(shell, start=here)


def _root(here: Path) -> Path | None:
    return next((p for p in (here, *here.parents) if (p / "cdktf.json").exists()), None)


def _outside(here: Path) -> Missing:
    return Missing(f"no cdktf.json in {here} or above", advice="run this inside an infrastructure repository")
