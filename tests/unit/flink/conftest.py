"""Flink's REST, as a server of our own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.unit.flink.server import Flink


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
