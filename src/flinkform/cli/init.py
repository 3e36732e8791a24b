"""`flinkform init`: an infrastructure repository to begin with, in an empty folder or a fresh Git repository."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from flinkform import __version__
from flinkform.cli import ci
from flinkform.errors import Conflict, Invalid

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def run(options: argparse.Namespace) -> int:
    """Write every file that is not there yet."""
    root = options.folder.resolve()
    wanted = scaffold(_name(options.name or root.name, given=bool(options.name)), tuple(options.ci))
    _fit(root)
    made, kept = [], []
    for path, text in wanted.items():
        if (root / path).exists():
            kept.append(path)
            continue
        ci.place(root / path, text)
        made.append(path)
    if options.json:
        print(json.dumps({"folder": str(root), "written": made, "kept": kept}))
        return 0
    print("\n".join((*(f"+ {path}" for path in made), *(f"  {path} is there, and was left as it is" for path in kept))))
    print("next: commit, then `flinkform up` runs it on this machine")
    return 0


def scaffold(name: str, hosts: tuple[str, ...]) -> dict[str, str]:
    """Return every file of a repository called *name*, by path, with the pipelines of *hosts*."""
    words = {"@NAME@": name, "@HOSTS@": ", ".join(hosts), "@VERSION@": __version__}
    found = dict(sorted(_files(files("flinkform.cli") / "scaffold", words)))
    with tempfile.TemporaryDirectory(prefix="flinkform-init-") as folder:
        for path in ("flinkform.yaml", *(path for path in found if path.startswith("environments/"))):
            ci.place(Path(folder) / path, found[path])
        return found | ci.written(Path(folder))


def _files(folder: Traversable, words: Mapping[str, str], above: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, words, f"{above}{entry.name}/")
        elif entry.name.endswith(".txt"):
            text = entry.read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(word, value)
            name = entry.name.removesuffix(".txt")
            yield above + (f".{name.removeprefix('dot-')}" if name.startswith("dot-") else name), text


def _name(text: str, *, given: bool) -> str:
    name = text if given else re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-0123456789")[:40]
    if not _NAME.fullmatch(name):
        message = f"expected a name of up to 40 lower-case letters, digits and dashes, got {text!r}"
        raise Invalid(message, advice="name it: flinkform init --name NAME")
    return name


def _fit(root: Path) -> None:
    """Raise unless *root* is somewhere to begin."""
    if root.exists() and not root.is_dir():
        raise Invalid(f"expected a folder, got {root}")
    there = {path.name for path in root.iterdir()} if root.exists() else set()
    if "cdktf.json" in there:
        raise Conflict(f"{root} is an infrastructure repository already", advice="`flinkform ci` writes its pipelines")
    if there and ".git" not in there:
        advice = "run it in an empty folder, or after `git init`"
        raise Conflict(f"{root} is neither empty nor a Git repository; nothing was written", advice=advice)
