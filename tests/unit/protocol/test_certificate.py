"""The throw-away certificate, judged by OpenSSL."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from flinkform.provider.protocol import certificate, p256

# Multiples of the generator, from the vectors published for P-256.
MULTIPLES = {
    1: p256.GENERATOR,
    2: (
        0x7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978,
        0x07775510DB8ED040293D9AC69F7430DBBA7DADE63CE982299E04B79D227873D1,
    ),
    3: (
        0x5ECBE4D1A6330A44C8F7EF951D4BF165E6C6B721EFADA985FB41661BC6E7FD6C,
        0x8734640C4998FF7E374B06CE1A64A2ECD82AB036384FB83D9A79B127A27D5032,
    ),
    p256.ORDER - 1: (p256.GENERATOR[0], p256.PRIME - p256.GENERATOR[1]),
}


@pytest.mark.parametrize("scalar", MULTIPLES)
def test_multiples_of_the_generator(scalar: int) -> None:
    """Known points, the last of which is the generator's mirror."""
    assert p256.multiply(scalar) == MULTIPLES[scalar]


def test_every_point_is_on_the_curve() -> None:
    """y^2 = x^3 - 3x + b for scalars all over the range."""
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    for exponent in range(1, 250, 31):
        x, y = p256.multiply((1 << exponent) + exponent)
        assert (y * y - x**3 + 3 * x - b) % p256.PRIME == 0


def test_openssl_shakes_hands_with_it(tmp_path: Path) -> None:
    """Both sides use a fresh one and verify the other's: signature, name, key usage and dates hold."""
    ours, theirs = certificate.make(), certificate.make()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.verify_mode = ssl.CERT_REQUIRED
    for context, own, other, name in ((server, ours, theirs, "s"), (client, theirs, ours, "c")):
        (tmp_path / name).write_text(own.pem)
        context.load_cert_chain(tmp_path / name)
        context.load_verify_locations(cadata=other.der)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    a = server.wrap_bio(to_server, to_client, server_side=True)
    b = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (b, a, b, a):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    peer = a.getpeercert()
    assert peer is not None
    assert peer["subject"] == ((("commonName", "localhost"),),)
    assert peer["subjectAltName"] == (("DNS", "localhost"),)
    assert a.cipher() is not None


def test_no_two_are_alike() -> None:
    """Key and serial number are new each time."""
    assert certificate.make().der != certificate.make().der
