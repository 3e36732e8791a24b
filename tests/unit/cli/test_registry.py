"""The generated lists and pages are what `make generate` would write."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.cli import registry, types
from flinkform.resources import DATA_SOURCES, RESOURCES

ROOT = Path(__file__).parents[3]


def test_every_type_is_listed() -> None:
    """The list of types is that of the folder."""
    assert types.FILE.read_text(encoding="utf-8") == types.source()


def test_pages_are_current() -> None:
    """Each type has its page where a registry looks for it, and no page is left of one that is gone."""
    pages = registry.pages()
    docs = ROOT / registry.DOCS
    found = {path.relative_to(docs) for folder in ("resources", "data-sources") for path in (docs / folder).iterdir()}
    assert found | {Path("index.md")} == set(pages)
    assert {path: (docs / path).read_text(encoding="utf-8") for path in pages} == pages


@pytest.mark.parametrize("kind", [*RESOURCES, *DATA_SOURCES], ids=lambda kind: kind.type_name)
def test_every_type_has_an_example(kind: object) -> None:
    """A page without one helps nobody."""
    assert kind.example.strip()  # type: ignore[attr-defined]
