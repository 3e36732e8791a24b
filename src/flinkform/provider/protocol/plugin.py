"""Being a go-plugin: the handshake with Terraform, its housekeeping calls, and an end without leftovers.

Imports wait until the handshake line is out: Terraform reads it, and dials, while we load the rest.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from binascii import b2a_base64
from collections.abc import Callable, Mapping

from flinkform.provider.protocol.rendezvous import Rendezvous

TYPE_CHECKING = False  # ssl and threading come later or not at all; type checkers know this name
if TYPE_CHECKING:
    from ssl import SSLContext
    from threading import Thread
    from types import TracebackType
    from typing import Self

    from flinkform.provider.protocol.certificate import Certificate
    from flinkform.provider.protocol.grpc import Answer, Methods
    from flinkform.provider.protocol.loop import Loop

COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
"""How Terraform tells a plugin that it is its parent: no secret, a guard against starting one by hand."""
CORE_PROTOCOL = 1
"""go-plugin's own version, the first field of the handshake."""
GRACE = 5.0
"""Seconds that running work has to end after a stop; Terraform kills a plugin 2 s after Shutdown."""

_SERVING = b"\x08\x01"
"""grpc.health.v1.HealthCheckResponse with status SERVING."""


def serve(methods: Methods, *, version: int = 6, on_stop: Callable[[], None] | None = None) -> None:
    """Serve the Terraform that started this process; returns when it is done with us.

    That is after Shutdown, SIGTERM or SIGHUP, or when the parent process is gone. *on_stop* is called once, then
    running work has GRACE seconds. SIGINT is ignored: Ctrl-C reaches the whole process group, and Terraform says Stop
    to its plugins itself. Raises Invalid when the parent is not Terraform.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    environment = os.environ
    _check_cookie(environment)
    parent = os.getppid()
    place = Rendezvous(environment)
    try:
        loop = _loop(methods, place, _shake_hands(environment, place, version))
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: loop.stop())
        # The kernel may hand a signal to a worker thread; the handler runs on this one, which has to wake for it.
        signal.set_wakeup_fd(loop.alarm, warn_on_full_buffer=False)
        loop.run(abandoned=lambda: os.getppid() != parent)
        signal.set_wakeup_fd(-1)
        try:
            if on_stop is not None:
                on_stop()
        finally:
            loop.finish(GRACE)
    finally:
        place.remove()


def _shake_hands(environment: Mapping[str, str], place: Rendezvous, version: int) -> SSLContext | None:
    """Say the handshake line; the TLS to use, or None when Terraform wants none (TF_DISABLE_PLUGIN_TLS)."""
    client = environment.get("PLUGIN_CLIENT_CERT")
    if not client:
        _say(f"{CORE_PROTOCOL}|{version}|unix|{place.path}|grpc|")
        return None
    from flinkform.provider.protocol import certificate  # noqa: PLC0415

    own = certificate.make()
    _say(f"{CORE_PROTOCOL}|{version}|unix|{place.path}|grpc|{b2a_base64(own.der, newline=False).decode().rstrip('=')}")
    return _context(own, client, place.directory)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _loop(methods: Methods, place: Rendezvous, context: SSLContext | None) -> Loop:
    from flinkform.provider.protocol.loop import Loop  # noqa: PLC0415

    def shutdown(_: bytes) -> Answer:
        loop.stop()
        return b""

    loop = Loop(place.listener, methods, _own(shutdown), context)
    return loop


def _context(certificate: Certificate, client: str, directory: str) -> SSLContext:
    """TLS that lets in the one client whose certificate came in the environment."""
    import ssl  # noqa: PLC0415  10 ms, spent while Terraform reads the handshake line

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=client)
    context.set_alpn_protocols(["h2"])
    context.num_tickets = 0  # nobody comes back
    path = f"{directory}/k"  # the ssl module loads keys from files only
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(certificate.pem)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)  # noqa: PTH108  pathlib costs 5 ms
    return context


def _own(shutdown: Callable[[bytes], Answer]) -> dict[bytes, Callable[[bytes], Answer]]:
    """What go-plugin itself calls. The provider logs to stderr and brokers nothing, so those streams stay silent."""
    return {
        b"/plugin.GRPCController/Shutdown": shutdown,
        b"/plugin.GRPCStdio/StreamStdio": lambda _: None,
        b"/plugin.GRPCBroker/StartStream": lambda _: [],  # answered when Terraform closes its side
        b"/grpc.health.v1.Health/Check": lambda _: _SERVING,
    }


def _check_cookie(environment: Mapping[str, str]) -> None:
    name, value = COOKIE
    if environment.get(name) != value:
        from flinkform.errors import Invalid  # noqa: PLC0415  brings dataclasses, which a good start does not need

        raise Invalid(
            "expected to be started by Terraform, got no plugin cookie",
            advice="this program is a Terraform plugin: install it as a provider and run terraform",
        )


class Reattached:
    """A provider that serves from this process; *environment* is for TF_REATTACH_PROVIDERS."""

    __slots__ = ("_loop", "_place", "_thread", "environment")

    def __init__(self, environment: str, *, loop: Loop, place: Rendezvous, thread: Thread) -> None:
        self.environment = environment
        self._loop = loop
        self._place = place
        self._thread = thread

    def close(self) -> None:
        """Stop serving; running work has GRACE seconds. Does nothing the second time."""
        self._loop.stop()
        self._thread.join()
        self._place.remove()
        atexit.unregister(self._place.remove)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reattach(methods: Methods, name: str) -> Reattached:
    """Serve from a daemon thread, without TLS, for any number of Terraform runs; *name* is the provider's address.

    One process then sees many walks: whatever the provider remembers has to be dropped in ConfigureProvider.
    """
    import json  # noqa: PLC0415  for tests and debuggers only
    from threading import Thread  # noqa: PLC0415

    from flinkform.provider.protocol.loop import Loop  # noqa: PLC0415

    place = Rendezvous(os.environ)
    atexit.register(place.remove)  # a daemon thread ends without a word when nobody calls close
    loop = Loop(place.listener, methods, _own(lambda _: b""))  # one Terraform's Shutdown is not the end

    def run() -> None:
        loop.run()
        loop.finish(GRACE)

    thread = Thread(target=run, name="flinkform-provider", daemon=True)
    thread.start()
    address = {"Network": "unix", "String": place.path}
    entry = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
    return Reattached(json.dumps({name: entry}), loop=loop, place=place, thread=thread)
