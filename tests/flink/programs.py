"""Compiles the program of the tests into jars, where the machine has a Java compiler."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from flinkform.flink import engines

_SOURCES = Path(__file__).parent / "java"


@dataclass(frozen=True, slots=True)
class Jars:
    """*counting* is the program, *extra* what it needs when it is told to be wider."""

    counting: Path
    extra: Path


def compiled(folder: Path) -> Jars:
    """Compile into *folder*; skips where there is no javac."""
    if not shutil.which("javac"):
        pytest.skip("no javac on PATH")
    classes = folder / "classes"
    jars = ":".join(map(str, (engines.find(None) / "lib").glob("*.jar")))
    sources = list(map(str, _SOURCES.rglob("*.java")))
    subprocess.run(["javac", "--release", "17", "-nowarn", "-cp", jars, "-d", str(classes), *sources], check=True)
    manifest = "Manifest-Version: 1.0\nMain-Class: org.example.Counting\n"
    every = sorted(path for path in classes.rglob("*.class"))
    mine = [path for path in every if path.stem != "Extra"]
    others = [path for path in every if path.stem == "Extra"]
    return Jars(
        _jar(folder / "counting.jar", mine, manifest), _jar(folder / "extra.jar", others, "Manifest-Version: 1.0\n")
    )


def _jar(target: Path, classes: list[Path], manifest: str) -> Path:
    with zipfile.ZipFile(target, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", manifest)
        for path in classes:
            jar.write(path, f"org/example/{path.name}")
    return target
