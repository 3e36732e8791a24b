"""The layout that keeps our `constructs/` folder and the package `constructs` apart."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tests import parts

ROOT = Path(__file__).parents[2]


def test_constructs_is_a_source_root_and_no_package() -> None:
    """An `__init__.py` there would hide the package that every CDK needs."""
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_constructs_is_the_installed_package() -> None:
    """`import constructs` finds site-packages, from the repository's root too."""
    spec = find_spec("constructs")
    assert spec is not None
    assert "site-packages" in str(spec.origin)


def test_only_the_library_stands_in_the_source_root() -> None:
    """A second package there would be one that nothing checks."""
    found = {p.name for p in (ROOT / "constructs").iterdir() if not p.name.startswith(".")}
    assert found - {"__pycache__"} == {"flinkform_constructs"}


def test_every_part_of_the_tests_is_there() -> None:
    """A folder that was renamed would be run by nobody, or waited for by the wrong part."""
    assert [folder for folder in parts.REAL if not (ROOT / folder).is_dir()] == []
