"""The client of Flink's REST, against a small server that answers as Flink does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flinkform.errors import Conflict, NotFound, TimedOut, Unavailable
from flinkform.flink import jobs
from flinkform.flink.rest import Rest
from flinkform.flink.values import Observed, Phase, SavepointStatus

TASKS = dict.fromkeys(("running", "finished", "total", "created"), 0)
TRACE = "a.b.X: outer\n\tat a.B\nCaused by: a.b.C: the real reason"
WRAPPED = f"<Exception on server side:\n{TRACE}\nEnd of exception on server side>"


class Flink(ThreadingHTTPServer):
    """Answers each path with a status and a body; remembers what was asked, and on which connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, str, object]] = []
        self.connections: set[object] = set()
        self.hang_up = False
        self.silent = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Flink

    def answer(self) -> None:
        server = self.server
        server.connections.add(self.client_address)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.asked.append((self.command, self.path, json.loads(body) if body else None))
        if self.path == "/silent":
            server.silent.wait(10)
        status, content = server.answers.get(self.path, (404, {"errors": ["Not found: " + self.path]}))
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = server.hang_up

    do_GET = do_POST = do_PATCH = answer  # noqa: N815 -- the names of the standard library

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def flink() -> Iterator[Flink]:
    server = Flink()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def rest(flink: Flink) -> Iterator[Rest]:
    client = Rest(f"http://127.0.0.1:{flink.server_address[1]}", timeout=5)
    yield client
    client.close()


def test_one_connection(flink: Flink, rest: Rest) -> None:
    """Questions share a connection; one that Flink closed meanwhile is replaced unseen."""
    flink.answers["/overview"] = 200, {"slots": 1}
    assert [rest.get("/overview") for _ in range(3)] == [{"slots": 1}] * 3
    assert len(flink.connections) == 1
    flink.hang_up = True
    assert [rest.get("/overview") for _ in range(3)] == [{"slots": 1}] * 3


def test_errors(flink: Flink, rest: Rest) -> None:
    """Flink's errors become ours, with the root of the stack trace it sends."""
    flink.answers |= {
        "/refused": (500, {"errors": ["Internal server error.", WRAPPED]}),
        "/gone": (500, {"errors": [WRAPPED.replace("a.b.C", "a.b.FlinkJobNotFoundException")]}),
        "/busy": (503, {"errors": ["Service temporarily unavailable"]}),
        "/page": (500, b"<html>"),
    }
    for path, kind, text in (
        ("/refused", Conflict, "the real reason"),
        ("/gone", NotFound, "the real reason"),
        ("/nowhere", NotFound, "Not found: /nowhere"),
        ("/busy", Unavailable, "temporarily unavailable"),
        ("/page", Conflict, "<html>"),
    ):
        with pytest.raises(kind, match=text):
            rest.get(path)


def test_silence(flink: Flink) -> None:
    """No answer in time is TimedOut, nobody there is Unavailable."""
    impatient = Rest(f"http://127.0.0.1:{flink.server_address[1]}", timeout=0.05)
    with pytest.raises(TimedOut):
        impatient.get("/silent")
    impatient.close()
    nobody = Rest("http://127.0.0.1:1", timeout=5)
    with pytest.raises(Unavailable):
        nobody.get("/overview")


@pytest.mark.parametrize(
    ("state", "tasks", "phase"),
    [
        ("INITIALIZING", {}, Phase.STARTING),
        ("RUNNING", {"running": 1, "total": 2, "created": 1}, Phase.STARTING),
        ("RUNNING", {"running": 1, "finished": 1, "total": 2}, Phase.RUNNING),
        ("RESTARTING", {"total": 2}, Phase.RESTARTING),
        ("FAILING", {"total": 2}, Phase.RESTARTING),
        ("CANCELLING", {"total": 2}, Phase.STOPPING),
        ("FINISHED", {"finished": 2, "total": 2}, Phase.FINISHED),
        ("FAILED", {}, Phase.FAILED),
        ("SOMETHING_NEW", {}, Phase.STARTING),
    ],
)
def test_phases(flink: Flink, rest: Rest, state: str, tasks: dict[str, int], phase: Phase) -> None:
    """Flink's states in our words; RUNNING is only said when every task runs or is done. All jobs cost one call."""
    job = {"jid": "a", "name": "n", "state": state, "start-time": 5, "end-time": -1, "tasks": {**TASKS, **tasks}}
    flink.answers["/jobs/overview"] = 200, {"jobs": [job, {**job, "jid": "b", "end-time": 7}]}
    running, total = tasks.get("running", 0), tasks.get("total", 0)
    assert jobs.overview(rest) == {
        "a": Observed(phase, 5, None, running, total),
        "b": Observed(phase, 5, 7, running, total),
    }
    assert len(flink.asked) == 1


def test_savepoint(flink: Flink, rest: Rest) -> None:
    """A savepoint is triggered once, in the format asked for, and followed to its location or its error."""
    flink.answers |= {
        "/jobs/a/status": (200, {"status": "RUNNING"}),
        "/jobs/a/stop": (202, {"request-id": "t"}),
        "/jobs/a/savepoints/t": (200, {"status": {"id": "IN_PROGRESS"}}),
    }
    assert jobs.trigger(rest, "a", "file:/s", stop=True, drain=False, native=False) == "t"
    assert flink.asked[-1][2] == {"formatType": "CANONICAL", "targetDirectory": "file:/s", "drain": False}
    assert jobs.triggered(rest, "a", "t") == SavepointStatus(done=False)
    done = {"status": {"id": "COMPLETED"}}
    flink.answers["/jobs/a/savepoints/t"] = 200, {**done, "operation": {"location": "file:/s/1"}}
    assert jobs.triggered(rest, "a", "t") == SavepointStatus(done=True, location="file:/s/1")
    trace = {"failure-cause": {"stack-trace": "a.B: outer\nCaused by: a.C: not all tasks run"}}
    flink.answers["/jobs/a/savepoints/t"] = 200, {**done, "operation": trace}
    assert jobs.triggered(rest, "a", "t") == SavepointStatus(done=True, error="not all tasks run")
    with pytest.raises(NotFound):
        jobs.triggered(rest, "a", "unknown")
    with pytest.raises(NotFound):
        jobs.trigger(rest, "b", "file:/s", stop=False, drain=False, native=False)
    assert sum(method == "POST" for method, _, _ in flink.asked) == 1


def test_cancel(flink: Flink, rest: Rest) -> None:
    """Cancelling what is gone or ended is fine; other refusals are told."""
    jobs.cancel(rest, "gone")
    flink.answers["/jobs/a?mode=cancel"] = (
        409,
        {"errors": ["Job cancellation failed because the job has already reached"]},
    )
    jobs.cancel(rest, "a")
    flink.answers["/jobs/a?mode=cancel"] = 500, {"errors": ["no"]}
    with pytest.raises(Conflict):
        jobs.cancel(rest, "a")
