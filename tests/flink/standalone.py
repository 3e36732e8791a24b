"""A Flink session cluster as somebody else would run it: a job manager and a task manager from Flink's own jars."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import closing, suppress
from pathlib import Path

from flinkform.errors import FlinkformError
from flinkform.flink.engines import find
from flinkform.flink.jvm import LIGHT, OPENS
from flinkform.flink.rest import Rest
from tests.flink.waiting import until

SLOTS = 8
_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_WORKER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_WORKER_MEMORY = {
    # What Flink's start scripts work out.
    "taskmanager.cpu.cores": "1",
    "taskmanager.memory.task.heap.size": "128m",
    "taskmanager.memory.task.off-heap.size": "0",
    "taskmanager.memory.network.min": "32m",
    "taskmanager.memory.network.max": "32m",
    "taskmanager.memory.managed.size": "32m",
    "taskmanager.memory.framework.heap.size": "64m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.jvm-metaspace.size": "192m",
    "taskmanager.memory.jvm-overhead.min": "64m",
    "taskmanager.memory.jvm-overhead.max": "64m",
}


class Standalone:
    """One cluster on loopback; its processes are ours to kill and to start again."""

    def __init__(self, home: Path, java: Path) -> None:
        self.home = home
        self._java = java
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._rest, self._rpc = _free(), _free()
        self.options = {
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": str(self._rpc),
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": str(self._rest),
            "web.refresh-interval": "200",
            "jobmanager.scheduler": "adaptive",
            "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "0 s",
            "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "1 s",
            "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "1 s",
            "cluster.registration.error-delay": "300 ms",
            "heartbeat.interval": "1000",
            "heartbeat.timeout": "5000",
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "jobmanager.bind-host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": str(SLOTS),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._rest}"

    @property
    def output(self) -> Path:
        """What print tables wrote."""
        return self.home / "worker.out"

    def start(self) -> None:
        """Return when every slot is there."""
        self.begin("manager")
        self.begin("worker")
        until(lambda: self._slots() == SLOTS)

    def begin(self, name: str) -> None:
        """Start one of the two processes."""
        kind, heap = (_MANAGER, "256m") if name == "manager" else (_WORKER, "384m")
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        whole = self.options | (_WORKER_MEMORY if name == "worker" else {})
        (folder / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in whole.items()))
        jars = os.pathsep.join(str(jar) for jar in sorted((find(None) / "lib").glob("*.jar")))
        opens = (f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENS)
        command = [str(self._java), f"-Xmx{heap}", *LIGHT, *opens, "-cp", jars, kind, "--configDir", str(folder)]
        environment = {"FLINK_CONF_DIR": str(folder), "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
        with (self.home / f"{name}.out").open("ab") as out:
            self._processes[name] = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, env=environment)

    def kill(self, name: str) -> None:
        """End one of them as an accident would."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for name in list(self._processes):
            self.kill(name)

    def _slots(self) -> int:
        with closing(Rest(self.url, timeout=5)) as rest, suppress(FlinkformError):
            return int(rest.get("/overview")["slots-available"])
        return 0


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
