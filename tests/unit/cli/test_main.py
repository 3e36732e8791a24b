"""What the command line says and how it ends."""

from __future__ import annotations

import ast
import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import shtab

from flinkform import __version__
from flinkform.cli import main as command
from flinkform.cli import show
from flinkform.cli.options import completion, init, plan, token, validate
from flinkform.cli.options.show import NOUNS
from flinkform.controlplane.store.tokens import Kind
from flinkform.errors import Invalid, Position, Refused
from flinkform.jobfile.settings import HOSTS
from flinkform.release.report import MARKDOWN_LIMIT
from flinkform.rules.report import REPORTS


def test_every_command_has_a_module_that_registers_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` works for each listed command, so none is listed that is not there."""
    for name in command.COMMANDS:
        with pytest.raises(SystemExit) as end:
            command.main([name, "--help"])
        assert end.value.code == 0, name
        assert f"flinkform {name}" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_takes_what_completes_it(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It knows every command and its options, and the shell itself finds nothing wrong with it."""
    assert command.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in (*command.COMMANDS, "--old-engine"))
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """As the provider's file and the lock of every stack have it."""
    with pytest.raises(SystemExit) as end:
        command.main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"flinkform {__version__}\n")


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the known ones are named."""
    with pytest.raises(SystemExit) as end:
        command.main(["upp"])
    assert end.value.code == 2
    assert "controlplane" in capsys.readouterr().err


def test_an_expected_failure_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the reason and what to do on stderr, no traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLINKFORM_HOME", raising=False)
    assert command.main(["status"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: no cdktf.json in {tmp_path} or above; run this inside an infrastructure repository\n"


def test_json_failures_are_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script reads the failure from stdout when it asked for JSON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLINKFORM_HOME", raising=False)
    assert command.main(["status", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["error"] == "Missing"
    assert said["advice"] == "run this inside an infrastructure repository"


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/h/x"),
            1,
            "error: /h/x: no space left on device; free some",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/h/x"), 1, "error: /h/x: read-only file system; change its"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: no space left on device; free some space"),
        (OSError(errno.ENOENT, "No such file", "/h/x"), 3, "this is a bug in flinkform"),
        (ValueError("odd"), 3, "this is a bug in flinkform"),
    ],
)
def test_a_disk_that_fails_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: Exception, code: int, said: str
) -> None:
    """A full or read-only disk is told with its file and what to do, wherever it shows; the rest is a bug."""

    def fail(_options: object) -> int:
        raise raised

    monkeypatch.setattr("flinkform.cli.status.run", fail)
    assert command.main(["status", "--json"]) == code
    told = capsys.readouterr()
    assert said in told.err
    assert ("Traceback" in told.err) is (code == 3)
    assert bool(told.out) is (code == 1)


def test_the_parts_of_a_failure_are_objects_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script learns each place that is wrong; a person reads advice on a line of its own after several."""
    place = Position("jobs/a/b.sql", 3, 7)

    def fail(_options: object) -> int:
        raise Invalid("1 problem\nlook", advice="mend it", parts=[Invalid("no such column", position=place)])

    monkeypatch.setattr("flinkform.cli.status.run", fail)
    assert command.main(["status", "--json"]) == 1
    told = capsys.readouterr()
    assert told.err == "error: 1 problem\nlook\nmend it\n"
    (part,) = json.loads(told.out)["parts"]
    assert part["message"] == "no such column"
    assert part["position"] == {"file": "jobs/a/b.sql", "line": 3, "column": 7}


def test_what_the_api_refused_is_told_with_its_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operation, code and request id, so that a script can ask the platform's owner about it."""

    def fail(_options: object) -> int:
        raise Refused("no", operation="StartJob", code="42", status=400, request_id="r-1", at=("state",))

    monkeypatch.setattr("flinkform.cli.status.run", fail)
    assert command.main(["status", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {key: told[key] for key in ("error", "operation", "code", "request_id", "at")} == {
        "error": "Refused",
        "operation": "StartJob",
        "code": "42",
        "request_id": "r-1",
        "at": ["state"],
    }


def test_what_a_command_takes_needs_nothing_that_does_work() -> None:
    """To list the commands and to say how each is used imports their words alone, and not what works."""
    code = (
        "import sys; from flinkform.cli import main\n"
        "for words in ([], *([name] for name in main.COMMANDS)):\n"
        "    try: main.main([*words, '--help'])\n"
        "    except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if not name.startswith('_')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    known = ast.literal_eval(done.stdout.splitlines()[-1])
    assert {name.partition(".")[0] for name in known}.isdisjoint(
        {"starlette", "sqlalchemy", "yaml", "py4j", "orjson", "http", "socket", "concurrent"}
    )
    rooms = {name.split(".")[1] for name in known if name.startswith("flinkform.")}
    assert rooms <= {"cli", "errors", "flink", "openapi", "resources", "schema"}
    assert {name for name in known if name.startswith("flinkform.cli.") and name.count(".") == 2} <= {
        "flinkform.cli.main",
        "flinkform.cli.options",
    }


def test_words_are_those_of_what_does_the_work() -> None:
    """Choices that stand apart from their meaning are the same."""
    assert init.HOSTS == HOSTS
    assert (*Kind,) == token.KINDS
    assert ("text", "json", *REPORTS) == validate.FORMATS
    assert plan.LIMIT == MARKDOWN_LIMIT
    assert sorted(completion.SHELLS) == sorted(shtab.SUPPORTED_SHELLS)
    assert tuple(show.NOUNS) == NOUNS
