"""One HTTP/2 connection, frame by frame."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from flinkform.provider.protocol import frames, http2
from flinkform.provider.protocol.frames import (
    ACK,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    NO_ERROR,
    PADDED,
    PING,
    PRIORITIZED,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    frame,
)
from tests.unit.protocol.conftest import POST, Client, block

if TYPE_CHECKING:
    from tests.unit.protocol.conftest import Frame

BOTH = END_HEADERS | END_STREAM
CREDIT = (1).to_bytes(4, "big")
OPEN = frame(HEADERS, END_HEADERS, 1, block())
WHOLE = frame(HEADERS, BOTH, 1, block())


def settings(**values: int) -> bytes:
    """A SETTINGS frame by the settings' names."""
    return frames.settings({getattr(frames, key): value for key, value in values.items()})


def code(answer: list[Frame], kind: int) -> int:
    """The error code of the last frame, which must be of *kind*."""
    assert answer[-1][0] == kind
    start = 4 if kind == GOAWAY else 0
    return int.from_bytes(answer[-1][3][start : start + 4], "big")


def test_hello(client: Client) -> None:
    """The server's SETTINGS come first, then room for the connection, then the answer to the client's."""
    assert [kind for kind, *_ in client.hello] == [SETTINGS, WINDOW_UPDATE, SETTINGS]
    assert client.hello[-1] == (SETTINGS, ACK, 0, b"")


def test_a_request_arrives_whole_however_it_is_cut(connect: Callable[..., Client]) -> None:
    """Byte by byte is the same as at once."""
    data = OPEN + frame(DATA, 0, 1, b"ab") + frame(DATA, END_STREAM, 1, b"cd")
    for step in (1, 2, 7, len(data)):
        client = connect()
        client.send(*(data[start : start + step] for start in range(0, len(data), step)))
        (stream, body) = client.requests[0]
        assert (stream.request.path, stream.request.method, body) == (b"/t.T/Echo", b"POST", b"abcd")


def test_padding_priority_and_continuation_are_taken_off(client: Client) -> None:
    """What is left is the request."""
    headers = block()
    client.send(
        frame(HEADERS, PADDED | PRIORITIZED, 1, b"\x03" + struct.pack(">IB", 0, 9) + headers[:5] + bytes(3)),
        frame(CONTINUATION, 0, 1, headers[5:9]),
        frame(CONTINUATION, END_HEADERS, 1, headers[9:]),
        frame(DATA, PADDED | END_STREAM, 1, b"\x02hello\0\0"),
    )
    assert client.requests[0][1] == b"hello"


def test_a_remembered_block_is_the_same_request(client: Client) -> None:
    """The second time a block comes it is not decoded, and a change of the table forgets it."""
    client.call(1)
    client.call(3)
    assert client.requests[0][0].request is client.requests[1][0].request
    indexed = block().replace(b"\0", b"\x40", 1)  # its first header enters the table
    client.send(frame(HEADERS, BOTH, 5, indexed))
    client.call(7)
    assert client.requests[3][0].request is not client.requests[0][0].request


def test_trailers_end_a_request(client: Client) -> None:
    """With what came before as its body."""
    client.send(OPEN, frame(DATA, 0, 1, b"x"), frame(HEADERS, BOTH, 1, block([(b"a", b"b")])))
    assert client.requests[0][1] == b"x"


def test_a_response_is_head_data_and_trailers(client: Client) -> None:
    """In one piece when the windows allow; the first one says that our table is empty."""
    client.send(WHOLE)
    client.connection.respond(client.requests[0][0], b"\x88", b"body", b"tail")
    assert client.read() == [
        (HEADERS, END_HEADERS, 1, b"\x20\x88"),
        (DATA, 0, 1, b"body"),
        (HEADERS, BOTH, 1, b"tail"),
    ]


@pytest.mark.parametrize(
    ("body", "tail", "shape"),
    [
        (b"", b"", [(HEADERS, BOTH)]),
        (b"x", b"", [(HEADERS, END_HEADERS), (DATA, END_STREAM)]),
        (b"", b"t", [(HEADERS, END_HEADERS), (HEADERS, BOTH)]),
    ],
)
def test_the_last_frame_ends_the_stream(client: Client, body: bytes, tail: bytes, shape: list[tuple[int, int]]) -> None:
    """Whichever it is."""
    client.send(WHOLE)
    client.connection.respond(client.requests[0][0], b"\x88", body, tail)
    assert [(kind, flags) for kind, flags, *_ in client.read()] == shape


def test_a_response_waits_for_its_windows(connect: Callable[..., Client]) -> None:
    """Stream and connection window both hold it back; both given, it goes on where it stopped."""
    client = connect()
    client.send(settings(INITIAL_WINDOW_SIZE=10), WHOLE)
    client.connection.respond(client.requests[0][0], b"\x88", b"0123456789abcdef", b"t")
    assert [f[3] for f in client.read()] == [b"\x20\x88", b"0123456789"]
    assert [f[3] for f in client.send(frame(WINDOW_UPDATE, 0, 1, CREDIT))] == [b"a"]
    assert [f[3] for f in client.send(settings(INITIAL_WINDOW_SIZE=12))][1:] == [b"bc"]
    assert [f[3] for f in client.send(frame(WINDOW_UPDATE, 0, 1, (100).to_bytes(4, "big")))] == [b"def", b"t"]


def test_a_shrunk_window_may_be_negative(client: Client) -> None:
    """What was sent already counts against the smaller window."""
    client.send(WHOLE)
    client.connection.respond(client.requests[0][0], b"\x88", bytes(80_000), b"t")
    assert sum(len(f[3]) for f in client.read() if f[0] == DATA) == 65_535
    client.send(frame(WINDOW_UPDATE, 0, 0, (1 << 20).to_bytes(4, "big")), settings(INITIAL_WINDOW_SIZE=0))
    assert client.send(frame(WINDOW_UPDATE, 0, 1, (65_535).to_bytes(4, "big"))) == []
    assert client.send(frame(WINDOW_UPDATE, 0, 1, CREDIT))[0] == (DATA, 0, 1, b"\0")


def test_large_responses_take_turns_in_frames_the_peer_allows(client: Client) -> None:
    """No frame is larger than the peer's limit, and no response waits for the end of another."""
    client.send(settings(INITIAL_WINDOW_SIZE=1 << 20, MAX_FRAME_SIZE=20_000))
    client.call(1)
    client.call(3)
    for stream, _ in client.requests:
        client.connection.respond(stream, b"\x88", bytes(100_000), b"t")
    client.read()
    rest = client.send(frame(WINDOW_UPDATE, 0, 0, (1 << 20).to_bytes(4, "big")))
    data = [(f[2], len(f[3])) for f in rest if f[0] == DATA]
    assert max(size for _, size in data) == 20_000
    assert len({number for number, _ in data[:2]}) == 2
    assert {f[2] for f in rest if f[0] == HEADERS} == {1, 3}


def test_responses_wait_for_a_slow_socket(client: Client) -> None:
    """However wide the windows, only a bounded part of the responses is made ready before `take` is called."""
    client.send(settings(INITIAL_WINDOW_SIZE=frames.MAX_WINDOW))
    client.send(frame(WINDOW_UPDATE, 0, 0, (frames.MAX_WINDOW - frames.WINDOW).to_bytes(4, "big")))
    body = bytes(1 << 20)
    for number in range(1, 41, 2):
        client.call(number)
    for stream, _ in client.requests:
        client.connection.respond(stream, b"\x88", body, b"t")
    first = client.connection.take()
    assert len(first) < 6 << 20
    assert sum(len(f[3]) for f in client.read() if f[0] == DATA) > 14 << 20


def test_the_peer_gets_its_room_back(connect: Callable[..., Client]) -> None:
    """Windows are given back by halves, for the connection and for a stream under way."""
    client = connect(held=100 << 20)
    piece = frame(DATA, 0, 1, bytes(16_000))
    assert client.send(OPEN, *[piece] * 100) == []
    updates = client.send(*[piece] * 430)
    assert {(kind, number) for kind, _, number, _ in updates} == {(WINDOW_UPDATE, 0), (WINDOW_UPDATE, 1)}
    given = sum(int.from_bytes(payload, "big") for _, _, number, payload in updates if number == 0)
    assert given >= http2.ROOM // 2


def test_ping_is_answered_and_its_answer_is_not(client: Client) -> None:
    """With the same eight bytes."""
    assert client.send(frame(PING, 0, 0, b"12345678")) == [(PING, ACK, 0, b"12345678")]
    assert client.send(frame(PING, ACK, 0, b"12345678")) == []


def test_unknown_frames_and_settings_are_ignored(client: Client) -> None:
    """As the standard wants, for extensions."""
    assert client.send(frame(0x77, 0xFF, 5, b"x"), frames.settings({0xABC: 1}))[0][:2] == (SETTINGS, ACK)
    assert client.send(frame(GOAWAY, 0, 0, bytes(8))) == []


CONNECTION_FAULTS = {
    "no preface": ([], PROTOCOL_ERROR),
    "large frame": ([frame(PING, 0, 0, bytes(16_385))], FRAME_SIZE_ERROR),
    "even stream": ([frame(HEADERS, BOTH, 2, block())], PROTOCOL_ERROR),
    "stream 0": ([frame(HEADERS, BOTH, 0, block())], PROTOCOL_ERROR),
    "data on 0": ([frame(DATA, 0, 0, b"x")], PROTOCOL_ERROR),
    "data on idle": ([frame(DATA, 0, 1, b"x")], PROTOCOL_ERROR),
    "headers on closed": ([WHOLE, frame(RST_STREAM, 0, 1, bytes(4)), WHOLE], STREAM_CLOSED),
    "not HPACK": ([frame(HEADERS, BOTH, 1, b"\x80")], COMPRESSION_ERROR),
    "padding": ([OPEN, frame(DATA, PADDED, 1, b"\x05abc")], PROTOCOL_ERROR),
    "headers padding": ([frame(HEADERS, PADDED | BOTH, 1, b"\xff" + block())], PROTOCOL_ERROR),
    "no padding length": ([OPEN, frame(DATA, PADDED, 1)], PROTOCOL_ERROR),
    "short priority": ([frame(HEADERS, PRIORITIZED | BOTH, 1, b"abc")], FRAME_SIZE_ERROR),
    "own parent": ([frame(HEADERS, PRIORITIZED | BOTH, 1, struct.pack(">IB", 1, 0) + block())], PROTOCOL_ERROR),
    "block interrupted": ([frame(HEADERS, 0, 1, block()), frame(PING, 0, 0, bytes(8))], PROTOCOL_ERROR),
    "block of another": ([frame(HEADERS, 0, 1, block()), frame(CONTINUATION, 0, 3)], PROTOCOL_ERROR),
    "lone continuation": ([frame(CONTINUATION, END_HEADERS, 1)], PROTOCOL_ERROR),
    "long block": (
        [frame(HEADERS, 0, 1, bytes(16_384)), *(frame(CONTINUATION, 0, 1, bytes(16_384)) for _ in range(4))],
        ENHANCE_YOUR_CALM,
    ),
    "endless block": ([frame(HEADERS, 0, 1), *(frame(CONTINUATION, 0, 1) for _ in range(70))], ENHANCE_YOUR_CALM),
    "settings on a stream": ([frame(SETTINGS, 0, 1)], PROTOCOL_ERROR),
    "settings size": ([frame(SETTINGS, 0, 0, b"abc")], FRAME_SIZE_ERROR),
    "settings ack size": ([frame(SETTINGS, ACK, 0, bytes(6))], FRAME_SIZE_ERROR),
    "push setting": ([settings(ENABLE_PUSH=2)], PROTOCOL_ERROR),
    "window setting": ([settings(INITIAL_WINDOW_SIZE=1 << 31)], FLOW_CONTROL_ERROR),
    "frame setting low": ([settings(MAX_FRAME_SIZE=16_383)], PROTOCOL_ERROR),
    "frame setting high": ([settings(MAX_FRAME_SIZE=1 << 24)], PROTOCOL_ERROR),
    "ping on a stream": ([frame(PING, 0, 1, bytes(8))], PROTOCOL_ERROR),
    "ping size": ([frame(PING, 0, 0, bytes(7))], FRAME_SIZE_ERROR),
    "goaway on a stream": ([frame(GOAWAY, 0, 1, bytes(8))], PROTOCOL_ERROR),
    "goaway size": ([frame(GOAWAY, 0, 0, bytes(7))], FRAME_SIZE_ERROR),
    "reset on idle": ([frame(RST_STREAM, 0, 1, bytes(4))], PROTOCOL_ERROR),
    "reset size": ([OPEN, frame(RST_STREAM, 0, 1, bytes(3))], FRAME_SIZE_ERROR),
    "window on idle": ([frame(WINDOW_UPDATE, 0, 1, CREDIT)], PROTOCOL_ERROR),
    "window size": ([frame(WINDOW_UPDATE, 0, 0, bytes(3))], FRAME_SIZE_ERROR),
    "window by 0": ([frame(WINDOW_UPDATE, 0, 0, bytes(4))], PROTOCOL_ERROR),
    "window overflow": ([frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff")], FLOW_CONTROL_ERROR),
    "stream windows overflow": (
        [OPEN, frame(WINDOW_UPDATE, 0, 1, b"\x7f\xff\0\0"), settings(INITIAL_WINDOW_SIZE=1 << 30)],
        FLOW_CONTROL_ERROR,
    ),
    "push": ([frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4))], PROTOCOL_ERROR),
    "priority of 0": ([frame(PRIORITY, 0, 0, bytes(5))], PROTOCOL_ERROR),
    "resets without end": (
        [
            frame(HEADERS, END_HEADERS, n, block()) + frame(RST_STREAM, 0, n, bytes(4))
            for n in range(1, 2 * http2.STRIKES + 4, 2)
        ],
        ENHANCE_YOUR_CALM,
    ),
    "empty data without end": ([OPEN, *(frame(DATA, 0, 1) for _ in range(http2.STRIKES + 1))], ENHANCE_YOUR_CALM),
}


@pytest.mark.parametrize("case", CONNECTION_FAULTS)
def test_faults_of_the_connection_end_it(case: str, client: Client) -> None:
    """With GOAWAY and the standard's code; nothing is heard after it."""
    sent, expected = CONNECTION_FAULTS[case]
    if not sent:
        client.connection = http2.Connection(client._keep)
        sent = [b"GET / HTTP/1.1\r\n"]
    assert code(client.send(*sent), GOAWAY) == expected
    assert client.connection.closed
    assert client.send(frame(PING, 0, 0, bytes(8))) == []


def without(name: bytes) -> bytes:
    """A block that lacks one header."""
    return block([header for header in POST if header[0] != name])


STREAM_FAULTS = {
    "data after the end": ([WHOLE, frame(DATA, 0, 1, b"x")], STREAM_CLOSED),
    "headers after the end": ([WHOLE, frame(HEADERS, BOTH, 1, b"")], STREAM_CLOSED),
    "data after reset": ([OPEN, frame(RST_STREAM, 0, 1, bytes(4)), frame(DATA, 0, 1, b"x")], STREAM_CLOSED),
    "window by 0": ([OPEN, frame(WINDOW_UPDATE, 0, 1, bytes(4))], PROTOCOL_ERROR),
    "window overflow": ([OPEN, frame(WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff")], FLOW_CONTROL_ERROR),
    "priority size": ([frame(PRIORITY, 0, 1, bytes(4))], FRAME_SIZE_ERROR),
    "own parent": ([frame(PRIORITY, 0, 1, struct.pack(">IB", 1, 0))], PROTOCOL_ERROR),
    "trailers that do not end": ([OPEN, frame(HEADERS, END_HEADERS, 1, b"")], PROTOCOL_ERROR),
    "pseudo trailers": ([OPEN, frame(HEADERS, BOTH, 1, block([(b":path", b"/")]))], PROTOCOL_ERROR),
    "no method": ([frame(HEADERS, BOTH, 1, without(b":method"))], PROTOCOL_ERROR),
    "no scheme": ([frame(HEADERS, BOTH, 1, without(b":scheme"))], PROTOCOL_ERROR),
    "no path": ([frame(HEADERS, BOTH, 1, without(b":path"))], PROTOCOL_ERROR),
    "empty path": ([frame(HEADERS, BOTH, 1, without(b":path") + block([(b":path", b"")]))], PROTOCOL_ERROR),
    "late pseudo": ([frame(HEADERS, BOTH, 1, without(b":path") + block([(b":path", b"/")]))], PROTOCOL_ERROR),
    "two paths": ([frame(HEADERS, BOTH, 1, block([(b":path", b"/")]) + block())], PROTOCOL_ERROR),
    "unknown pseudo": ([frame(HEADERS, BOTH, 1, block([(b":status", b"200")]) + block())], PROTOCOL_ERROR),
    "upper case": ([frame(HEADERS, BOTH, 1, block([*POST, (b"X-A", b"b")]))], PROTOCOL_ERROR),
    "no name": ([frame(HEADERS, BOTH, 1, block([*POST, (b"", b"b")]))], PROTOCOL_ERROR),
    "line break": ([frame(HEADERS, BOTH, 1, block([*POST, (b"a", b"b\r\nc")]))], PROTOCOL_ERROR),
    "connection": ([frame(HEADERS, BOTH, 1, block([*POST, (b"connection", b"close")]))], PROTOCOL_ERROR),
    "te": ([frame(HEADERS, BOTH, 1, block([*POST, (b"te", b"gzip")]))], PROTOCOL_ERROR),
    "length": (
        [frame(HEADERS, END_HEADERS, 1, block([*POST, (b"content-length", b"3")])), frame(DATA, END_STREAM, 1, b"x")],
        PROTOCOL_ERROR,
    ),
    "two lengths": (
        [frame(HEADERS, BOTH, 1, block([*POST, (b"content-length", b"0"), (b"content-length", b"1")]))],
        PROTOCOL_ERROR,
    ),
    "length of words": ([frame(HEADERS, BOTH, 1, block([*POST, (b"content-length", b"-1")]))], PROTOCOL_ERROR),
    "large body": ([OPEN, *(frame(DATA, 0, 1, bytes(16_000)) for _ in range(66))], ENHANCE_YOUR_CALM),
}


@pytest.mark.parametrize("case", STREAM_FAULTS)
def test_faults_of_a_stream_end_it_alone(case: str, client: Client) -> None:
    """With RST_STREAM and the standard's code; the next request is served."""
    sent, expected = STREAM_FAULTS[case]
    answer = client.send(*sent)
    assert code(answer, RST_STREAM) == expected
    before = len(client.requests)
    client.call(11)
    assert len(client.requests) == before + 1


def test_what_crosses_a_reset_is_ignored(client: Client) -> None:
    """A peer that has not seen our RST_STREAM yet may go on, trailers included, and the table stays in step."""
    client.send(OPEN, frame(WINDOW_UPDATE, 0, 1, bytes(4)))
    late = block([(b"late", b"1")]).replace(b"\0", b"\x40", 1)
    assert client.send(frame(DATA, 0, 1, b"x"), frame(HEADERS, BOTH, 1, late)) == []
    assert client.send(frame(RST_STREAM, 0, 1, bytes(4)), frame(WINDOW_UPDATE, 0, 1, CREDIT)) == []
    client.send(frame(HEADERS, BOTH, 3, block() + b"\xbe"))
    assert client.requests[0][0].request.headers[b"late"] == b"1"


def test_an_early_answer_cuts_the_request_off(client: Client) -> None:
    """The peer is told to stop sending what nobody reads, without an error."""
    client.send(OPEN)
    client.connection.respond(client.connection._streams[1], b"\x88")
    assert code(client.read(), RST_STREAM) == NO_ERROR


def test_an_answer_after_a_reset_goes_nowhere(client: Client) -> None:
    """Late work does not disturb the connection."""
    client.send(WHOLE, frame(RST_STREAM, 0, 1, bytes(4)))
    client.connection.respond(client.requests[0][0], b"\x88", b"x", b"t")
    assert client.read() == []


def test_a_response_held_back_is_dropped_by_a_reset(client: Client) -> None:
    """And the others get its share."""
    client.send(settings(INITIAL_WINDOW_SIZE=0), WHOLE)
    client.call(3)
    for stream, _ in client.requests:
        client.connection.respond(stream, b"\x88", b"body", b"t")
    client.send(frame(RST_STREAM, 0, 1, bytes(4)))
    answer = client.send(settings(INITIAL_WINDOW_SIZE=100))
    assert {f[2] for f in answer if f[0] == DATA} == {3}


def test_more_requests_than_allowed_are_refused(client: Client) -> None:
    """With the code that tells a client to try again."""
    answer = client.send(
        *(frame(HEADERS, END_HEADERS, 2 * n + 1, block()) for n in range(http2.STREAMS + 1)),
    )
    assert code(answer, RST_STREAM) == REFUSED_STREAM
    assert len(answer) == 1


def test_windows_are_kept_by_the_peer_too(client: Client) -> None:
    """Sending past the window of a stream is refused, past the connection's it is the end."""
    piece = frame(DATA, 0, 1, bytes(16_000))
    client.send(OPEN)
    client.connection._streams[1].room = 10
    assert code(client.send(piece), RST_STREAM) == FLOW_CONTROL_ERROR
    client.connection._room = 10
    assert code(client.send(frame(HEADERS, END_HEADERS, 3, block()), piece), GOAWAY) == FLOW_CONTROL_ERROR


def test_leaving_finishes_what_is_at_hand(client: Client) -> None:
    """GOAWAY names the last request that is answered; later ones are refused, for another connection."""
    client.send(WHOLE)
    client.connection.leave()
    client.connection.leave()
    assert [(f[0], f[3][:8]) for f in client.read()] == [(GOAWAY, struct.pack(">II", 1, NO_ERROR))]
    assert code(client.send(frame(HEADERS, END_HEADERS, 3, block())), RST_STREAM) == REFUSED_STREAM
    assert client.send(frame(DATA, END_STREAM, 3, b"x")) == []
    client.connection.respond(client.requests[0][0], b"\x88", b"x", b"t")
    assert len(client.read()) == 3
