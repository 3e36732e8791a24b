"""Stacks that an earlier `up` of this checkout applied and that are in it no longer: a team's folder was removed.

Terraform sees nothing of a stack that is not synthesised, so its jobs would run for ever. Only what this very home
remembers is ever destroyed: another checkout may keep its stacks at the same control plane.
"""

from __future__ import annotations

import json
from pathlib import Path

from flinkform.cli.project import Project
from flinkform.cli.stacks import Stack
from flinkform.controlplane.home import write


def remember(here: Project, names: set[str]) -> None:
    """Write down which stacks this home has applied; before they are, so that none is forgotten."""
    file = _file(here)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write(file, json.dumps(sorted(names)))


def known(here: Project) -> set[str]:
    """Return the stacks that were remembered for this environment."""
    file = _file(here)
    return set(json.loads(file.read_text())) if file.exists() else set()


def emptied(here: Project, found: tuple[Stack, ...]) -> tuple[Stack, ...]:
    """Return a stack with nothing in it for each that is gone: to apply it is to destroy what it had.

    Backend and provider are those of the stacks that are left.
    """
    gone = sorted(known(here) - {stack.name for stack in found})
    return tuple(filter(None, (empty(here, name, found[0]) for name in gone))) if found else ()


def empty(here: Project, name: str, like: Stack) -> Stack | None:
    """Return the stack *name* with nothing in it, or `None` where states are not the control plane's to keep."""
    page = json.loads((like.folder / "cdk.tf.json").read_text())
    page = {key: page[key] for key in ("terraform", "provider") if key in page}
    backend = page["terraform"].get("backend", {}).get("http")
    if backend is None:
        return None
    old, new = f"/{here.environment}/{like.name}", f"/{here.environment}/{name}"
    for key in ("address", "lock_address", "unlock_address"):
        backend[key] = backend[key].removesuffix(old) + new
    folder = here.home / "removed" / here.environment / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(folder / "cdk.tf.json", json.dumps(page))
    return Stack(name, folder, ())


def _file(here: Project) -> Path:
    return here.home / "applied" / f"{here.environment}.json"
