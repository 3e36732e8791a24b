"""The import contracts hold, and each of them would notice a violation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = {
    "a room only looks down": ("src/flinkform/schema/planted.py", "import flinkform.resources.job"),
    "stacks look at constructs, never the other way round": (
        "constructs/flinkform_constructs/planted.py",
        "import stacks",
    ),
    "the two sides of the wire share words, not code": (
        "src/flinkform/controlplane/planted.py",
        "import flinkform.client",
    ),
    "the provider knows neither job files nor Flink": ("src/flinkform/provider/planted.py", "import flinkform.flink"),
    "the store is below everything in the control plane and never reaches Flink": (
        "src/flinkform/controlplane/store/planted.py",
        "import flinkform.flink",
    ),
    "what ships in the zipapp is standard library only": ("src/flinkform/client/planted.py", "import orjson"),
    "nothing that runs may start Node": ("src/flinkform/cli/planted.py", "import cdktf"),
    "constructs import what describes, nothing that runs": ("stacks/planted.py", "import flinkform.client"),
    "flink knows Flink and nothing else of ours": ("src/flinkform/flink/planted.py", "import flinkform.schema"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the tree at *root*."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    path = ":".join(str(root / p) for p in ("src", "constructs", "."))
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": path, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source that violations can be planted in."""
    root = tmp_path_factory.mktemp("tree")
    for name in ("src", "constructs", "stacks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_the_layers_hold() -> None:
    """Nobody looks where they may not."""
    said = lint(ROOT)
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_contract_is_planted_against() -> None:
    """A contract added without a violation that proves it is noticed here."""
    named = {
        line.split('"')[1]
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if line.startswith('name = "') and " " in line[8:]
    }
    assert named == set(PLANTED)


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_is_caught(tree: Path, contract: str) -> None:
    """The contract breaks when a file does what it forbids."""
    file, line = PLANTED[contract]
    planted = tree / file
    planted.write_text(f'"""Planted."""\n\n{line}\n')
    try:
        said = lint(tree)
    finally:
        planted.unlink()
    assert said.returncode != 0
    assert f"{contract} BROKEN" in said.stdout
