"""The generated files are what the installed SDKs say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from flinkform.errors import Invalid
from flinkform.openapi.extract import diff
from flinkform.openapi.extract.__main__ import DOCUMENTS, files, main

ROOT = Path(__file__).parents[3]


def test_generated_files_are_fresh() -> None:
    """Generating again gives the bytes that are checked in."""
    for path, text in files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, path


def test_it_only_writes_into_the_repository(tmp_path: Path) -> None:
    """Started elsewhere, the generator says where it belongs and writes nothing."""
    with pytest.raises(Invalid, match="root"):
        main(tmp_path)
    assert not list(tmp_path.iterdir())


def test_it_is_complete() -> None:
    """All 140 operations are there, by product and method as the SDKs have them."""
    found = json.loads((ROOT / "provider-schema/openapi/operations.json").read_text())
    assert Counter((o["product"], o["method"]) for o in found) == {
        ("ververica", "GET"): 45,
        ("ververica", "POST"): 33,
        ("ververica", "DELETE"): 16,
        ("ververica", "PUT"): 8,
        ("ververica", "PATCH"): 7,
        ("foasconsole", "POST"): 27,
        ("foasconsole", "GET"): 4,
    }


def test_changes_tells_what_is_new_gone_and_otherwise() -> None:
    """One line a difference, at the depth where it is."""
    old = {"Job": {"jobId": "str", "status": "JobStatus"}, "Gone": {}, "Path": ["a"]}
    new = {"Job": {"jobId": "int", "status": "JobStatus", "userId": "str"}, "Path": ["b"]}
    assert list(diff.changes(old, new)) == [
        "- Gone",
        '~ Job.jobId: "str" -> "int"',
        "+ Job.userId",
        '~ Path: ["a"] -> ["b"]',
    ]


def test_main_ends_with_one_if_the_contract_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipeline asks by the exit code; the lines name document and place."""
    for path, text in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert diff.main(tmp_path) == 0
    kept = tmp_path / DOCUMENTS / "operations.json"
    kept.write_text(kept.read_text().replace('"GetJob"', '"FetchJob"'))
    assert diff.main(tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == ["operations: - FetchJob", "operations: + GetJob"]
