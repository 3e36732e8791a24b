"""The h2 library, which checks every rule of HTTP/2, calls us."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

import h2.errors
import h2.events
import h2.settings

from tests.contract.protocol.conftest import LONG, Stranger

Dial = Callable[[], socket.socket]

PING = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)


def test_a_call(dial: Dial) -> None:
    """Headers, data and trailers as gRPC wants them."""
    headers, body = Stranger(dial()).call("/t.T/Echo", b"hello")
    assert headers == {":status": "200", "content-type": "application/grpc", "grpc-status": "0"}
    assert body == b"hello"


def test_many_streams_open_at_once(dial: Dial) -> None:
    """Requests that are said in turns are answered each for itself."""
    stranger = Stranger(dial())
    numbers = [stranger.begin("/t.T/Echo") for _ in range(50)]
    for number in reversed(numbers):
        stranger.say(number, b"%d" % number)
    assert [stranger.answer(number)[1] for number in numbers] == [b"%d" % number for number in numbers]


def test_small_windows_are_kept(dial: Dial) -> None:
    """h2 would raise if a byte came that it did not allow."""
    stranger = Stranger(dial())
    stranger.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 100})
    stranger.flush()
    body = bytes(5000)
    assert stranger.call("/t.T/Echo", body)[1] == body


def test_a_smaller_header_table_is_kept(dial: Dial) -> None:
    """h2 would raise if our first block did not say that our table is empty."""
    stranger = Stranger(dial())
    for size in (0, 4096, 100):
        stranger.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
        stranger.flush()
        assert stranger.call("/t.T/Echo", b"x")[1] == b"x"


def test_padding_is_no_part_of_the_message(dial: Dial) -> None:
    """And counts against the windows all the same."""
    stranger = Stranger(dial())
    number = stranger.begin("/t.T/Echo")
    stranger.h2.send_data(number, b"\0\0\0\0\x03abc", end_stream=True, pad_length=200)
    stranger.flush()
    assert stranger.answer(number)[1] == b"abc"


def test_trailers_from_the_client(dial: Dial) -> None:
    """End the request."""
    stranger = Stranger(dial())
    number = stranger.begin("/t.T/Echo")
    stranger.h2.send_data(number, b"\0\0\0\0\x01x")
    stranger.h2.send_headers(number, [("a", "b")], end_stream=True)
    stranger.flush()
    assert stranger.answer(number)[1] == b"x"


def test_garbage_is_answered_with_goaway(dial: Dial) -> None:
    """The client learns what it did wrong before the connection ends."""
    stranger = Stranger(dial())
    stranger.call("/t.T/Echo")
    stranger.socket.sendall(b"\0\0\x01\x06\0\0\0\0\0x")
    events: list[h2.events.Event] = []
    while not any(isinstance(event, h2.events.ConnectionTerminated) for event in events):
        events = stranger.listen()
    last = events[-1]
    assert isinstance(last, h2.events.ConnectionTerminated)
    assert last.error_code == h2.errors.ErrorCodes.FRAME_SIZE_ERROR
    assert last.additional_data == b"PING is not 8 bytes"
    assert stranger.socket.recv(1) == b""


def test_one_who_does_not_read_is_not_read(dial: Dial) -> None:
    """A flood of PINGs by a peer that takes no answers fills no memory; when it reads, it is served again."""
    sock = dial()
    stranger = Stranger(sock)
    stranger.call("/t.T/Echo")
    sock.setblocking(False)
    flood = memoryview(PING * 4000)
    sent, answers = 0, b""
    while select.select([], [sock], [], 0.5)[1]:
        sent += sock.send(flood[sent % len(PING) :])
        assert sent < 16 << 20
    sock.setblocking(True)
    sock.settimeout(LONG)
    rest = -sent % len(PING)
    while len(answers) < (sent // len(PING)) * len(PING):
        answers += sock.recv(65_536)
    sock.sendall(PING[len(PING) - rest :])
    while len(answers) < sent + rest:
        answers += sock.recv(65_536)
    assert {answers[start : start + 9] for start in range(0, len(answers), 17)} == {b"\0\0\x08\x06\x01\0\0\0\0"}
    assert stranger.call("/t.T/Echo", b"on")[1] == b"on"
