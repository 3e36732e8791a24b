"""`runs` and `savepoint`: what they ask, what they print, and what they say when it cannot be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import api, named, savepoint
from flinkform.cli import main as command
from flinkform.cli.project import Project
from flinkform.errors import JobFailed, NotFound, TimedOut

PLACE = {"workspace": "w", "namespace": "shop"}
JOBS = [
    {**PLACE, "name": name, "desired": "running", "state": "RUNNING", "deployment_id": f"d-{name}", "job_id": "j"}
    for name in ("a", "b")
]
RUN = {
    "number": 2,
    "job_id": "j-2",
    "state": "FAILED",
    "started_at": 1_790_000_000_000,
    "ended_at": None,
    "sql_sha256": "0123456789abcdef",
    "commit": "fedcba9876543210",
    "began_from": {"place": "file:///s", "savepoint": "s-1"},
    "left": {"place": "file:///t", "savepoint": "s-2", "origin": "STOP_WITH_SAVEPOINT"},
    "failure": {"reason": "no slots"},
}


class Plane:
    """The answers of a control plane."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Mapping[str, Any], Any]] = []
        self.states = ["STARTED", "COMPLETED"]

    def page(self, _: Project, __: str, path: str) -> Any:
        if path == "/flinkform/v1/status":
            return {"jobs": [dict(one) for one in JOBS]}
        if path.startswith("/flinkform/v1/jobs/d-a/runs?limit="):
            return {"total": 3, "runs": [RUN]}
        return {"states": []}

    def call(self, operation: str, params: Mapping[str, Any], body: Any = None) -> Any:
        self.said.append((operation, params, body))
        if operation == "GetJob":
            return {"data": {"artifact": {"sqlArtifact": {"sqlScript": "SELECT 2"}}}}
        if operation == "GetSavepoint" and params["savepointId"] == "nowhere":
            raise NotFound("EntityNotExist: savepoint nowhere")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"data": self.savepoint(state)}

    def pages(self, operation: str, params: Mapping[str, Any], **_: Any) -> list[Any]:
        self.said.append((operation, params, None))
        return [self.savepoint("COMPLETED")]

    def savepoint(self, state: str) -> dict[str, Any]:
        status = {"state": state, "failure": {"reason": "the disk is full"}}
        shown = {"savepointId": "s-1", "deploymentId": "d-a", "savepointLocation": "file:///s", "status": status}
        return {**shown, "createdAt": 1_790_000_000, "savepointOrigin": "USER_REQUEST", "description": ""}


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plane:
    made = Plane()
    monkeypatch.setenv("FLINKFORM_HOME", str(tmp_path))
    monkeypatch.setattr(api, "call", made.page)
    monkeypatch.setattr(named, "client", lambda _: made)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return made


@pytest.mark.usefixtures("plane")
def test_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people, with what failed and what is not shown below; the whole answer for scripts."""
    assert command.main(["runs", "a"]) == 0
    heads, row, _, failed, _, more = capsys.readouterr().out.splitlines()
    assert heads.split() == ["RUN", "STATE", "STARTED", "ENDED", "SQL", "COMMIT", "BEGAN", "FROM", "LEFT"]
    assert row.split() == [
        "2",
        "FAILED",
        "2026-09-21T14:13:20+00:00",
        "-",
        "0123456789ab",
        "fedcba987654",
        "s-1",
        "s-2",
    ]
    assert (failed, more) == ("run 2: no slots", "2 older; --limit shows more")
    assert command.main(["runs", "shop/a", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"total": 3, "runs": [RUN]}


def test_script_of_a_run(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """What a run ran is printed as it was; one that is not there is told with those that are."""
    assert command.main(["runs", "d-a", "--sql", "2"]) == 0
    assert capsys.readouterr().out == "SELECT 2"
    assert plane.said == [("GetJob", {**PLACE, "jobId": "j-2"}, None)]
    assert command.main(["runs", "a", "--sql", "9"]) == 1
    assert capsys.readouterr().err == "error: a has no run 9; the newest are 2\n"


@pytest.mark.usefixtures("plane")
@pytest.mark.parametrize("words", [["runs", "c"], ["savepoint", "list", "c"], ["savepoint", "create", "c", "--json"]])
def test_no_such_job(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The jobs that there are are named."""
    assert command.main(words) == 1
    assert "error: no job is called c; expected one of shop/a, shop/b\n" in capsys.readouterr().err


def test_savepoints_are_listed(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """A job's savepoints with state, origin, time and place."""
    assert command.main(["savepoint", "list", "a"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split() == ["s-1", "COMPLETED", "USER_REQUEST", "2026-09-21T14:13:20+00:00", "file:///s", "-"]
    assert plane.said == [("ListSavepoints", {**PLACE, "deploymentId": "d-a"}, None)]


def test_a_savepoint_is_created(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """It is waited for; its id is all that stdout holds, and with --json its document."""
    assert command.main(["savepoint", "create", "a", "--description", "before the sale"]) == 0
    told = capsys.readouterr()
    assert told.out == "s-1\n"
    assert "file:///s" in told.err
    asked = {"deploymentId": "d-a", "description": "before the sale", "nativeFormat": False}
    assert plane.said[0] == ("CreateSavepoint", PLACE, asked)
    assert command.main(["savepoint", "create", "a", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["savepointLocation"] == "file:///s"


def test_a_savepoint_that_fails(plane: Plane) -> None:
    """Why it failed is said; one that takes too long goes on."""
    plane.states = ["FAILED"]
    with pytest.raises(JobFailed, match="savepoint s-1 failed: the disk is full"):
        savepoint.awaited(plane, {"savepointId": "s-1"}, seconds=1)
    plane.states = ["STARTED"]
    ticks = iter((0.0, 0.5, 1.0))
    with pytest.raises(TimedOut, match="is not done after 1 s; it goes on"):
        savepoint.awaited(plane, {"savepointId": "s-1"}, seconds=1, clock=lambda: next(ticks))


def test_a_savepoint_is_deleted(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """By its id, and only if it is that job's."""
    assert command.main(["savepoint", "delete", "a", "s-1"]) == 0
    assert capsys.readouterr().out == "savepoint s-1 is deleted\n"
    assert [name for name, *_ in plane.said] == ["GetSavepoint", "DeleteSavepoint"]
    assert command.main(["savepoint", "delete", "b", "s-1"]) == 1
    assert capsys.readouterr().err == "error: b has no savepoint s-1; list its savepoints\n"
    assert command.main(["savepoint", "delete", "a", "nowhere"]) == 1
    assert capsys.readouterr().err == "error: a has no savepoint nowhere; list its savepoints\n"
    assert [name for name, *_ in plane.said].count("DeleteSavepoint") == 1


def test_the_real_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It signs with the home's key, for the control plane that `up` started."""
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "FLINKFORM_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "endpoint").write_text("http://127.0.0.1:9\n")
    (tmp_path / "credentials.json").write_text('{"access_key_id": "k", "access_key_secret": "s"}')
    assert named.client(Project(tmp_path, tmp_path, {})).calls == {}
