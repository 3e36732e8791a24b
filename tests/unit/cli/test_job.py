"""What `flinkform job` and `flinkform validate` say about files, without a planner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import main as command
from flinkform.cli import tools, validate
from flinkform.cli.progress import Step
from flinkform.cli.project import Project
from flinkform.cli.tools import Tool
from flinkform.errors import Invalid


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java, so that no script is looked at."""
    monkeypatch.setattr(tools, "java", lambda _: Tool("java", "", "", "", ">= 17"))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two jobs of two teams, of which the environment names one."""
    files = {
        "cdktf.json": "{}",
        "environments/dev.yaml": "namespaces: {shop: {cpu: 1}}\njobs:\n  - match: ['**']\n    parallelism: 1\n",
        "jobs/shop/orders.sql": "SELECT 1;\n",
        "jobs/shop/orders.yaml": "parallelism: 4\n",
        "jobs/fraud/rings.sql": "SELECT 1;\n",
    }
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in ("FLINKFORM_HOME", "FLINKFORM_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["orders", "shop/orders", "jobs/shop/orders.sql"])
@pytest.mark.usefixtures("checkout")
def test_a_value_says_which_file_it_is_from(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """An environment that overrides a sidecar is named, with what it overrides; so are defaults."""
    assert command.main(["job", name]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "jobs/shop/orders.sql in the environment dev"
    assert ["parallelism", "1", "environments/dev.yaml:4:18, over 4 of jobs/shop/orders.yaml:1:14"] in [
        line.split(maxsplit=2) for line in told
    ]
    assert ["state", "running", "default"] in [line.split() for line in told]


@pytest.mark.usefixtures("checkout")
def test_a_script_reads_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """One object, a place each."""
    assert command.main(["job", "orders", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["environment"]) == ("jobs/shop/orders.sql", "dev")
    below = {"value": 4, "position": {"file": "jobs/shop/orders.yaml", "line": 1, "column": 14}}
    place = {"file": "environments/dev.yaml", "line": 4, "column": 18}
    assert told["values"] == [{"at": ["parallelism"], "value": 1, "position": place, "over": [below]}]


@pytest.mark.usefixtures("checkout")
def test_a_job_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are there are named."""
    assert command.main(["job", "order"]) == 1
    told = capsys.readouterr().err
    assert told == "error: no job is called order; expected one of fraud/rings, shop/orders\n"


@pytest.mark.usefixtures("no_java")
def test_what_may_be_a_mistake_is_said(checkout: Path) -> None:
    """A namespace that the environment does not name, letters that Terraform writes otherwise; neither stops `up`."""
    said: list[str] = []
    (checkout / "jobs/fraud/rings.sql").write_text("SELECT 'e\u0301';\n")
    (checkout / "jobs/_defaults.yaml").write_text("state: suspended\n")
    here = Project(checkout, checkout / ".flinkform", {})
    right = validate.checked(here, Step("checking", said.append))
    assert right.startswith("2 job files are right")
    note = "environments/dev.yaml names other namespaces and not fraud: it is made with the defaults"
    assert said[0] == f"  checking: {note}"
    assert said[1].startswith("  checking: jobs/fraud/rings.sql:1:9: Terraform composes this character (NFC); ")


@pytest.mark.usefixtures("no_java")
def test_every_problem_is_a_part(checkout: Path) -> None:
    """Two files and two problems in one of them are three."""
    (checkout / "jobs/shop/orders.yaml").write_text("parallelism: x\nstat: running\n")
    (checkout / "environments/dev.yaml").write_text("namespaces: {shop: {cpu: 0}, fraud: }\n")
    here = Project(checkout, checkout / ".flinkform", {})
    with pytest.raises(Invalid, match=r"^3 problems in the job files; nothing was changed\n") as wrong:
        validate.checked(here, Step("checking", lambda _: None))
    assert [str(part.position) for part in wrong.value.parts] == [
        "environments/dev.yaml:1:26",
        "jobs/shop/orders.yaml:1:14",
        "jobs/shop/orders.yaml:2:1",
    ]
