"""A provider process and the ways it begins and ends, seen as Terraform sees them."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from flinkform.provider.protocol import plugin
from flinkform.provider.protocol.grpc import Later
from flinkform.provider.protocol.loop import Loop
from flinkform.provider.protocol.plugin import COOKIE
from flinkform.provider.protocol.rendezvous import Rendezvous
from tests.contract.protocol.conftest import LONG, PROGRAM, ROOT, Identity, Process, Stranger

Start = Callable[..., Process]


def test_the_handshake_line(start: Start) -> None:
    """Core and application protocol, a socket nobody else can reach, gRPC, and a certificate without padding."""
    core, protocol, network, path, kind, der = start().hello
    assert (core, protocol, network, kind) == ("1", "6", "unix", "grpc")
    assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700
    assert "=" not in der


def test_terraform_is_let_in(start: Start, terraform: Identity) -> None:
    """With the certificate that came in the environment, over TLS 1.3 and ALPN h2."""
    sock = start().dial(terraform)
    assert isinstance(sock, ssl.SSLSocket)
    assert (sock.version(), sock.selected_alpn_protocol()) == ("TLSv1.3", "h2")
    with Stranger(sock) as stranger:
        assert stranger.call("/t.T/Echo", bytes(1 << 20))[1] == bytes(1 << 20)


@pytest.mark.parametrize(("who", "reason"), [("impostor", "UNKNOWN_CA"), (None, "CERTIFICATE_REQUIRED")])
def test_nobody_else_is(
    start: Start, terraform: Identity, who: str | None, reason: str, request: pytest.FixtureRequest
) -> None:
    """A wrong certificate or none is refused, and Terraform is served all the same."""
    process = start()
    sock = process.dial(request.getfixturevalue(who) if who else None)
    with pytest.raises(ssl.SSLError, match=reason), sock:
        sock.recv(1)
    with Stranger(process.dial(terraform)) as stranger:
        assert stranger.call("/t.T/Echo", b"x")[1] == b"x"


def test_without_tls_when_terraform_wants_none(start: Start) -> None:
    """TF_DISABLE_PLUGIN_TLS leaves the certificate out of the environment."""
    process = start(PLUGIN_CLIENT_CERT="")
    assert process.hello[5] == ""
    with Stranger(process.dial(tls=False)) as stranger:
        assert stranger.call("/t.T/Echo", b"x")[1] == b"x"


def test_a_secret_key_is_not_left_on_disk(start: Start, terraform: Identity) -> None:
    """Once it serves, its directory holds the socket alone."""
    process = start()
    with Stranger(process.dial(terraform)) as stranger:
        stranger.call("/t.T/Echo")
        assert [path.name for path in Path(process.hello[3]).parent.iterdir()] == ["s"]


def test_shutdown_ends_it(start: Start, terraform: Identity) -> None:
    """The call is answered, then the process ends by itself and leaves nothing behind."""
    process = start()
    with Stranger(process.dial(terraform)) as stranger:
        stranger.begin("/plugin.GRPCStdio/StreamStdio", ended=True)
        stranger.begin("/plugin.GRPCBroker/StartStream")
        assert stranger.call("/plugin.GRPCController/Shutdown")[0]["grpc-status"] == "0"
    assert process.end() == (0, "over\n")
    assert not Path(process.hello[3]).parent.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_work_done(start: Start, number: signal.Signals) -> None:
    """Running work is told to stop, and its answer still arrives."""
    process = start(PLUGIN_CLIENT_CERT="")
    with grpc.insecure_channel(f"unix:{process.hello[3]}") as channel:
        answer = channel.unary_unary("/t.T/Slow").future(b"", timeout=LONG)
        assert process.process.stderr is not None
        assert process.process.stderr.readline() == "working\n"
        process.process.send_signal(number)
        assert answer.result() == b"stopped"
    assert process.end() == (0, "over\n")
    assert not Path(process.hello[3]).parent.exists()


def test_a_signal_that_a_worker_thread_gets_ends_it_too(start: Start) -> None:
    """The kernel picks the thread; the loop has to wake for it."""
    process = start(PLUGIN_CLIENT_CERT="")
    with grpc.insecure_channel(f"unix:{process.hello[3]}") as channel:
        assert channel.unary_unary("/t.T/Shot")(b"", timeout=LONG) == b"stopped"
    assert process.end() == (0, "over\n")


def test_ctrl_c_is_terraform_s_business(start: Start, terraform: Identity) -> None:
    """SIGINT reaches the whole process group; the provider goes on until Terraform says Stop."""
    process = start()
    process.process.send_signal(signal.SIGINT)
    with Stranger(process.dial(terraform)) as stranger:
        process.process.send_signal(signal.SIGINT)
        assert stranger.call("/t.T/Echo", b"x")[1] == b"x"


def test_it_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    """Terraform that was killed leaves no provider behind."""
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {PROGRAM!r}], stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
    )
    environment = {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path), COOKIE[0]: COOKIE[1]}
    done = subprocess.run(
        [sys.executable, "-c", parent], env=environment, capture_output=True, text=True, check=True, timeout=LONG
    )
    assert "over" in done.stderr  # run waits for the end of stderr, which the provider holds open
    assert list(tmp_path.iterdir()) == []


def test_it_is_not_started_by_hand(start: Start) -> None:
    """Without Terraform's cookie it says what it is and serves nobody."""
    code, errors = start(**{COOKIE[0]: "wrong"}).end()
    assert code != 0
    assert "expected to be started by Terraform" in errors


def test_a_quick_start_loads_little() -> None:
    """What costs milliseconds is not loaded before the handshake line, which waits for these modules."""
    costly = ["typing", "dataclasses", "json", "threading", "ssl", "hashlib", "traceback", "tempfile", "pathlib", "re"]
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n"
        "from flinkform.provider.protocol import certificate, msgpack, plugin, protobuf\n"
        "certificate.make()\n"
        f"print([name for name in {costly!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-SE", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_reattached_server_ends_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thread, socket and directory are gone, and closing twice is no error."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = plugin.reattach({b"/t.T/Echo": lambda body: body}, "example.com/a/b")
    with server:
        assert len(list(tmp_path.iterdir())) == 1
        assert f'"Pid": {os.getpid()}' in server.environment
    server.close()
    assert list(tmp_path.iterdir()) == []


def test_a_reattached_server_nobody_closed_leaves_nothing(tmp_path: Path) -> None:
    """Its directory goes when the process does."""
    program = "from flinkform.provider.protocol import plugin; plugin.reattach({}, 'example.com/a/b')"
    environment = {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=LONG)
    assert list(tmp_path.iterdir()) == []


def test_work_that_does_not_end_does_not_hold_it(tmp_path: Path) -> None:
    """Its time is up when the grace is over, and the caller sees the connection end."""
    place = Rendezvous({"TMPDIR": str(tmp_path)})
    begun, released = threading.Event(), threading.Event()

    def work() -> bytes:
        begun.set()
        released.wait(LONG)
        return b""

    loop = Loop(place.listener, {b"/t.T/Deaf": lambda _: Later(work)}, {})
    thread = threading.Thread(target=loop.run)
    thread.start()
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(place.path)
    with Stranger(sock) as stranger:
        call = stranger.begin("/t.T/Deaf")
        stranger.say(call, b"")
        assert begun.wait(LONG)
        loop.stop()
        thread.join(LONG)
        loop.finish(0.05)
        with pytest.raises(ConnectionError):
            stranger.answer(call)
    released.set()
    place.remove()
