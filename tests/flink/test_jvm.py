"""The JVM as a tenant: it starts or says why, ends with us, and keeps a lock until it is gone."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.errors import Killed, Missing, Unavailable
from flinkform.flink.jvm import Jvm
from flinkform.flink.settings import Settings
from tests.flink.conftest import until

PARENT = """
import sys, time
from pathlib import Path
from flinkform.flink.jvm import Jvm
from flinkform.flink.settings import Settings
jvm = Jvm(Settings(home=Path(sys.argv[1]), java=Path(sys.argv[2])))
jvm.start()
print(jvm.pid, flush=True)
time.sleep(60)
"""


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_lock(tmp_path: Path, java: Path) -> None:
    """A lock that was handed over is held until the JVM is gone, and stop leaves no process and no temporary files."""
    lock = tmp_path / "lock"
    lock.touch()
    held = os.open(lock, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    jvm = Jvm(Settings(home=tmp_path / "home", java=java), locks=[held])
    jvm.start()
    os.close(held)
    pid = int((tmp_path / "home" / "jvm.pid").read_text())
    assert locked(lock)
    jvm.stop()
    jvm.stop()
    assert not locked(lock)
    assert not running(pid)
    assert sorted(path.name for path in (tmp_path / "home").iterdir() if path.name in ("tmp", "jvm.pid")) == []
    with pytest.raises(Unavailable):
        _ = jvm.gateway


def test_ends_with_its_parent(tmp_path: Path, java: Path) -> None:
    """A kill -9 of the process that started it ends the JVM as well."""
    source = str(Path(__file__).parents[2] / "src")
    command = [sys.executable, "-c", PARENT, str(tmp_path / "home"), str(java)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": source}) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert running(pid)
        parent.send_signal(signal.SIGKILL)
    try:
        until(lambda: not running(pid))
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_no_java(tmp_path: Path, java: Path) -> None:
    """A Java that is not there is Missing; a program that is no Java is Unavailable, with what it said."""
    settings = Settings(home=tmp_path, java=java)
    with pytest.raises(Missing, match="cannot run /nowhere/java"):
        Jvm(replace(settings, java=Path("/nowhere/java"))).start()
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\necho 'I am no Java' >&2\nexit 3\n")
    fake.chmod(0o700)
    with pytest.raises(Unavailable, match="Java did not start: I am no Java"):
        Jvm(replace(settings, java=fake)).start()


def test_killed_start(tmp_path: Path, java: Path) -> None:
    """A start that somebody else ends is told from one that fails."""
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\nkill -9 $$\n")
    fake.chmod(0o700)
    with pytest.raises(Killed):
        Jvm(replace(Settings(home=tmp_path, java=java), java=fake)).start()


def test_no_home(tmp_path: Path, java: Path) -> None:
    """A home that cannot be written is Unavailable and names it."""
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"cannot write to .*file/home"):
        Jvm(Settings(home=tmp_path / "file" / "home", java=java)).start()


def test_environment(tmp_path: Path, java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in our environment is not told to the JVM and so to no job."""
    monkeypatch.setenv("FLINKFORM_TEST_SECRET", "hush")
    jvm = Jvm(Settings(home=tmp_path, java=java))
    jvm.start()
    try:
        assert jvm.gateway.jvm.java.lang.System.getenv("FLINKFORM_TEST_SECRET") is None
    finally:
        jvm.stop()
