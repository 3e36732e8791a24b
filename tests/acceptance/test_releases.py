"""Three environments of one repository on real Flink: released, promoted, stopped by the gate, and rolled back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.acceptance.repository import ROOT, Repository
from tests.acceptance.yard import COUNTING, ZONES, counts
from tests.contract.served import until

pytestmark = [
    pytest.mark.skipif(os.environ.get("FLINKFORM_HEAVY") != "1", reason="takes minutes of real Flink: make releases"),
    pytest.mark.skipif(
        not (shutil.which("java") and (shutil.which("terraform") or shutil.which("tofu"))),
        reason="needs java and terraform",
    ),
]

ENVIRONMENT = """workspace:
  name: shop-{name}
  region: cn-hangzhou
  cpu: 10
  vpc_id: vpc-{name}
  vswitch_ids: [vsw-{name}]
  bucket: shop-{name}
jobs:
  - match: ["**"]
    flink_options: {{table.local-time-zone: "{zone}"}}
release:
  canary: [shop/counting]
  window: 3s
"""
PULSE = """SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE beats (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE seen (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO seen SELECT id / {by} FROM beats;
"""


def git(here: Repository, *words: str) -> str:
    """Run git in the checkout."""
    return subprocess.run(["git", *words], cwd=here.root, check=True, capture_output=True, text=True).stdout.strip()


def commit(here: Repository, out: Path, *, tag: str, by: str) -> str:
    """Commit both jobs, and return the commit."""
    here.job("counting", sql=COUNTING.format(path=out, tag=tag))
    here.job("pulse", sql=PULSE.format(by=by))
    git(here, "add", "-A")
    git(here, "commit", "-q", "-m", tag)
    return git(here, "rev-parse", "HEAD")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Repository]:
    """A checkout with three environments, a key to sign with, and a control plane that has nothing yet."""
    root = tmp_path / "shop"
    shutil.copytree(ROOT / "stacks", root / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("main.py", "cdktf.json"):
        shutil.copy(ROOT / name, root)
    here = Repository(root, tmp_path / "home")
    for name, zone in ZONES.items():
        here.write(f"environments/{name}.yaml", ENVIRONMENT.format(name=name, zone=zone))
    schema = (ROOT / "environments" / "schema.yaml").read_text()
    here.write("environments/schema.yaml", f"{schema.rstrip()}\n  - table.local-time-zone\n")
    here.write(".gitignore", "cdktf.out/\n__pycache__/\n")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, capture_output=True)
    here.write("environments/signers", f"ada@example.com {' '.join(key.with_suffix('.pub').read_text().split()[:2])}\n")
    git(here, "init", "-q", "-b", "main")
    settings = {"user.name": "Ada", "user.email": "ada@example.com", "gpg.format": "ssh", "user.signingkey": str(key)}
    for name, value in settings.items():
        git(here, "config", name, value)
    (root / "jobs").mkdir()
    try:
        here.ok("up")
        yield here
    finally:
        here.run("down")


def test_from_dev_to_prod_and_back(shop: Repository, tmp_path: Path) -> None:
    """The same artefact in three environments; what the gate stops is undone; each row is counted exactly once."""
    out, file = tmp_path / "counted", str(tmp_path / "release.json")

    def apply(environment: str) -> None:
        shop.ok("apply", file, FLINKFORM_ENVIRONMENT=environment)

    first = commit(shop, out, tag="one", by="1")
    shop.ok("release", "--out", file)
    apply("dev")
    for source, target in (("dev", "staging"), ("staging", "prod")):
        found = shop.ok("promote", source, target, "--out", file)
        assert found["commit"] == first
        keys = {(d["what"], d["key"]) for d in found["differences"] if d["what"] != "workspace"}
        assert keys == {
            (f"jobs/shop/{name}.sql", "flink_options.table.local-time-zone") for name in ("counting", "pulse")
        }
        apply(target)

    second = commit(shop, out, tag="two", by="(id - id)")
    shop.ok("release", "--since", first, "--out", file, FLINKFORM_ENVIRONMENT="prod")
    failed = shop.refused("apply", file, FLINKFORM_ENVIRONMENT="prod")
    assert "shop/pulse" in failed.said["message"]
    assert "rollback" in failed.said["advice"]
    until(lambda: any(row["tag"] == "two" for row in counts(out, ZONES["prod"])), "the canary's edit")
    assert "the last release of prod failed" in shop.refused("promote", "prod", "dev", "--out", file).said["message"]

    back = shop.ok("rollback", "--to", first, "--out", file, FLINKFORM_ENVIRONMENT="prod")
    assert back["commit"] == git(shop, "rev-parse", "HEAD") != second
    apply("prod")
    seen = len(counts(out, ZONES["prod"]))
    until(lambda: len(counts(out, ZONES["prod"])) > seen + 2, "the job that was rolled back")

    for name, zone in ZONES.items():
        rows = counts(out, zone)
        assert rows[0]["first_n"] == 1, name
        assert all(after["first_n"] == before["last_n"] + 1 for before, after in pairwise(rows)), name
        assert sum(row["rows_seen"] for row in rows) == rows[-1]["last_n"], name
        assert {row["tag"] for row in rows} == ({"one", "two"} if name == "prod" else {"one"})
    assert counts(out, ZONES["prod"])[-1]["tag"] == "one"

    history = shop.ok("history", FLINKFORM_ENVIRONMENT="prod")["releases"]
    assert [one["outcome"] for one in history] == ["applied", "failed", "applied"]
    for name in ZONES:
        assert shop.ok("blame", "shop/counting", FLINKFORM_ENVIRONMENT=name)["agrees"] is True
    proven = shop.ok("audit", "verify")
    assert (proven["releases"], proven["faults"]) == (5, [])


LATE = """SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE ids (id BIGINT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '1',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '50000'
);
CREATE TABLE seen (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO seen SELECT 100 / (id - 12) FROM ids;
"""
"""Starts well, makes checkpoints, and divides by zero at its twelfth second, again and again."""


def test_the_window_stops_what_starts_well_and_breaks_later(shop: Repository, tmp_path: Path) -> None:
    """The second wave never starts; the way back removes what is broken, and no row is lost or comes twice."""
    out, file = tmp_path / "counted", str(tmp_path / "release.json")
    said = ENVIRONMENT.format(name="dev", zone=ZONES["dev"])
    waves = said.replace("[shop/counting]", "[shop/counting, shop/late]").replace("window: 3s", "window: 40s")
    first = commit(shop, out, tag="one", by="1")
    shop.ok("release", "--out", file)
    shop.ok("apply", file)

    shop.write("environments/dev.yaml", waves)
    shop.job("late", sql=LATE)
    commit(shop, out, tag="two", by="2")
    shop.ok("release", "--since", first, "--out", file)
    failed = shop.refused("apply", file)
    assert failed.said["error"] == "JobFailed"
    assert re.search(r"shop/late (was started again by Flink|is \w+: .*by zero)", failed.said["message"]), failed.said
    assert "go back with `flinkform rollback`" in failed.said["advice"]
    assert "wave 1 of 2" in failed.err
    assert "wave 2" not in failed.err
    assert shop.ok("blame", "shop/pulse")["commit"] == first
    assert shop.ok("blame", "shop/counting")["commit"] != first

    shop.ok("rollback", "--to", first, "--out", file)
    shop.ok("apply", file)
    seen = len(counts(out, ZONES["dev"]))
    until(lambda: len(counts(out, ZONES["dev"])) > seen + 2, "the job that was rolled back")
    assert shop.states() == {"counting": "RUNNING", "pulse": "RUNNING"}
    rows = counts(out, ZONES["dev"])
    assert rows[0]["first_n"] == 1
    assert all(after["first_n"] == before["last_n"] + 1 for before, after in pairwise(rows))
    assert sum(row["rows_seen"] for row in rows) == rows[-1]["last_n"]
    assert shop.ok("audit", "verify")["faults"] == []
