"""How soon the provider is there, against a Python that does nothing (`python -SE -c pass`).

Candidate: the built provider, started as Terraform starts it, with mutual TLS: until its handshake line can be read,
and until it has answered the first GetProviderSchema over that connection. Floor: the same Python, started and gone.

Wall time is what a user waits for; CPU seconds of the process are what other work on the machine cannot falsify. A
figure is the median of three rounds, each of which takes the best of several starts of everything in turn.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h2.config
import h2.connection

from flinkform.provider import build
from flinkform.provider.protocol import certificate
from flinkform.provider.protocol.plugin import COOKIE

ROUNDS, STARTS = 3, 15
END_HEADERS, END_STREAM = 1, 1
Times = tuple[float, float]
"""Seconds of wall and of CPU."""


class Peer:
    """A client that has done all it can before the clock runs: key, TLS settings and the bytes of one request."""

    def __init__(self, folder: Path) -> None:
        mine = certificate.make()
        self.key = folder / "client.pem"
        self.key.write_text(mine.pem)
        self.certificate = ssl.DER_cert_to_PEM_cert(mine.der)
        self.request = _request()

    def environment(self) -> dict[str, str]:
        """Return what Terraform sets for a plugin, and this very Python."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        name, value = COOKIE
        told = {name: value, "PLUGIN_PROTOCOL_VERSIONS": "6", "PLUGIN_CLIENT_CERT": self.certificate}
        return kept | told | {"FLINKFORM_PYTHON": sys.executable}

    def ask(self, line: str) -> bytes:
        """Call GetProviderSchema at the address of a handshake line; return all that was answered."""
        _, _, _, address, _, encoded = line.strip().split("|")
        der = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
        context.load_cert_chain(self.key)
        context.set_alpn_protocols(["h2"])
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(address)
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(self.request)
                return _answer(secure)


def _request() -> bytes:
    """Return the bytes of a connection's beginning and of one call on it."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration())
    connection.initiate_connection()
    headers = {":method": "POST", ":scheme": "https", ":path": "/tfplugin6.Provider/GetProviderSchema"}
    headers |= {":authority": "localhost", "content-type": "application/grpc", "te": "trailers"}
    connection.send_headers(1, list(headers.items()))
    connection.send_data(1, bytes(5), end_stream=True)
    return connection.data_to_send()


def _answer(secure: ssl.SSLSocket) -> bytes:
    """Read frames until the trailers."""
    data, position = b"", 0
    while True:
        while len(data) - position >= 9:
            size, kind, flags = int.from_bytes(data[position : position + 3], "big"), *data[position + 3 : position + 5]
            if len(data) - position < 9 + size:
                break
            if kind == END_HEADERS and flags & END_STREAM:
                return data
            position += 9 + size
        more = secure.recv(65536)
        if not more:
            raise ConnectionError("the provider hung up")
        data += more


def handshake(program: Path, peer: Peer, *, ask: bool) -> Times:
    """Start the provider, and stop it as soon as it said what was waited for."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [program], env=peer.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        line = process.stdout.readline() if process.stdout else ""
        if ask and b"flink_job" not in peer.ask(line):
            raise RuntimeError("expected a schema with flink_job in it, got another answer")
        wall = time.perf_counter() - begun
        process.terminate()
        return wall, _cpu(process)


def bare() -> Times:
    """Start a Python that does nothing."""
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-SE", "-c", "pass"]) as process:
        cpu = _cpu(process)
        return time.perf_counter() - begun, cpu


def _cpu(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> float:
    """Wait for a process and return its CPU seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def best(measure: Callable[[], Times], starts: int) -> Times:
    """Return the best wall and the best CPU time of several starts."""
    walls, cpus = zip(*(measure() for _ in range(starts)), strict=True)
    return min(walls), min(cpus)


def main() -> None:
    """Measure, and print one JSON line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--starts", type=int, default=STARTS)
    options = parser.parse_args()
    print(__doc__)
    with tempfile.TemporaryDirectory(prefix="flinkform-start-") as name:
        program, peer = build.zipapp(Path(name) / build.NAME), Peer(Path(name))
        sides: dict[str, Callable[[], Times]] = {
            "bare": bare,
            "handshake": lambda: handshake(program, peer, ask=False),
            "schema": lambda: handshake(program, peer, ask=True),
        }
        rounds = [{side: best(run, options.starts) for side, run in sides.items()} for _ in range(options.rounds)]
    for side, what in (("handshake", "provider start to handshake"), ("schema", "provider start to first schema")):
        for index, unit in enumerate(("wall s", "CPU s")):
            candidate = statistics.median(r[side][index] for r in rounds)
            floor = statistics.median(r["bare"][index] for r in rounds)
            print(json.dumps(_figure(what, candidate, floor, unit)))


def _figure(name: str, candidate: float, floor: float, unit: str) -> dict[str, object]:
    figure: dict[str, object] = {"benchmark": name, "n": 1, "candidate": round(candidate, 4), "floor": round(floor, 4)}
    return figure | {"ratio": round(candidate / floor, 2), "unit": unit}


if __name__ == "__main__":
    main()
