"""grpcio, the reference implementation, calls us."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

LONG = 20.0
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

Call = Callable[..., bytes]


@pytest.fixture
def channel(address: str) -> Iterator[grpc.Channel]:
    """A plaintext channel: grpcio cannot do the handshake that Terraform does."""
    with grpc.insecure_channel(f"unix:{address}", options=UNLIMITED) as channel:
        yield channel


@pytest.fixture
def call(channel: grpc.Channel) -> Call:
    """Calls a method by its last name."""
    return lambda name, body=b"", timeout=LONG: channel.unary_unary(f"/t.T/{name}")(body, timeout=timeout)


def test_calls_at_the_same_time_are_told_apart(call: Call) -> None:
    """Inline and on threads, from many threads, each gets its own answer."""
    bodies = [b"%d" % number for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: call("Later" if int(body) % 2 else "Echo", body), bodies))
    assert answers == bodies


@pytest.mark.parametrize("size", [0, 1, 16_379, 16_384, 65_535, 5 << 20])
def test_messages_of_any_size(call: Call, size: int) -> None:
    """Around the edges of frames and windows, and far beyond, both ways."""
    body = bytes(range(256)) * (size // 256 + 1)
    assert call("Echo", body[:size]) == body[:size]


def test_large_messages_at_the_same_time(call: Call) -> None:
    """Share the connection's windows without a standstill."""
    bodies = [bytes([number]) * (1 << 20) for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda body: call("Later", body), bodies)) == bodies


def test_a_server_stream(channel: grpc.Channel) -> None:
    """Several messages, then the end."""
    assert list(channel.unary_stream("/t.T/List")(b"x", timeout=LONG)) == [b"x"] * 3


@pytest.mark.parametrize(
    ("name", "code", "details"),
    [
        ("Nothing", grpc.StatusCode.UNIMPLEMENTED, "unknown method /t.T/Nothing"),
        ("Refuse", grpc.StatusCode.FAILED_PRECONDITION, "no 100% größer"),
    ],
)
def test_errors_arrive_as_they_are(call: Call, name: str, code: grpc.StatusCode, details: str) -> None:
    """Code and text, whatever characters it has."""
    with pytest.raises(grpc.RpcError) as caught:
        call(name)
    assert (caught.value.code(), caught.value.details()) == (code, details)


def test_a_deadline_ends_the_call_alone(call: Call) -> None:
    """The client gives up, and the next call is served."""
    with pytest.raises(grpc.RpcError) as caught:
        call("Wait", b"x", timeout=0.05)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert call("Echo", b"on") == b"on"


def test_a_cancelled_call_disturbs_nobody(channel: grpc.Channel, call: Call) -> None:
    """RST_STREAM while a thread works on it."""
    waiting = channel.unary_unary("/t.T/Wait").future(b"x", timeout=LONG)
    waiting.cancel()
    assert call("Echo", b"on") == b"on"


def test_compression_is_not_understood(channel: grpc.Channel) -> None:
    """And said so: a client that compresses falls back."""
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/t.T/Echo")(b"x" * 1000, timeout=LONG, compression=grpc.Compression.Gzip)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_headers_of_a_client_s_own(channel: grpc.Channel) -> None:
    """New ones in each call keep changing the header table."""
    method = channel.unary_unary("/t.T/Echo")
    for number in range(60):
        metadata = [(f"x-{number % 7}", "v" * number * 5), ("fixed", str(number))]
        assert method(b"%d" % number, timeout=LONG, metadata=metadata) == b"%d" % number


@pytest.mark.parametrize("name", ["/plugin.GRPCController/Shutdown", "/grpc.health.v1.Health/Check"])
def test_housekeeping_does_not_end_a_server_that_is_reattached(channel: grpc.Channel, call: Call, name: str) -> None:
    """The next Terraform run finds it still there."""
    channel.unary_unary(name)(b"", timeout=LONG)
    assert call("Echo", b"on") == b"on"
