"""The provider as one file."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from flinkform import __version__
from flinkform.provider import build

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build.zipapp(tmp_path_factory.mktemp("built") / build.NAME)


def test_version() -> None:
    """There is one: what is installed, the file's name and the package say the same."""
    assert metadata.version("flinkform") == __version__
    assert build.NAME.endswith(f"_v{__version__}")


def test_same_bytes(built: Path, tmp_path: Path) -> None:
    """Another process writes the same bytes, whatever its hash seed."""
    subprocess.run(
        [sys.executable, "-m", "flinkform.provider.build", str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert (tmp_path / build.NAME).read_bytes() == built.read_bytes()


def test_content(built: Path) -> None:
    """It holds what the provider needs and nothing else of the project."""
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    rooms = {name.split("/")[1] for name in names if name.count("/") > 1}
    assert rooms == {"client", "openapi", "provider", "resources", "schema"}
    assert not [name for name in names if "build" in name or "extract" in name]
    assert {name + "c" for name in names if name.endswith(".py")} == {n for n in names if n.endswith(".pyc")}


def test_started_by_hand(built: Path) -> None:
    """Started by a person it says what it is, in one sentence."""
    done = subprocess.run(
        [built], env={"PATH": os.environ["PATH"], "FLINKFORM_PYTHON": sys.executable}, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"Terraform" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_no_python(built: Path, tmp_path: Path) -> None:
    """Without any Python it says what is missing."""
    done = subprocess.run([built], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr


def python(path: Path, script: str) -> None:
    """Put a Python into a folder that does what *script* says."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


GOOD = f'exec "{sys.executable}" "$@"'
_OLD = "import sys; sys.version_info = (3, 8, 18); sys.version = '3.8.18'; "
OLD = f"""exec "{sys.executable}" -SI -c "{_OLD}$3" "$4" "$5\""""


@pytest.mark.parametrize(
    ("first", "script"),
    [("bin/python3", OLD), ("shims/python3", "exit 127"), ("shims/python3.13", "exit 127"), ("bin/other", "exit 1")],
    ids=["python3 is old", "python3 is a shim of nothing", "python3.13 is a shim of nothing", "there is no python3"],
)
def test_any_new_enough_python_on_path_will_do(built: Path, tmp_path: Path, first: str, script: str) -> None:
    """Whatever python3 is, python3.12 is found."""
    python(tmp_path / first, script)
    python(tmp_path / "last" / "python3.12", GOOD)
    path = f"{tmp_path}/shims:{tmp_path}/bin:{tmp_path}/last"
    done = subprocess.run([built], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert "Terraform" in done.stderr
    assert "needs Python" not in done.stderr


def test_a_chosen_python_that_is_old_is_not_replaced(built: Path, tmp_path: Path) -> None:
    """The message says which it was."""
    python(tmp_path / "old", OLD)
    environment = {"PATH": os.environ["PATH"], "FLINKFORM_PYTHON": str(tmp_path / "old")}
    done = subprocess.run([built], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, FLINKFORM_PYTHON names 3.8.18" in done.stderr


def test_install(tmp_path: Path) -> None:
    """An installation is a mirror and a configuration that names it; a second one touches nothing."""
    rc = build.install(tmp_path)
    (provider,) = tmp_path.glob("mirror/flinkform.io/flinkform/flink/*/*/terraform-provider-flink_v*")
    assert os.access(provider, os.X_OK)
    assert str(tmp_path / "mirror") in rc.read_text()
    before = {path: path.stat().st_mtime_ns for path in (rc, provider)}
    build.install(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (rc, provider)} == before
    assert not list(tmp_path.rglob(".new-*"))


def test_an_installation_that_was_altered_is_made_anew(tmp_path: Path) -> None:
    """What says that nothing has to be compiled says so of that very file alone."""
    build.install(tmp_path)
    (provider,) = tmp_path.glob("mirror/flinkform.io/flinkform/flink/*/*/terraform-provider-flink_v*")
    whole = provider.read_bytes()
    provider.write_bytes(whole[:-1])
    build.install(tmp_path)
    assert provider.read_bytes() == whole
    provider.unlink()
    build.install(tmp_path)
    assert provider.read_bytes() == whole
