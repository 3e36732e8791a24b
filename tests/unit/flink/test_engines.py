"""Releases of Flink side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.errors import Missing
from flinkform.flink import engines


def test_installed(tmp_path: Path) -> None:
    """A release counts once its biggest jar is there; the usual one needs no folder."""
    place = engines.folder(tmp_path, "1.20")
    (place / "lib").mkdir(parents=True)
    assert engines.installed(tmp_path) == ("2.3",)
    with pytest.raises(Missing, match=r"Flink 1\.20 is not installed; `flinkform engine install 1\.20`"):
        engines.find(tmp_path, "1.20")
    (place / "lib" / "flink-dist-1.20.5.jar").touch()
    assert engines.installed(tmp_path) == ("2.3", "1.20")
    assert engines.find(tmp_path, "1.20") == place
    assert engines.version(place) == "1.20.5"
    with pytest.raises(Missing, match="not installed"):
        engines.find(None, "1.20")
    assert engines.find(tmp_path, "2.3") == engines.find(None)


def test_unknown(tmp_path: Path) -> None:
    """A release that nobody offers is not to be installed."""
    with pytest.raises(Missing, match=r"expected Flink 2\.3, 2\.2 or 1\.20, got '1\.19'"):
        engines.find(tmp_path, "1.19")
