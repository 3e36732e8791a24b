"""`flinkform key`, `token` and `audit`: what they print, and what they refuse."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli.main import main

POLICY = 'Version: "1"\nStatement: {Effect: Allow, Action: "stream:List*", Resource: "*"}\n'


class Command:
    """Runs commands on one home, and returns what they print."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        assert main([*words, "--home", str(self.home)]) == code
        said = self._capsys.readouterr()
        return said.err if code else said.out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path / "home", capsys)


def test_keys(run: Command, tmp_path: Path) -> None:
    """Keys are made with policies, listed without their secrets, and removed; the root key is not."""
    (tmp_path / "p.yaml").write_text(POLICY)
    limited = run.json("key", "create", "--policy", str(tmp_path / "p.yaml"), "--description", "ci")
    member = run.json("key", "create", "--member")
    free = run.json("key", "create")
    shown = {one["id"]: one for one in run.json("key", "list")["keys"]}
    assert shown[limited["access_key_id"]]["policies"] == [
        {"Effect": "Allow", "Action": "stream:List*", "Resource": "*"}
    ]
    assert shown[member["access_key_id"]]["policies"] == []
    assert shown[free["access_key_id"]]["policies"] is None
    listing = run("key", "list")
    assert "1 statement" in listing
    assert "by role" in listing
    assert limited["access_key_secret"] not in listing + json.dumps(shown)
    assert run("key", "remove", free["access_key_id"]) == ""
    assert "no access key" in run("key", "remove", free["access_key_id"], code=1)
    run("token", "create", "sts")
    root = json.loads((run.home / "credentials.json").read_text())["access_key_id"]
    assert "is the root key" in run("key", "remove", root, code=1)


def test_a_wrong_policy_makes_no_key(run: Command, tmp_path: Path) -> None:
    """A policy that is not understood is refused with its file, and nothing is made."""
    (tmp_path / "p.yaml").write_text(POLICY.replace("Effect", "Affect"))
    assert "p.yaml: Statement[0].Affect" in run("key", "create", "--policy", str(tmp_path / "p.yaml"), code=1)
    assert run.json("key", "list") == {"keys": []}


def test_tokens(run: Command) -> None:
    """A token is shown once and listed without its secret, until it is removed."""
    sts = run.json("token", "create", "sts", "--for", "15m")
    assert set(sts) == {"access_key_id", "access_key_secret", "security_token", "expires"}
    bearer = run.json("token", "create", "bearer", "--description", "dashboard")
    assert set(bearer) == {"bearer_token", "expires"}
    listing = run("token", "list")
    assert sts["access_key_id"] in listing
    assert "dashboard" in listing
    for secret in (sts["access_key_secret"], sts["security_token"], bearer["bearer_token"]):
        assert secret not in listing
        assert secret.encode() not in b"".join(file.read_bytes() for file in run.home.iterdir() if file.is_file())
    run("token", "remove", sts["access_key_id"])
    assert [one["kind"] for one in run.json("token", "list")["tokens"]] == ["bearer"]


@pytest.mark.parametrize("life", ["", "0s", "1", "1w", "367d"])
def test_a_token_lives_for_a_time(run: Command, life: str) -> None:
    """A time that is none, or too long, is refused."""
    assert "expected a" in run("token", "create", "sts", "--for", life, code=1)


def test_a_token_needs_its_key(run: Command) -> None:
    """There is no temporary key of a key that is not there."""
    assert "no access key FFNOBODY" in run("token", "create", "sts", "--key", "FFNOBODY", code=1)


def test_audit(run: Command, tmp_path: Path) -> None:
    """What was done here is listed, checked, exported and checked again, also against an end that was noted."""
    assert run("audit") == "nothing was changed yet\n"
    key = run.json("key", "create")["access_key_id"]
    run("key", "remove", key)
    assert re.search(rf"CreateAccessKey +done +{key}", run("audit"))
    noted = run.json("audit", "verify")
    assert noted["rows"] == 2
    assert noted["faults"] == []
    run("key", "create")
    assert len(run("audit", "--operation", "RemoveAccessKey", "--json").splitlines()) == 1
    assert json.loads(run("audit", "--limit", "1", "--json"))["seq"] == 3
    assert "3 rows" in run("audit", "verify", "--head", noted["head"])
    export = tmp_path / "audit.jsonl"
    export.write_text(run("audit", "--json"))
    assert "3 rows" in run("audit", "verify", str(export))
    first, second, third = export.read_text().splitlines(keepends=True)
    export.write_text(first + third + second)
    assert "line 2: row 2 is missing" in run("audit", "verify", str(export), code=1)


def test_altered_audit_is_found(run: Command) -> None:
    """Rows changed in the database are named; a whole log forged anew is told by an end that was noted."""
    for _ in range(3):
        run("key", "create")
    noted = run.json("audit", "verify")["head"]
    with sqlite3.connect(run.home / "controlplane.db") as db:
        db.execute("UPDATE audit SET line = replace(line, 'CreateAccessKey', 'CreateAccessKez') WHERE seq = 2")
    db.close()
    said = run("audit", "verify", code=1)
    assert "row 2 was changed after it was written" in said
    with sqlite3.connect(run.home / "controlplane.db") as db:
        db.execute("DELETE FROM audit")
        db.execute("UPDATE chains SET seq = 0, hash = ''")
    db.close()
    assert "0 rows" in run("audit", "verify")
    assert "row 3 does not have the hash" in run("audit", "verify", "--head", noted, code=1)
    assert "expected SEQ:HASH" in run("audit", "verify", "--head", "x", code=1)
