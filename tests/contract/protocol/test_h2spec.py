"""h2spec, the conformance suite of HTTP/2, judges the server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.provider.protocol.loop import Loop

CACHE = Path.home() / ".cache" / "flinkform" / "judges"
MODULE = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"


@pytest.fixture(scope="session")
def h2spec() -> str:
    """The program: on PATH, in the cache, or built once into it."""
    found = shutil.which("h2spec") or shutil.which("h2spec", path=CACHE)
    go = shutil.which("go")
    if found is None and go is None:
        pytest.skip("h2spec is not on PATH, and there is no Go to build it with")
    if found is None and go is not None:
        CACHE.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"GOBIN": str(CACHE)}
        built = subprocess.run([go, "install", MODULE], env=environment, capture_output=True, text=True, check=False)
        if built.returncode:
            pytest.skip(f"h2spec could not be built: {built.stderr[-300:]}")
        found = str(CACHE / "h2spec")
    assert found is not None
    return found


@pytest.fixture
def port() -> Iterator[int]:
    """A server on loopback, without TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    number = listener.getsockname()[1]
    loop = Loop(listener, {}, {})
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield number
    loop.stop()
    thread.join()
    loop.finish(1.0)


def test_every_case_passes(h2spec: str, port: int) -> None:
    """Strict ones included, none skipped."""
    done = subprocess.run(
        [h2spec, "-h", "127.0.0.1", "-p", str(port), "-o", "5", "-S"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert ", 0 skipped, 0 failed" in done.stdout
