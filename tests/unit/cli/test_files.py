"""A script that is named by its path is what Flink gets of it, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.cli.files import woven
from flinkform.errors import Invalid
from tests.unit.release.conftest import Site

TEXT = "-- flinkform: include t.inc\nSELECT '${x}'"


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path / "site", tmp_path / "home")
    files = {"jobs/a/x.sql": TEXT, "jobs/a/x.yaml": "variables: {x: it}\n", "jobs/a/t.inc": "SELECT 1;\n"}
    made.commit({**files, "environments/dev.yaml": "", "main.py": "", "cdktf.json": "{}"})
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("FLINKFORM_ENVIRONMENT", "dev")
    return made


def test_a_job_has_what_it_includes() -> None:
    """As its environment says."""
    assert woven(Path("jobs/a/x.sql"), TEXT) == "SELECT 1;\nSELECT 'it'"


@pytest.mark.parametrize("text", ["SELECT '${secret_values.x}' -- ${x}", "SELECT 1"])
def test_a_script_that_is_whole_stays(text: str) -> None:
    """Wherever it is."""
    assert woven(Path("/elsewhere.sql"), text) == text


def test_a_script_elsewhere_cannot_include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows from where; no checkout is no other case."""
    for _ in range(2):
        with pytest.raises(Invalid, match=r"old\.sql includes something or names a variable, and is no job of this"):
            woven(tmp_path / "old.sql", TEXT)
        monkeypatch.chdir(tmp_path)
