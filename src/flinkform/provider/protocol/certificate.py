"""A throw-away self-signed certificate in pure Python: no `cryptography` wheel, no openssl program.

The key lives as long as one provider process and proves to Terraform, which got the certificate on the handshake
line, that it talks to the process it started.
"""

from __future__ import annotations

from binascii import b2a_base64
from os import urandom
from time import gmtime, strftime, time

from flinkform.provider.protocol.p256 import ORDER, multiply

# hashlib loads OpenSSL, 3 ms that the handshake need not wait for; the interpreter has SHA-256 of its own.
try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]  # Python 3.12 and later
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found,no-redef,unused-ignore]  # Python 3.11
    except ImportError:
        from hashlib import sha256

VALID = 30 * 86_400
"""Seconds; no Terraform run takes that long."""
SKEW = 300
"""Seconds that a clock in a container may be behind."""

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_ID, UTF8, TIME, SEQUENCE, SET = 2, 3, 4, 6, 12, 24, 0x30, 0x31
_TRUE = b"\x01\x01\xff"

_EC_KEY, _P256 = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_COMMON_NAME = "2.5.4.3"
_SUBJECT_ALT_NAME, _BASIC_CONSTRAINTS, _KEY_USAGE, _EXTENDED_USAGE = "2.5.29.17", "2.5.29.19", "2.5.29.15", "2.5.29.37"
_SERVER_AUTH, _CLIENT_AUTH = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"


class Certificate:
    """*der* is the certificate alone, *pem* private key and certificate as the ``ssl`` module loads them."""

    __slots__ = ("der", "pem")

    def __init__(self, der: bytes, pem: str) -> None:
        self.der = der
        self.pem = pem


def make() -> Certificate:
    """A fresh ECDSA P-256 certificate for ``localhost``, the name that go-plugin asks for."""
    secret = _random()
    x, y = multiply(secret)
    point = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    body = _body(point)
    signature = _tlv(BIT_STRING, b"\0", _sign(body, secret))
    der = _tlv(SEQUENCE, body, _tlv(SEQUENCE, _oid(_ECDSA_SHA256)), signature)
    return Certificate(der, _pem("EC PRIVATE KEY", _key(secret, point)) + _pem("CERTIFICATE", der))


def _body(point: bytes) -> bytes:
    """What is signed (RFC 5280, section 4.1)."""
    name = _tlv(SEQUENCE, _tlv(SET, _tlv(SEQUENCE, _oid(_COMMON_NAME), _tlv(UTF8, b"localhost"))))
    now = time()
    return _tlv(
        SEQUENCE,
        _tlv(0xA0, _integer(2)),
        _integer(_random() >> 130),
        _tlv(SEQUENCE, _oid(_ECDSA_SHA256)),
        name,
        _tlv(SEQUENCE, _moment(now - SKEW), _moment(now + VALID)),
        name,
        _tlv(SEQUENCE, _tlv(SEQUENCE, _oid(_EC_KEY), _oid(_P256)), _tlv(BIT_STRING, b"\0", point)),
        _tlv(0xA3, _extensions()),
    )


def _extensions() -> bytes:
    return _tlv(
        SEQUENCE,
        _tlv(SEQUENCE, _oid(_BASIC_CONSTRAINTS), _TRUE, _tlv(OCTET_STRING, _tlv(SEQUENCE, _TRUE))),
        # digitalSignature and keyCertSign
        _tlv(SEQUENCE, _oid(_KEY_USAGE), _TRUE, _tlv(OCTET_STRING, _tlv(BIT_STRING, b"\x02\x84"))),
        _tlv(
            SEQUENCE,
            _oid(_EXTENDED_USAGE),
            _tlv(OCTET_STRING, _tlv(SEQUENCE, _oid(_SERVER_AUTH), _oid(_CLIENT_AUTH))),
        ),
        _tlv(SEQUENCE, _oid(_SUBJECT_ALT_NAME), _tlv(OCTET_STRING, _tlv(SEQUENCE, _tlv(0x82, b"localhost")))),
    )


def _sign(data: bytes, secret: int) -> bytes:
    """ECDSA with SHA-256."""
    digest = int.from_bytes(sha256(data).digest(), "big")
    while True:
        nonce = _random()
        r = multiply(nonce)[0] % ORDER
        s = pow(nonce, -1, ORDER) * (digest + r * secret) % ORDER
        if r and s:
            return _tlv(SEQUENCE, _integer(r), _integer(s))


def _key(secret: int, point: bytes) -> bytes:
    """The private key (RFC 5915)."""
    return _tlv(
        SEQUENCE,
        _integer(1),
        _tlv(OCTET_STRING, secret.to_bytes(32, "big")),
        _tlv(0xA0, _oid(_P256)),
        _tlv(0xA1, _tlv(BIT_STRING, b"\0", point)),
    )


def _random() -> int:
    """A uniform scalar: 64 bits more than the order has, so that the remainder shows no bias."""
    return int.from_bytes(urandom(40), "big") % (ORDER - 1) + 1


def _tlv(tag: int, *parts: bytes) -> bytes:
    """DER: tag, length, value."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _integer(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    out = bytearray((first * 40 + second,))
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return _tlv(OBJECT_ID, bytes(out))


def _moment(seconds: float) -> bytes:
    return _tlv(TIME, strftime("%Y%m%d%H%M%SZ", gmtime(seconds)).encode())


def _pem(label: str, data: bytes) -> str:
    lines = "".join(b2a_base64(data[start : start + 48]).decode() for start in range(0, len(data), 48))
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n"
