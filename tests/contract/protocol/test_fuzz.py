"""Garbage and half-garbage, seeded: the server stays up, breaks no rule itself, and its memory is bounded."""

from __future__ import annotations

import json
import random
import socket
import tracemalloc
from collections.abc import Callable

import pytest

from flinkform.provider.protocol import frames, grpc
from flinkform.provider.protocol.frames import FRAME_SIZE, GOAWAY, HEAD, PREFACE, frame
from flinkform.provider.protocol.hpack import integer, literal
from flinkform.provider.protocol.http2 import Connection
from tests.contract.protocol.conftest import Stranger

SEEDS = range(8)
CONVERSATIONS = 60
MEMORY = 24 << 20
"""Bytes that one conversation may hold at its worst: what is ready to send, what waits, and the input itself."""

HEADERS = b"".join(
    literal(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/t.T/Echo"),
        (b"content-type", b"application/grpc"),
    )
)


def conversation(chance: random.Random) -> list[bytes]:
    """Frames that make sense, mostly, in an order that does not always."""
    pieces = [PREFACE, frames.settings({chance.randrange(8): chance.choice((0, 1, 16_384, 65_535, 1 << 20))})]
    for _ in range(chance.randrange(1, 40)):
        stream = chance.choice((1, 3, 5, 7, 2 * chance.randrange(200) + 1, 0, 2))
        pieces.append(chance.choice(MAKERS)(chance, stream))
    return pieces


def request(chance: random.Random, stream: int) -> bytes:
    """A call, whole."""
    body = chance.randbytes(chance.choice((0, 5, 300, 16_000)))
    size = chance.choice((len(body), len(body), 3))
    data = (size.to_bytes(5, "big") + body)[:FRAME_SIZE]
    return frame(frames.HEADERS, frames.END_HEADERS, stream, HEADERS) + frame(frames.DATA, 1, stream, data)


def indexed(chance: random.Random, stream: int) -> bytes:
    """Headers that fill the table and refer to it."""
    extra = b"\x40" + integer(1, 7) + b"a" + integer(9, 7) + chance.randbytes(9)
    return frame(frames.HEADERS, chance.choice((1, 4, 5)), stream, HEADERS + extra + bytes([0x80 | 62]) * 3)


def noise(chance: random.Random, stream: int) -> bytes:
    """A frame of any type with any flags and any payload."""
    payload = chance.randbytes(chance.choice((0, 1, 4, 5, 8, 60)))
    return frame(chance.randrange(12), chance.randrange(256), stream, payload)


def window(chance: random.Random, stream: int) -> bytes:
    """More room."""
    return frames.window_update(stream, chance.choice((0, 1, 65_535, frames.MAX_WINDOW)))


MAKERS: tuple[Callable[[random.Random, int], bytes], ...] = (
    *(request,) * 6,
    indexed,
    noise,
    window,
    lambda chance, stream: frames.reset(stream, chance.randrange(20)),
    lambda chance, _: frames.settings({chance.randrange(1, 7): chance.getrandbits(chance.choice((1, 14, 31)))}),
    lambda chance, _: frame(frames.PING, 0, 0, chance.randbytes(8)),
)


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Flip, cut, double or insert a few bytes."""
    out = bytearray(data)
    for _ in range(chance.choice((0, 0, 0, 1, 5))):
        place = chance.randrange(24, max(25, len(out)))
        match chance.randrange(4):
            case 0:
                out[place : place + 1] = chance.randbytes(1)
            case 1:
                del out[place : place + chance.randrange(1, 20)]
            case 2:
                out[place:place] = chance.randbytes(chance.randrange(1, 20))
            case _:
                out[place:place] = out[place : place + 40]
    return bytes(out)


def talk(chance: random.Random) -> bytes:
    """One conversation with a server that answers now or later; what the server said."""
    jobs: list[Callable[[], None]] = []
    methods: dict[bytes, grpc.Method] = {
        b"/t.T/Echo": lambda body: grpc.Later(lambda: body) if chance.random() < 0.3 else body * chance.choice((1, 9))
    }
    service = grpc.Service(methods, {}, submit=jobs.append, post=lambda _, reply: reply())
    connection = Connection(service.answer, held=1 << 20)
    data = mutate(chance, b"".join(conversation(chance)))
    said = b""
    while data:
        size = chance.choice((1, 9, 100, 5000, 100_000))
        connection.receive(data[:size])
        data = data[size:]
        if jobs and chance.random() < 0.3:
            jobs.pop(0)()
        said += connection.take()
    for job in jobs:
        job()
    while more := connection.take():
        said += more
    check(said, connection)
    return said


def check(said: bytes, connection: Connection) -> None:
    """The server said whole frames of allowed sizes, and GOAWAY last if it closed."""
    kind = -1
    while said:
        sized, _, _ = HEAD.unpack_from(said)
        kind = sized & 0xFF
        end = HEAD.size + (sized >> 8)
        assert kind <= frames.CONTINUATION
        assert end <= len(said)
        said = said[end:]
    assert not connection.closed or kind == GOAWAY


@pytest.mark.parametrize("seed", SEEDS)
def test_no_conversation_breaks_the_server(seed: int) -> None:
    """Nothing escapes, everything said is well-formed, and memory stays within bounds."""
    chance = random.Random(seed)  # noqa: S311  repeatable on purpose
    tracemalloc.start()
    try:
        for _ in range(CONVERSATIONS):
            talk(chance)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_a_conversation_is_mostly_sense() -> None:
    """The fuzzer reaches the inside: among its conversations are answered calls and each kind of refusal."""
    chance = random.Random(0)  # noqa: S311  repeatable on purpose
    kinds = set()
    for _ in range(CONVERSATIONS):
        said = talk(chance)
        while said:
            sized, _, _ = HEAD.unpack_from(said)
            kinds.add(sized & 0xFF)
            said = said[HEAD.size + (sized >> 8) :]
    assert kinds >= {frames.DATA, frames.HEADERS, frames.RST_STREAM, frames.SETTINGS, frames.PING, frames.GOAWAY}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_real_server_survives(seed: int, dial: Callable[[], socket.socket]) -> None:
    """Sockets that speak garbage, and close at any moment, while another client is served all along."""
    chance = random.Random(seed)  # noqa: S311  repeatable on purpose
    with Stranger(dial()) as stranger:
        for number in range(15):
            sock = dial()
            data = chance.randbytes(500) if number % 5 == 0 else mutate(chance, b"".join(conversation(chance)))
            sock.setblocking(False)
            try:
                sock.send(data)
            except OSError:
                continue  # the server hung up on it, as it may
            finally:
                sock.close()
            body = json.dumps(number).encode()
            assert stranger.call("/t.T/Echo", body)[1] == body
