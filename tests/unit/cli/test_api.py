"""What is said where the control plane should answer and does not, or somebody else does."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from flinkform.cli import api, server
from flinkform.cli.progress import Step
from flinkform.cli.project import Project
from flinkform.controlplane import home, settings
from flinkform.controlplane.variables import VARIABLES
from flinkform.errors import Denied, Invalid, NotFound, Unavailable

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "nobody", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "hidden"}


@contextmanager
def answering(reply: str) -> Iterator[str]:
    """Answer one request with *reply*, whatever it is, and return where."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(65536)
                line.sendall(reply.encode())

        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def http(status: int, body: str, *, length: int | None = None) -> str:
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n{body}"


def free() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def project(folder: Path, endpoint: str) -> Project:
    (folder / "endpoint").write_text(endpoint)
    return Project(root=folder, home=folder, shell=KEY)


def step() -> Step:
    return Step("a step", lambda _: None)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[None]:
    """A control plane has the home."""
    lock = home.lock(tmp_path, seconds=0, say=print)
    yield
    lock.release()


def test_nothing_answers(tmp_path: Path) -> None:
    """The address, the reason in words, and what to type."""
    endpoint = f"http://127.0.0.1:{free()}"
    told = f"no control plane answers at {endpoint}: connection refused; run `flinkform up`"
    with pytest.raises(Unavailable, match=f"^{told}$"):
        api.call(project(tmp_path, endpoint), "GET", "/")


def test_nothing_answers_where_the_shell_says(tmp_path: Path) -> None:
    """What was given by hand is named, for `up` too, which starts none of its own then."""
    here = Project(root=tmp_path, home=tmp_path, shell=KEY | {"FLINKFORM_ENDPOINT": f"http://127.0.0.1:{free()}"})
    with pytest.raises(Unavailable, match=r"FLINKFORM_ENDPOINT is .* connection refused; start it, or unset"):
        api.call(here, "GET", "/")
    with pytest.raises(Unavailable, match=r"FLINKFORM_ENDPOINT is .* nothing answers there; start it, or unset"):
        server.ensure(here, step())


def test_no_endpoint_at_all(tmp_path: Path) -> None:
    """A word that is no address is named with its variable."""
    here = Project(root=tmp_path, home=tmp_path, shell=KEY | {"FLINKFORM_ENDPOINT": "localhost"})
    with pytest.raises(Invalid, match=r"expected FLINKFORM_ENDPOINT to be like http://.*, got 'localhost'"):
        api.call(here, "GET", "/")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.usefixtures("held")
def test_a_key_that_is_not_taken(tmp_path: Path, status: int) -> None:
    """Which key, and where it comes from; never its secret."""
    with answering(http(status, json.dumps({"message": "no"}))) as endpoint, pytest.raises(Denied) as denied:
        api.call(project(tmp_path, endpoint), "GET", "/")
    assert "the access key nobody; it comes from ALIBABA_CLOUD_ACCESS_KEY_ID" in str(denied.value)
    assert "hidden" not in str(denied.value)


@pytest.mark.parametrize(
    "reply", [http(404, "<html>"), http(200, "<html>"), http(200, ""), http(500, "[]"), http(200, '{"a"', length=9)]
)
@pytest.mark.usefixtures("held")
def test_somebody_else_answers(tmp_path: Path, reply: str) -> None:
    """Another program on the port is not taken for a control plane, nor is half an answer taken for one."""
    with (
        answering(reply) as endpoint,
        pytest.raises(Unavailable, match=r"is no flinkform control plane|no control plane"),
    ):
        api.call(project(tmp_path, endpoint), "GET", "/x")


@pytest.mark.usefixtures("held")
def test_its_own_errors_are_its_own_words(tmp_path: Path) -> None:
    """What the control plane says is passed on as it is, under its kind."""
    reply = http(404, json.dumps({"message": "no state at dev/x"}))
    with answering(reply) as endpoint, pytest.raises(NotFound, match=r"^no state at dev/x$"):
        api.call(project(tmp_path, endpoint), "GET", "/x")


@pytest.mark.usefixtures("held")
def test_a_log_that_breaks_off(tmp_path: Path) -> None:
    """A control plane that stops while it is followed is no bug."""
    with answering("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") as endpoint:
        pieces = api.stream(project(tmp_path, endpoint), "/log")
        assert next(pieces) == b"abc"
        with pytest.raises(Unavailable, match=r"no control plane answers"):
            list(pieces)


def test_a_stranger_is_not_told_the_key(tmp_path: Path) -> None:
    """Where no control plane has the home, whoever answers at its address is none of ours, and hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        told = f"what listens at {endpoint} is not the control plane of this repository, .*; run `flinkform up`"
        with pytest.raises(Unavailable, match=told):
            api.call(project(tmp_path, endpoint), "GET", "/")
        line, _ = listener.accept()
        with line:
            assert line.recv(1) == b""


@pytest.mark.parametrize(("remembered", "port"), [("", server.PORT), ("http://127.0.0.1:8799", 8799)])
def test_a_port_that_a_stranger_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: str, port: int
) -> None:
    """A first `up` and a later one say so in one line and take a free port."""
    program = tmp_path / "program"  # it finds every port but a free one taken, and then says what it was to run
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *:{port}*) echo "error: port {port} of 127.0.0.1 is taken; stop" >&2;; esac\n'
        'echo "$*"\nexit 1\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    (tmp_path / "logs").mkdir()
    said: list[str] = []
    with pytest.raises(Unavailable, match=r"the control plane did not start: it said nothing"):
        server.ensure(project(tmp_path, remembered), Step("a step", said.append))
    assert said == [f"  a step: another program has taken port {port}; listening on a free one"]
    assert "--listen 127.0.0.1:0 " in (tmp_path / "logs" / "controlplane.out").read_text()


def test_settings_that_come_too_late(tmp_path: Path) -> None:
    """What the shell says to a control plane that runs already is named, and kept in no words that tell it."""
    here = Project(tmp_path, tmp_path, {**KEY, "FLINKFORM_SLOTS": "2", "AWS_SECRET_ACCESS_KEY": "planted"})
    assert server.late(here) == []
    server.remember(here)
    assert server.late(here) == []
    shell = {**here.shell, "FLINKFORM_SLOTS": "5", "FLINKFORM_HEAP": "2g", "FLINKFORM_ENVIRONMENT": "x"}
    assert server.late(Project(tmp_path, tmp_path, shell)) == ["FLINKFORM_HEAP", "FLINKFORM_SLOTS"]
    assert not any(b"planted" in path.read_bytes() for path in tmp_path.iterdir())


def test_every_setting_is_known() -> None:
    """What the shell may say to a control plane is all that it reads."""
    asked: set[str] = set()

    class Shell(dict[str, str]):
        def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
            asked.add(name)
            return super().get(name, default)

    settings.from_environment(Shell(), home=Path(), host="", port=0, java=None)
    assert asked == VARIABLES


def test_a_bucket_elsewhere() -> None:
    """AWS' variable for S3 alone wins over the one for all of its services."""
    shell = {"AWS_ENDPOINT_URL_S3": "http://s3", "AWS_ENDPOINT_URL": "http://all"}
    made = settings.from_environment(shell, home=Path(), host="", port=0, java=None)
    assert made.filesystem == {"s3.endpoint": "http://s3", "s3.path.style.access": "true"}
