"""`flinkform ci`: the pipelines of a repository, written anew from what it declares."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from flinkform import jobfile
from flinkform.cli import project
from flinkform.errors import Conflict, NotFound
from flinkform.release.pipelines import pipelines


def run(options: argparse.Namespace) -> int:
    """Write what differs, and say so."""
    root = project.checkout().root
    wanted = written(root)
    stale = [path for path, text in wanted.items() if not _same(root / path, text)]
    if options.check and stale:
        raise Conflict(f"{', '.join(stale)}: not as flinkform.yaml says", advice="run `flinkform ci`")
    for path in stale:
        place(root / path, wanted[path])
    if options.json:
        print(json.dumps({"written": stale, "unchanged": sorted(wanted.keys() - stale)}))
    else:
        print("\n".join(f"{path} {'written' if path in stale else 'unchanged'}" for path in wanted))
    return 0


def written(root: Path) -> dict[str, str]:
    """Return what the pipelines of the repository at *root* are, by path. NotFound: an environment is not there."""
    settings = jobfile.settings(root)
    approvals = {}
    for name in settings.environments:
        file = root / "environments" / f"{name}.yaml"
        if not file.is_file():
            raise NotFound(f"ci.environments names {name}, and there is no {file}", advice="write it, or name another")
        approvals[name] = int(jobfile.environment(file).release.get("approvals") or 0)
    return pipelines(settings, approvals)


def place(file: Path, text: str) -> None:
    """Replace a file of the repository in one step; it is as readable as others are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _same(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8", errors="replace") == text
