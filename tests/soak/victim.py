"""A control plane as a process that is killed and started again, with the JVMs that hang on it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flinkform.client.retry import Retry
from flinkform.errors import FlinkformError
from tests.flink.plane import Plane, furnished, opened, wait

ROOT = Path(__file__).parents[2]


@dataclass
class Victim:
    """Where it keeps everything; *mood* is empty, or what `tests.soak.unsteady` is told, without a seed's last part."""

    home: Path
    mood: str = ""
    port: int = 0
    lives: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @cached_property
    def plane(self) -> Plane:
        """Calls to it, with a workspace of its own; nothing is asked for long, the soak knows better when to."""
        client = opened(self.home, f"http://127.0.0.1:{self.port}", retry=Retry(attempts=2))
        return Plane(self.home, client, furnished(client), 0)

    def begin(self) -> Plane:
        """Start it for the first time, until it answers."""
        self.port = _free()
        self.start()
        wait(self._listens, f"the control plane; see {self.home / 'out'}")
        return self.plane

    def start(self) -> None:
        """Start it and do not wait: the next kill may meet it half-way."""
        self.lives += 1
        self.home.mkdir(parents=True, exist_ok=True)
        shell = {**os.environ, "FLINKFORM_HEAP": "512m", "FLINKFORM_OWN_HEAP": "256m", "FLINKFORM_SLOTS": "12"}
        with (self.home / "out").open("ab") as out:
            self._process = subprocess.Popen(self._command(), stdout=out, stderr=out, env=shell, cwd=ROOT)

    def ended(self) -> int | None:
        """The exit code of one that was not killed."""
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """Kill it; its JVMs end by themselves."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def kill_jvm(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        """End it as it should be."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(180)
        if "plane" in self.__dict__:  # asked for once
            self.plane.client.close()

    def jvms(self) -> list[int]:
        """The processes of its JVMs, those too that it knows nothing of any more."""
        return [int(one.name) for one in Path("/proc").glob("[0-9]*") if _below(one, self.home / "flink")]

    def _listens(self) -> bool:
        try:
            with closing(opened(self.home, f"http://127.0.0.1:{self.port}", retry=Retry(attempts=1))) as client:
                client.call("DescribeInstances")
        except (FlinkformError, OSError, ValueError):
            assert self.ended() is None, (self.home / "out").read_text()
            return False
        return True

    def _command(self) -> list[str]:
        place = ["--home", str(self.home), "--java", str(shutil.which("java"))]
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        if not self.mood:
            return [sys.executable, "-m", "flinkform.cli.main", "controlplane", *listen, *place]
        return [sys.executable, "-m", "tests.soak.unsteady", *listen, *place, "--mood", f"{self.lives}:{self.mood}"]


def _below(process: Path, home: Path) -> bool:
    """Whether a process is a JVM that works below *home*."""
    try:
        program, place = (process / "exe").readlink().name, (process / "cwd").readlink()
    except OSError:
        return False
    return program == "java" and place.is_relative_to(home)


def _free() -> int:
    """A port below those that the system gives to clients, which would take it while nobody listens."""
    for port in random.sample(range(20000, 30000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")
