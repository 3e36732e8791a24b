"""The generated files are what the installed SDKs say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from flinkform.errors import Invalid
from flinkform.openapi.extract import sdk
from flinkform.openapi.extract.__main__ import files, main

ROOT = Path(__file__).parents[3]


def test_generated_files_are_fresh() -> None:
    """Generating again gives the bytes that are checked in."""
    for path, text in files({product: sdk.read(product) for product in sdk.PACKAGES}).items():
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
