"""Calls over TLS: only to whom the certificate belongs."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flinkform.client.api import Client
from flinkform.errors import Unavailable
from flinkform.provider.protocol import certificate

from .conftest import Clock, Server, listening

Connect = Callable[..., Client]
JOB = {"workspace": "w", "namespace": "n", "jobId": "j"}


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """Return a file with the key and the certificate of `localhost`."""
    file = tmp_path / "localhost.pem"
    file.write_text(certificate.make().pem)
    return file


@pytest.fixture
def secure(clock: Clock, pem: Path) -> Iterator[Server]:
    """Return a server that speaks TLS with that certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with listening(Server(clock), tls) as told:
        yield told


def test_a_trusted_certificate(secure: Server, connect: Connect, pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose certificate this machine trusts is called, over one connection."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    client = connect(f"https://localhost:{secure.port}")
    for _ in range(3):
        client.call("GetJob", JOB)
    assert (len(secure.seen), secure.connections) == (3, 1)


def test_a_strangers_certificate(secure: Server, connect: Connect) -> None:
    """An untrusted certificate ends the call before anything is said, with advice, and is not tried again."""
    client = connect(f"https://localhost:{secure.port}")
    with pytest.raises(Unavailable, match=r"certificate verify failed.*this machine's certificates"):
        client.call("GetJob", JOB)
    assert client.calls == {"GetJob": 1}
    assert not secure.seen


def test_another_names_certificate(
    secure: Server, connect: Connect, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted certificate of another host is no good."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with pytest.raises(Unavailable, match="certificate"):
        connect(f"https://127.0.0.1:{secure.port}").call("GetJob", JOB)
    assert not secure.seen
