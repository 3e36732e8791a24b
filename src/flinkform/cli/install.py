"""Installs locked packages into this very Python, with uv or pip, and says in one sentence why where it cannot.

`make` runs `python -m flinkform.cli.install LOCK` before anything is installed: the standard library is all it needs.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from flinkform.cli.progress import Progress, Step
from flinkform.errors import FlinkformError, Invalid, Missing, Unavailable

_QUIET = 3
"""Seconds between two lines that say how many packages were found."""

_SIZED = re.compile(r"\s*Downloading (\S+?)(?:-\d\S*)? \((\d{2,}(?:\.\d+)?) ?(?:MB|MiB)\)")
_UNPACKED = re.compile(r"\s*Installing collected packages: (.+)")
_URL = re.compile(r"\S*://\S+")
_REASONS = (
    (
        re.compile(r"No space left|Errno 28|os error 28", re.IGNORECASE),
        Unavailable,
        "the disk is full",
        "make room and run the same command again",
    ),
    (
        re.compile(r"DO NOT MATCH THE HASHES|hash mismatch", re.IGNORECASE),
        Invalid,
        "a package is not the one that the lock names: its hash differs",
        "use another package index, or report it",
    ),
    (
        re.compile(
            r"Retrying \(|connection broken|NewConnectionError|ConnectTimeout|Failed to (?:fetch|connect)"
            r"|error sending request|dns error|SSLError|certificate verify failed|ReadTimeoutError",
            re.IGNORECASE,
        ),
        Unavailable,
        "the package index did not answer",
        "check the network and what pip is told (PIP_INDEX_URL, proxy, certificates), then run the same command again",
    ),
    (
        re.compile(r"No matching distribution found for (?P<name>\S+)|has no wheels with a matching", re.IGNORECASE),
        Missing,
        "the package index has no {name} for this machine and this Python",
        "try another Python (3.11 to 3.13)",
    ),
)
"""What the installers' words mean, the surest first: a full disk also breaks connections."""


def packages(lock: Path, step: Step, *, shell: Mapping[str, str] = os.environ, target: Path | None = None) -> None:
    """Install what *lock* names, by version and hash; into a folder of its own where *target* says one.

    Raises Unavailable, Invalid or Missing. What was installed before a failure stays and is not fetched again.
    """
    total = lock.read_text().count("==") if lock.exists() else 0
    place = ["--target", str(target)] if target else []
    _run([*installer(shell), *place, "--require-hashes", "--no-deps", "-r", str(lock)], step, shell, total=total)
    importlib.invalidate_caches()


def checkout(root: Path, step: Step, *, shell: Mapping[str, str] = os.environ) -> None:
    """Make *root*'s own packages and commands those of this Python; fetches nothing."""
    _run([*installer(shell), "--no-deps", "--no-build-isolation", "-e", str(root)], step, shell)


def main(arguments: Sequence[str] | None = None) -> int:
    """Install the locks named, then the checkout itself."""
    locks = [Path(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    try:
        with Progress().step("installing the locked packages") as step:
            for lock in locks:
                packages(lock, step)
            checkout(Path.cwd(), step)
    except FlinkformError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    return 0


def installer(shell: Mapping[str, str]) -> list[str]:
    """Return the command: uv, which is faster, unless pip alone was told of an index; pip otherwise."""
    uv = shutil.which("uv", path=shell.get("PATH"))
    if uv and (shell.get("UV_DEFAULT_INDEX") or shell.get("UV_INDEX_URL") or not _own_index(shell)):
        return [uv, "pip", "install", "--no-progress", "--python", sys.executable]
    if not find_spec("pip"):
        # A venv that was interrupted, or one that uv made.
        subprocess.run([sys.executable, "-m", "ensurepip"], check=False, capture_output=True, env=dict(shell))
    # Compiling every module takes longer than unpacking it; Python compiles what it imports, and nothing else.
    return [sys.executable, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--no-input"]


def _own_index(shell: Mapping[str, str]) -> bool:
    """Say whether pip's settings, which uv does not read, name an index."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    told = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(shell)).stdout
    return bool(re.search(r"^\S+\.(?:extra-)?(?:index-url|no-index)\b", told, re.MULTILINE))


def _run(command: list[str], step: Step, shell: Mapping[str, str], *, total: int = 0) -> None:
    environment = {"PIP_RETRIES": "2", **shell}
    said: deque[str] = deque(maxlen=400)
    found, last = 0, time.monotonic()
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            found += line.startswith("Collecting ")
            shown = _shown(line)
            if not shown and found and time.monotonic() - last > _QUIET:
                shown = f"{found} of {total} packages"
            if shown:
                step.say(shown)
                last = time.monotonic()
    if process.returncode:
        raise _failure("".join(said))


def _shown(line: str) -> str:
    """Return what of *line* a person wants to see, or ''."""
    if found := _SIZED.match(line):
        return f"downloading {found[1]} ({found[2]} MB)"
    if found := _UNPACKED.match(line):
        return f"unpacking {found[1].count(',') + 1} packages"
    if "Retrying (" in line:
        return "the package index does not answer, trying again"
    return ""


def _failure(said: str) -> FlinkformError:
    """Return the error that the installer's last words mean; no address, as it may hold a password."""
    for pattern, kind, message, advice in _REASONS:
        if found := pattern.search(said):
            name = found.groupdict().get("name") or "such package"
            return kind(message.format(name=name), advice=advice)
    lines = [line for line in said.splitlines() if line.lower().lstrip().startswith(("error", "caused by"))]
    reason = " ".join(lines or said.splitlines()[-3:])
    return FlinkformError(f"the packages could not be installed: {_URL.sub('(address)', reason)[-500:]}")


if __name__ == "__main__":
    sys.exit(main())
