"""The control plane as a process: starting, stopping, its home, its port, its keys and its log."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.contract.process import COMMAND, Process, running
from tests.contract.served import until


def flinkform(*words: str) -> dict[str, str]:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_it_says_where_it_listens_and_why_nothing_runs(tmp_path: Path) -> None:
    """One line of JSON on stdout; up, not ready, and the reason; the pages are served all the same."""
    with running(Process(tmp_path / "home")) as process:
        process.ready()
        assert process.get("/healthz")[0] == 200
        until(lambda: "/no/such/java" in process.get("/readyz")[1], "the reason")
        assert process.get("/readyz")[0] == 503
        assert json.loads(process.get("/flinkform/v1/status", process.key)[1])["jobs"] == []
        assert process.end() == 0
        assert len(process.out.read_text().splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to(tmp_path: Path, number: int) -> None:
    """A signal ends it with 0, without a word, and its home can be used again at once, with the same key."""
    with running(Process(tmp_path / "home")) as process:
        key = process.ready().key
        assert process.end(number) == 0
        assert process.err.read_text() == ""
        process.start().ready()
        assert process.key == key
        assert process.get("/flinkform/v1/states", key)[0] == 200


def test_it_stops_before_it_is_ready(tmp_path: Path) -> None:
    """Told to stop while it starts, it ends with 0 too, and leaves nothing in the way of the next."""
    with running(Process(tmp_path / "home")) as process:
        until((tmp_path / "home").is_dir, "the home to be made")
        assert process.end() == 0
        process.start().ready()


def test_it_comes_back_after_a_kill(tmp_path: Path) -> None:
    """A control plane that was killed leaves nothing in the way of the next."""
    with running(Process(tmp_path / "home")) as process:
        process.ready().end(signal.SIGKILL)
        process.start().ready()
        assert process.get("/healthz")[0] == 200


def test_keys_work_before_the_first_start_and_while_it_runs(tmp_path: Path) -> None:
    """`key create` needs no server, and a server learns of new keys at once."""
    home = tmp_path / "home"
    early = flinkform("key", "create", "--home", str(home), "--json")
    with running(Process(home)) as process:
        process.ready()
        late = flinkform("key", "create", "--home", str(home), "--json")
        for one in (early, late):
            assert set(one) == {"access_key_id", "access_key_secret"}
            key = (one["access_key_id"], one["access_key_secret"])
            assert process.get("/flinkform/v1/states", key)[0] == 200
            assert process.get("/flinkform/v1/states", (key[0], "wrong"))[0] == 401


def test_taken_port_is_said(tmp_path: Path) -> None:
    """A port that somebody has is named, with what to do; exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with running(Process(tmp_path / "home", f"127.0.0.1:{port}")) as process:
            assert process.popen.wait(30) == 1
            said = process.err.read_text()
            assert f"port {port} of 127.0.0.1 is taken" in said
            assert "Traceback" not in said


@pytest.mark.parametrize("listen", ["8711", "127.0.0.1:x", "127.0.0.1:70000", "256.0.0.1:0"])
def test_bad_address_is_said(tmp_path: Path, listen: str) -> None:
    """An address that cannot be listened on is refused with words."""
    with running(Process(tmp_path / "home", listen)) as process:
        assert process.popen.wait(30) == 1
        assert "listen" in process.err.read_text()
        assert "Traceback" not in process.err.read_text()


def test_a_successor_waits(tmp_path: Path) -> None:
    """A second control plane says whom it waits for, and takes over when that one is gone; or gives up."""
    home = tmp_path / "home"
    with running(Process(home)) as first:
        first.ready()
        second = Process(home)
        hurried = Process(home, environment={"FLINKFORM_LOCK_WAIT": "1"})
        hurried.start()
        assert hurried.popen.wait(30) == 1
        assert f"process {first.popen.pid}" in hurried.err.read_text()
        with running(second):
            until(lambda: "waiting for process" in second.err.read_text(), "the successor to say that it waits")
            assert second.out.read_text() == ""
            first.end()
            second.ready()
            assert second.get("/healthz")[0] == 200


def refused(home: Path) -> str:
    """Return what a control plane says that cannot use its home."""
    words = [*COMMAND, "controlplane", "--home", str(home)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


def test_home_below_a_file_is_said(tmp_path: Path) -> None:
    """A home that cannot be made is named."""
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file" / "home") in refused(tmp_path / "file" / "home")


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, small enough to be filled."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets us mount nothing")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_full_home_is_said(tmp_path: Path) -> None:
    """A home without room is named as full, with what to do."""
    with mounted(tmp_path, "32k"):
        assert "is full: 0.0 MiB are free; free some space" in refused(tmp_path / "home")


def test_home_that_fills_up_later(tmp_path: Path) -> None:
    """On a full disk writes are refused with the reason and reads go on; with room again, so do writes."""
    with mounted(tmp_path, "8m"), running(Process(tmp_path / "home")) as process:
        process.ready()
        body = json.dumps({"version": 4, "serial": 1, "lineage": "l", "x": secrets.token_hex(100_000)}).encode()
        assert process.send("POST", "/state/dev/one", process.key, body)[0] == 200
        filler = tmp_path / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                continue
        status, said = process.send("POST", "/state/dev/two", process.key, body)
        assert (status, "full" in said) == (503, True), said
        assert "is full: 0.0 MiB are free" in process.get("/readyz")[1]
        assert process.get("/state/dev/one", process.key)[0] == 200
        filler.unlink()
        assert process.send("POST", "/state/dev/two", process.key, body)[0] == 200


def test_log_is_structured_and_holds_no_secret(tmp_path: Path) -> None:
    """Every line of the log is a JSON object; no key's secret is in it, nor in what was printed."""
    with running(Process(tmp_path / "home", environment={"FLINKFORM_LOG_LEVEL": "debug"})) as process:
        process.ready()
        process.get("/flinkform/v1/status", process.key)
        process.get("/api/v2/namespaces/x/deployments")
        process.end()
        text = (process.home / "logs" / "controlplane.jsonl").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        assert {"event", "level", "timestamp"} <= set(lines[0])
        assert "refused" in {line["event"] for line in lines}
        for said in (text, process.out.read_text(), process.err.read_text()):
            assert process.key[1] not in said
