"""Which program is used, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.cli import tools
from flinkform.errors import Missing


def program(folder: Path, name: str, says: str) -> Path:
    """Put a program into *folder* that prints *says*."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_named_terraform_wins(tmp_path: Path) -> None:
    """TERRAFORM_BINARY_NAME is looked at before terraform on PATH."""
    program(tmp_path, "terraform", "Terraform v1.11.4")
    tofu = program(tmp_path, "tofu", "OpenTofu v1.10.10")
    found = tools.terraform({"PATH": str(tmp_path), "TERRAFORM_BINARY_NAME": "tofu"})
    assert (found.path, found.version) == (str(tofu), "1.10.10")


def test_a_named_terraform_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """What the user named is never replaced silently."""
    with pytest.raises(Missing, match="TERRAFORM_BINARY_NAME is tofu"):
        tools.terraform({"PATH": str(tmp_path), "TERRAFORM_BINARY_NAME": "tofu"})


def test_an_old_java_is_not_used(tmp_path: Path) -> None:
    """Java 8, which calls itself 1.8, and Java 11 are too old."""
    for old in ('java version "1.8.0_402"', 'openjdk version "11.0.22"'):
        path = program(tmp_path / "bin", "java", old)
        assert tools.java({"PATH": str(tmp_path / "bin")}).path != str(path)


def test_java_home_goes_before_path(tmp_path: Path) -> None:
    """JAVA_HOME is what a Java user sets to choose."""
    program(tmp_path / "path", "java", 'openjdk version "17.0.1"')
    (tmp_path / "home").mkdir()
    chosen = program(tmp_path / "home" / "bin", "java", 'openjdk version "21.0.2"')
    found = tools.java({"PATH": str(tmp_path / "path"), "JAVA_HOME": str(tmp_path / "home")})
    assert (found.path, found.version, found.source) == (str(chosen), "21.0.2", "JAVA_HOME")


def test_a_missing_tool_says_what_to_do() -> None:
    """The advice names the command that brings it."""
    missing = tools.Tool("java", "", "", "", ">= 17", "java.lock")
    with pytest.raises(Missing, match="java >= 17 was not found; run `flinkform doctor --install`"):
        missing.require()


def test_flink_is_here() -> None:
    """The locked environment brings Flink 2.3."""
    assert tools.flink().version.startswith("2.3.")
