"""The client of Flink's REST, against a small server that answers as Flink does."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from pathlib import Path

import pytest

from flinkform.errors import Conflict, Denied, NotFound, TimedOut, Unavailable
from flinkform.flink import jobs
from flinkform.flink.rest import Rest
from flinkform.flink.values import Observed, Phase, SavepointStatus
from flinkform.provider.protocol import certificate
from tests.unit.flink.server import Flink

TASKS = dict.fromkeys(("running", "finished", "total", "created"), 0)
TRACE = "a.b.X: outer\n\tat a.B\nCaused by: a.b.C: the real reason"
WRAPPED = f"<Exception on server side:\n{TRACE}\nEnd of exception on server side>"


@pytest.fixture
def rest(flink: Flink) -> Iterator[Rest]:
    client = Rest(f"http://127.0.0.1:{flink.server_address[1]}", timeout=5)
    yield client
    client.close()


def test_ready(flink: Flink, rest: Rest) -> None:
    """A cluster without a leader is waited for, for a while; one that answers otherwise, or not at all, is not."""
    waits: list[float] = []

    def elect(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            flink.answers["/overview"] = 200, {}

    flink.answers["/overview"] = 503, {"errors": ["ongoing leader election"]}
    rest.ready(10, elect)
    assert len(waits) == 3
    flink.answers["/overview"] = 503, {"errors": ["ongoing leader election"]}
    with pytest.raises(Unavailable, match="leader election"):
        rest.ready(sum(waits), waits.append)
    flink.answers.clear()
    with pytest.raises(NotFound):
        rest.ready(10, waits.append)
    assert len(waits) == 6


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
    """A savepoint is triggered in its format, under a name of ours, and followed to its location or its error."""
    flink.answers |= {
        "/jobs/a/status": (200, {"status": "RUNNING"}),
        "/jobs/a/stop": (202, {"request-id": "t"}),
        "/jobs/a/savepoints/t": (200, {"status": {"id": "IN_PROGRESS"}}),
    }
    assert jobs.trigger(rest, "a", "file:/s", stop=True, drain=False, native=False) == "t"
    sent = {**flink.asked[-1][2]}
    ours = sent.pop("triggerId")
    assert sent == {"formatType": "CANONICAL", "targetDirectory": "file:/s", "drain": False}
    jobs.trigger(rest, "a", "file:/s", stop=True, drain=False, native=False)
    assert flink.asked[-1][2]["triggerId"] == ours  # to ask again is the same savepoint
    jobs.trigger(rest, "a", "file:/s2", stop=True, drain=False, native=False)
    assert flink.asked[-1][2]["triggerId"] != ours
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
    assert sum(method == "POST" for method, _, _ in flink.asked) == 3


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


def test_elsewhere(flink: Flink) -> None:
    """Behind a path and a password: both go with every request, and no failure shows the password."""
    flink.answers |= {"/team/overview": (200, {"slots": 1}), "/team/secret": (401, b"who are you?")}
    url = f"http://127.0.0.1:{flink.server_address[1]}/team"
    with closing(Rest(url, timeout=5, headers={"Authorization": "Bearer hush"})) as rest:
        assert rest.get("/overview") == {"slots": 1}
        with pytest.raises(Denied, match="does not let us in") as denied:
            rest.get("/secret")
    assert [one["authorization"] for one in flink.headers] == ["Bearer hush"] * 2
    assert "hush" not in str(denied.value)


def test_tls(flink: Flink, tmp_path: Path) -> None:
    """A certificate is trusted if its CA was named, and only then."""
    pem = tmp_path / "cert.pem"
    pem.write_text(certificate.make().pem)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    flink.socket = tls.wrap_socket(flink.socket, server_side=True)
    flink.answers["/overview"] = 200, {"slots": 1}
    url = f"https://localhost:{flink.server_address[1]}"
    with closing(Rest(url, timeout=5, tls=ssl.create_default_context(cafile=pem))) as rest:
        assert rest.get("/overview") == {"slots": 1}
    with closing(Rest(url, timeout=5)) as rest, pytest.raises(Unavailable, match="is not trusted"):
        rest.get("/overview")


def test_upload(flink: Flink, rest: Rest, tmp_path: Path) -> None:
    """A job goes as a form: what it is made of, then the files. The same job twice is no error."""
    graph, jar = tmp_path / "a.bin", tmp_path / "b.jar"
    graph.write_bytes(b"\0\r\n--graph")
    jar.write_bytes(b"PK")
    flink.answers["/jobs"] = 200, {}
    jobs.submit(rest, graph, [jar])
    head = f"Content-Type: {flink.headers[-1]['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + flink.sent[-1]).get_payload()
    found = {part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True) for part in parts}
    names = {"executionPlanFileName": "a.bin", "jobJarFileNames": ["b.jar"], "jobArtifactFileNames": []}
    assert json.loads(found.pop("request")) == names
    assert found == {"file_0": b"\0\r\n--graph", "file_1": b"PK"}
    flink.answers["/jobs"] = 500, {"errors": ["DuplicateJobSubmissionException: Job has already been submitted."]}
    jobs.submit(rest, graph, [])
    flink.answers["/jobs"] = 500, {"errors": ["no room"]}
    with pytest.raises(Conflict, match="no room"):
        jobs.submit(rest, graph, [])


def test_rescale(flink: Flink, rest: Rest) -> None:
    """Every task gets the new parallelism but those that can only be one; how many there will be is told."""
    wanted = {name: {"parallelism": {"lowerBound": 1, "upperBound": 1}} for name in ("a", "b", "c")}
    flink.answers |= {
        "/jobs/j/resource-requirements": (200, wanted),
        "/jobs/j": (200, {"vertices": [{"id": n, "maxParallelism": 1 if n == "c" else 128} for n in ("a", "b", "c")]}),
    }
    assert jobs.rescale(rest, "j", 3) == 7
    method, _, body = flink.asked[-1]
    assert method == "PUT"
    assert isinstance(body, dict)
    assert {name: one["parallelism"]["upperBound"] for name, one in body.items()} == {"a": 3, "b": 3, "c": 1}
