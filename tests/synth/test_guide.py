"""The guide's code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parents[2] / "docs/guides/constructs.md"


def test_every_block_of_the_guide_runs(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """A reader who types the blocks one after the other gets what the text says."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 9
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own guide
    written = (tmp_path / "cdktf.out/stacks/auction/cdk.tf.json").read_text()
    assert '"name": "per_minute"' in written
    assert '"name": "alerts"' in written
    assert capsys.readouterr().out.strip() in GUIDE.read_text()


def test_the_python_of_job_files_runs(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """`docs/guides/job-files.md`, over the jobs of this repository: each is told, and nothing is wrong."""
    root = GUIDE.parents[2]
    for name in ("jobs", "environments"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", (GUIDE.parent / "job-files.md").read_text(), re.DOTALL)
    exec(block, {})  # noqa: S102 - our own guide
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == sum(1 for _ in (root / "jobs").rglob("*.sql"))
    assert "bids hot_auctions 16 environments/prod.yaml:" in "\n".join(rows)
