"""A control plane without a process, and one with a workspace in it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flinkform.controlplane import keyring
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.database import Store
from flinkform.openapi import signature
from tests.unit.controlplane.api.world import Api, Client, Clock, Flink
from tests.unit.controlplane.tables import Kind


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def flink() -> Flink:
    return Flink()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with tables and a root key, made once: copying it is faster than making it."""
    home = tmp_path_factory.mktemp("template")
    settings = Settings(home=home)
    store = Store.open(settings.database_url)
    keyring.root(store, settings)
    store.close()
    return home


@pytest.fixture
def services(tmp_path: Path, template: Path, flink: Flink, clock: Clock, kind: Kind) -> Iterator[Services]:
    home = tmp_path / "home"
    shutil.copytree(template, home)
    settings = Settings(home=home, database=kind.url(home))
    store = Store.open(settings.database_url)
    yield Services(store=store, runtime=flink, settings=settings, clock=clock, poke=flink.wake)  # type: ignore[arg-type]
    store.close()


@pytest.fixture
def empty(services: Services) -> Iterator[Api]:
    """A control plane that holds nothing but a key."""
    made = keyring.root(services.store, services.settings)
    client = Client(build(services))
    yield Api(services, client, signature.Key(made.id, made.secret))
    client.close()


@pytest.fixture
def api(empty: Api) -> Api:
    """A control plane with a workspace `main` and its default namespace, both ready."""
    made = empty.call(
        "CreateInstance",
        InstanceName="main",
        ChargeType="POST",
        VpcId="vpc-1",
        VSwitchIds=["vsw-1"],
        Storage={"Oss": {"Bucket": "bucket"}},
        ResourceSpec={"Cpu": 10, "MemoryGB": 40},
    )
    empty.instance = made["OrderInfo"]["InstanceId"]
    empty.settle()
    empty.workspace = empty.call("DescribeInstances")["Instances"][0]["ResourceId"]
    return empty


class _Rest(BaseHTTPRequestHandler):
    """Answers with the path it was asked for."""

    def do_GET(self) -> None:
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(f'{{"path": "{self.path}"}}'.encode())

    def log_message(self, *_said: object) -> None:
        return


@pytest.fixture
def rest(flink: Flink) -> Iterator[str]:
    """A REST that says what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Rest)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    flink.rest_url = f"http://127.0.0.1:{server.server_port}"
    yield flink.rest_url
    server.shutdown()
    thread.join()
    server.server_close()
