"""The control plane as a process."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints
from flinkform.client.retry import Retry
from tests.contract.served import until

COMMAND = (sys.executable, "-m", "flinkform.cli.main")
DIRECT = build_opener(ProxyHandler({}))


@dataclass
class Process:
    """One control plane that finds no Java, so that no JVM costs the test its time."""

    home: Path
    listen: str = "127.0.0.1:0"
    environment: dict[str, str] = field(default_factory=dict)
    clients: list[Client] = field(default_factory=list)

    def start(self) -> Process:
        words = ("controlplane", "--listen", self.listen, "--home", str(self.home), "--java", "/no/such/java")
        self.out = self.home.parent / f"{self.home.name}.out"
        self.err = self.home.parent / f"{self.home.name}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.popen = subprocess.Popen([*COMMAND, *words], stdout=out, stderr=err, env=os.environ | self.environment)
        return self

    def ready(self) -> Process:
        until(lambda: self.out.read_bytes().endswith(b"\n") or self.popen.poll() is not None, "the endpoint")
        assert self.popen.poll() is None, self.err.read_text()
        return self

    @property
    def endpoint(self) -> str:
        return str(json.loads(self.out.read_text())["endpoint"])

    @property
    def key(self) -> tuple[str, str]:
        kept = json.loads((self.home / "credentials.json").read_text())
        return kept["access_key_id"], kept["access_key_secret"]

    def client(self, retry: Retry | None = None) -> Client:
        """A client of its API."""
        (key_id, secret), url = self.key, self.endpoint
        whose = Credentials(key_id=key_id, secret=secret)
        self.clients.append(Client(whose, Endpoints(console=url, ververica=url), region="cn-hangzhou", retry=retry))
        return self.clients[-1]

    def get(self, path: str, key: tuple[str, str] | None = None) -> tuple[int, str]:
        return self.send("GET", path, key)

    def send(
        self, method: str, path: str, key: tuple[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, str]:
        """Return status and text of an answer."""
        token = base64.b64encode(":".join(key or ("", "")).encode()).decode()
        headers = {"Authorization": f"Basic {token}"} if key else {}
        asked = Request(self.endpoint + path, data=body, headers=headers, method=method)  # noqa: S310 -- our own address
        try:
            with DIRECT.open(asked, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Return the exit code after a signal."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(20)


@contextmanager
def running(process: Process) -> Iterator[Process]:
    try:
        yield process.start()
    finally:
        process.end(signal.SIGKILL)
        for client in process.clients:
            client.close()
