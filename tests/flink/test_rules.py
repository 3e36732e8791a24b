"""Every rule of `flinkform validate` has a file that keeps it and one that breaks it, on Flink's own planner."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import main as command
from flinkform.flink.validate import Planner
from flinkform.rules.table import RULES
from tests.unit.release.conftest import Site

GOOD = """CREATE TABLE a (id INT) WITH ('connector' = 'datagen');
CREATE TABLE b (id INT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT id FROM a;
"""


def moves(source: str, sink: str) -> str:
    """A script from one folder to another."""
    return f"""CREATE TABLE a (id INT) WITH ('connector' = 'filesystem', 'path' = '{source}', 'format' = 'json');
CREATE TABLE b (id INT) WITH ('connector' = 'filesystem', 'path' = '{sink}', 'format' = 'json');
INSERT INTO b SELECT id FROM a;
"""  # noqa: S608 -- of two folders


FIRST = GOOD.replace("'blackhole'", "'filesystem', 'path' = '/one', 'format' = 'json'")
SECTIONS = "[Flink] @org/flink\n/jobs/shop/\n\n^[Fraud]\n/jobs/fraud/ @org/fraud\n"
WHY = "-- flinkform: allow {} because it is on purpose\n"
CASES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "job-file": ({"jobs/shop/a.yaml": "parallelism: 2\n"}, {"jobs/shop/a.yaml": "paralelism: 2\n"}),
    "flink": ({}, {"jobs/shop/a.sql": GOOD.replace("SELECT id", "SELECT nope")}),
    "job-name": ({"jobs/shop/day-1/top_10.sql": GOOD}, {"jobs/shop/Top Ten.sql": GOOD}),
    "job-owner": (
        {"CODEOWNERS": SECTIONS, "jobs/fraud/b.sql": GOOD},
        {"CODEOWNERS": SECTIONS.replace("shop", "shops")},
    ),
    "table-writer": (
        {"jobs/shop/one.sql": FIRST, "jobs/shop/two.sql": moves("/one/", "/two")},
        {"jobs/shop/one.sql": FIRST, "jobs/shop/two.sql": moves("/ones", "/two")},
    ),
    "single-writer": (
        {"jobs/shop/one.sql": FIRST, "jobs/shop/two.sql": FIRST.replace("/one", "/two")},
        {"jobs/shop/one.sql": FIRST, "jobs/shop/two.sql": WHY.format("single-writer") + FIRST},
    ),
    "silence-reason": (
        {"jobs/shop/Big.sql": WHY.format("job-name") + GOOD},
        {"jobs/shop/a.sql": "-- flinkform: allow job-name\n" + GOOD},
    ),
    "silence-unused": (
        {"jobs/shop/Big.yaml": "# flinkform: allow job-name because it runs\n{}\n", "jobs/shop/Big.sql": GOOD},
        {"jobs/shop/a.sql": WHY.format("job-name") + GOOD},
    ),
}
"""Of each rule files that keep it, and files that break it and nothing else."""

Check = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def check(planner: Planner, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Commit files to a repository with one job, and return what `flinkform validate` finds there."""
    monkeypatch.setattr("flinkform.cli.planned.Planner", lambda _: nullcontext(planner))
    monkeypatch.setenv("FLINKFORM_HOME", str(site.home / "flinkform"))
    monkeypatch.delenv("FLINKFORM_ENVIRONMENT", raising=False)
    monkeypatch.chdir(site.root)
    site.commit({"cdktf.json": "{}", "environments/dev.yaml": "jobs: []\n", "jobs/shop/a.sql": GOOD})

    def run(files: Mapping[str, str | None], *words: str) -> list[dict[str, Any]]:
        site.commit(files)
        code = command.main(["validate", "--json", *words])
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["problems"]
        assert code == (1 if any(one["severity"] == "error" for one in found) else 0)
        return found

    return run


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site", tmp_path / "home")


def test_every_rule_has_its_files() -> None:
    """A rule that nothing breaks is one that does not work."""
    assert set(CASES) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", CASES)
def test_rule(check: Check, rule: str) -> None:
    """What keeps a rule is not told of, what breaks it is, as a breach of this rule alone."""
    good, bad = CASES[rule]
    assert check(good) == []
    found = check(dict.fromkeys(good) | bad)
    assert {one["rule"] for one in found} == {rule}
    assert {one["severity"] for one in found} == {str(next(one for one in RULES if one.id == rule).severity)}


def test_settings(check: Check) -> None:
    """flinkform.yaml names what others write and how jobs are called, and sets severities."""
    said = {"jobs/shop/Two.sql": moves("/web/clicks", "/two")}
    assert {one["rule"] for one in check(said)} == {"job-name", "table-writer"}
    assert check({"flinkform.yaml": "validate: {names: '[A-Za-z]+', outside: ['filesystem:/web/**']}\n"}) == []
    levels = "validate: {rules: {job-name: off, table-writer: warning}}\n"
    assert [(one["rule"], one["severity"]) for one in check({"flinkform.yaml": levels})] == [
        ("table-writer", "warning")
    ]


def test_since(check: Check, site: Site) -> None:
    """A change is held against all who share a place with it, and nobody else is looked at."""
    files = {"jobs/shop/one.sql": FIRST, "jobs/shop/two.sql": moves("/one", "/two"), "jobs/shop/Odd.sql": GOOD}
    assert [one["rule"] for one in check(files)] == ["job-name"]
    before = site.git("rev-parse", "HEAD").decode().strip()
    assert check({"docs/note.md": "nothing"}, "--since", before) == []
    (lost,) = check({"jobs/shop/one.sql": None}, "--since", before)
    assert (lost["rule"], lost["file"], lost["line"]) == ("table-writer", "jobs/shop/two.sql", 1)
    check({"jobs/shop/one.sql": FIRST})
    (site.root / "jobs/shop/three.sql").write_text(FIRST)
    both = {one["file"] for one in check({"jobs/shop/three.sql": FIRST}, "--since", before)}
    assert both == {"jobs/shop/one.sql", "jobs/shop/three.sql"}
    assert len(check({}, "jobs/shop/three.sql")) == 2
