"""What is said about edits before the fact."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from flinkform.cli import main as command
from flinkform.errors import Invalid, Unplanned
from flinkform.flink.plan import Plan
from flinkform.flink.validate import Planner
from flinkform.flink.verdict import Fate, Verdict, verdict
from tests.flink.edits import EDITS, Edit


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan | None]:
    return {}


def judge(planner: Planner, plans: dict[str, Plan | None], edit: Edit, table: str) -> Verdict:
    scripts = [script.replace("CREATE TABLE", f"CREATE {table}") for script in edit.scripts]
    for script in scripts:
        if script not in plans:
            plans[script] = planner.compile(script, {})
    return verdict(*(plans[script] for script in scripts))


# A temporary table cannot be altered.
LASTING = [edit for edit in EDITS if "ALTER TABLE" in edit.new]
BOTH = [
    *((edit, "TABLE") for edit in EDITS),
    *((edit, "TEMPORARY TABLE") for edit in EDITS if edit not in LASTING),
]


@pytest.mark.parametrize(("edit", "table"), BOTH, ids=lambda one: one.name if isinstance(one, Edit) else one)
def test_edit(planner: Planner, plans: dict[str, Plan | None], edit: Edit, table: str) -> None:
    """The verdict, and which operators drop their state and which are new, are what the edit means."""
    found = judge(planner, plans, edit, table)
    fates = {f: tuple(sorted(o.label for o in found.operators if o.fate is f)) for f in Fate}
    assert (str(found.outcome), fates[Fate.DROPPED], fates[Fate.NEW]) == (edit.verdict, edit.dropped, edit.new_ones), (
        str(found)
    )


def test_hint(planner: Planner) -> None:
    """What a hint adds to a table is in the plan, also where Flink's own would forget it: at a temporary table."""
    hinted = EDITS[0].scripts[0].replace("FROM a", "FROM a /*+ OPTIONS('fields.n.start' = '7') */")
    for script in (hinted, hinted.replace("CREATE TABLE", "CREATE TEMPORARY TABLE")):
        plan = planner.compile(script, {})
        assert plan
        assert "'fields.n.start': '7'" in str(plan.nodes)
        assert '"fields.n.start": "7"' in plan.flink()


def test_hint_at_a_shadow(planner: Planner) -> None:
    """A temporary table in the place of another one cannot be told from it in a plan: that is said, and what to do."""
    hinted = EDITS[0].scripts[0].replace("FROM a", "FROM a /*+ OPTIONS('fields.n.start' = '7') */")
    create = hinted[hinted.index("CREATE TABLE a") : hinted.index("CREATE TABLE b")]
    with pytest.raises(Unplanned, match="OPTIONS hint"):
        planner.compile(create.replace("TABLE", "TEMPORARY TABLE") + hinted, {})


def test_other_temporary_table(planner: Planner) -> None:
    """A temporary table of the same name that is another one is read from its beginning, its sums begin anew."""
    script = EDITS[0].scripts[0].replace("CREATE TABLE", "CREATE TEMPORARY TABLE")
    old, new = planner.compile(script, {}), planner.compile(script.replace("n.start' = '1'", "n.start' = '7'"), {})
    assert str(verdict(old, new).outcome) == "lost"


def test_compiled_again(planner: Planner) -> None:
    """The same text is the same plan, byte for byte, however often it is compiled; batch has none."""
    script = EDITS[0].scripts[0]
    first, second = planner.compile(script, {}), planner.compile(script, {})
    assert first
    assert second
    assert first.dump() == second.dump()
    assert [node["id"] for node in first.nodes] == list(range(1, len(first.nodes) + 1))
    batch = "SET 'execution.runtime-mode' = 'batch';" + script.replace("'rows-per", "'number-of-rows' = '1', 'rows-per")
    assert planner.compile(batch, {}) is None


def test_refused(planner: Planner) -> None:
    """A script that Flink refuses is Invalid, with its place."""
    script = EDITS[0].scripts[0]
    with pytest.raises(Invalid, match="nope") as caught:
        planner.compile(script.replace("SUM(v)", "SUM(nope)"), {}, name="new.sql")
    assert str(caught.value.position).startswith("new.sql:12:")


@pytest.mark.usefixtures("java")
def test_guide(
    planner: Planner, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's scripts give what it prints, as text and as JSON."""
    guide = (Path(__file__).parents[2] / "docs/guides/state.md").read_text()
    for name, text in re.findall(r"```sql (\S+)\n(.*?)```", guide, re.DOTALL):
        (tmp_path / name).write_text(text)
    shown = re.findall(r"```text (\S+) (\S+)\n(.*?)```", guide, re.DOTALL)
    assert len(shown) == 2
    for old, new, text in shown:
        assert command.main(["verdict", str(tmp_path / old), str(tmp_path / new)]) == 0
        assert capsys.readouterr().out == text
        # One planner of its own shows that the command has one; all others may share.
        monkeypatch.setattr("flinkform.cli.verdict.Planner", lambda _: nullcontext(planner))
    assert command.main(["verdict", str(tmp_path / "old.sql"), str(tmp_path / "greatest.sql"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verdict"] == "lost"
    assert [o["fate"] for o in said["operators"]] == ["kept", "new", "dropped"]
    (tmp_path / "spread.sql").write_text("SET 'pipeline.max-parallelism' = '8';\n" + (tmp_path / "old.sql").read_text())
    assert command.main(["verdict", str(tmp_path / "old.sql"), str(tmp_path / "spread.sql")]) == 0
    assert capsys.readouterr().out.startswith("lost: Flink takes over no state once pipeline.max-parallelism is")
    assert command.main(["verdict", str(tmp_path / "old.sql"), str(tmp_path / "nowhere.sql")]) == 1
    assert "No such file" in capsys.readouterr().err
