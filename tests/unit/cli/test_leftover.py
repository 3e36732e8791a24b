"""What is given back of a terraform that was killed, and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import gethostname
from threading import Thread
from typing import Any

import pytest

from flinkform.cli.leftover import Locks, Note
from flinkform.cli.project import Project

BEGAN = 1_790_000_000.0


class Plane(ThreadingHTTPServer):
    """A control plane that knows one lock."""

    lock: dict[str, Any] | None = None
    asked: list[str]

    class Handler(BaseHTTPRequestHandler):
        server: Plane

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            self.server.asked.append(f"{self.command} {self.path}")
            body = json.dumps({"lock": self.server.lock} if self.server.lock else {"message": "no state"}).encode()
            self.send_response(200 if self.server.lock else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""


@pytest.fixture
def plane() -> Iterator[Plane]:
    """A control plane, and what it was asked."""
    with Plane(("127.0.0.1", 0), Plane.Handler) as server:
        server.asked = []
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def locks(plane: Plane, tmp_path: Path) -> Locks:
    """The locks of that control plane, and a stack whose state it keeps."""
    endpoint = f"http://127.0.0.1:{plane.server_address[1]}"
    backend = {"http": {"address": f"{endpoint}/state/dev/bids"}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}))
    shell = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "k", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s", "FLINKFORM_ENDPOINT": endpoint}
    return Locks(Project(root=tmp_path, home=tmp_path, shell=shell))


def held(*, after: float = 1.0, host: str = gethostname()) -> dict[str, Any]:
    """Return a lock as the control plane shows it."""
    taken = datetime.fromtimestamp(BEGAN + after, UTC).isoformat()
    return {"id": "lock-1", "who": f"ann@{host}", "operation": "OperationTypeApply", "created": taken}


def test_the_lock_of_a_dead_run_is_given_back(plane: Plane, locks: Locks, tmp_path: Path) -> None:
    """The very lock that it took, by its id."""
    plane.lock = held()
    assert locks.release(tmp_path, BEGAN) == f"ann@{gethostname()} (OperationTypeApply)"
    assert plane.asked == [
        "GET /flinkform/v1/states/dev/bids",
        "POST /flinkform/v1/states/dev/bids/unlock?id=lock-1",
    ]


@pytest.mark.parametrize("lock", [held(after=-1), held(after=31), held(host="elsewhere"), None])
def test_any_other_lock_is_left_alone(plane: Plane, locks: Locks, tmp_path: Path, lock: dict[str, Any] | None) -> None:
    """A lock of another time or machine is somebody's who may be at work."""
    plane.lock = lock
    assert locks.release(tmp_path, BEGAN) == ""
    assert plane.asked == ["GET /flinkform/v1/states/dev/bids"]


@pytest.mark.parametrize("address", [None, "http://elsewhere/state/dev/bids", "{endpoint}/other/dev/bids"])
def test_states_that_are_kept_elsewhere_are_not_ours(
    plane: Plane, locks: Locks, tmp_path: Path, address: str | None
) -> None:
    """A stack with another backend is asked about nowhere."""
    backend = {"http": {"address": address.format(endpoint=locks.here.endpoint())}} if address else {"local": {}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}))
    plane.lock = held()
    assert locks.release(tmp_path, BEGAN) == ""
    assert plane.asked == []


def test_a_note_tells_a_dead_process_from_a_live_one(tmp_path: Path) -> None:
    """Also from another one that has its number now; without a note nobody died."""
    note = Note(tmp_path / "bids.run")
    assert note.died("-c") is None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        note.write(child.pid, BEGAN)
        assert note.died("-c") is None
        assert note.died("-chdir=stacks/bids") == BEGAN
    assert note.died("-c") == BEGAN
    note.write(os.getpid(), BEGAN)
    note.forget()
    assert note.died("-c") is None
    note.file.write_text("{")
    assert note.died("-c") is None
