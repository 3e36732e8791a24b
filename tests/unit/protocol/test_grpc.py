"""gRPC over one connection: methods, messages, errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flinkform.provider.protocol import frames, grpc
from flinkform.provider.protocol.faults import Malformed
from flinkform.provider.protocol.frames import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, frame
from flinkform.provider.protocol.hpack import Decoder, Header
from flinkform.provider.protocol.http2 import Connection
from tests.unit.protocol.conftest import POST, block, cut


class Rig:
    """A service on one connection; work is run when `work` is called."""

    def __init__(self, methods: grpc.Methods, own: dict[bytes, grpc.Method] | None = None) -> None:
        self.jobs: list[Callable[[], None]] = []
        service = grpc.Service(methods, own or {}, submit=self.jobs.append, post=lambda _, reply: reply())
        self.connection = Connection(service.answer)
        self.decoder = Decoder(65_536)
        self.number = -1
        self.send(PREFACE + frames.settings({}))

    def send(self, data: bytes) -> list[tuple[int, int, int, bytes]]:
        """Feed bytes, give back frames."""
        self.connection.receive(data)
        return cut(self.connection.take())

    def work(self) -> None:
        """Run what was put off."""
        for job in self.jobs:
            job()
        self.jobs.clear()

    def call(
        self, path: bytes, body: bytes = b"\0\0\0\0\0", headers: tuple[Header, ...] = POST
    ) -> tuple[dict[bytes, bytes], bytes]:
        """A call and its answer, if it has come: all headers and trailers, and the data."""
        self.number += 2
        headers = tuple((name, path if name == b":path" else value) for name, value in headers)
        self.send(frame(HEADERS, END_HEADERS, self.number, block(headers)))
        return self.collect(self.send(frame(DATA, END_STREAM, self.number, body)))

    def collect(self, answer: list[tuple[int, int, int, bytes]]) -> tuple[dict[bytes, bytes], bytes]:
        """Headers and data in these frames."""
        found: dict[bytes, bytes] = {}
        data = b""
        for kind, _, _, payload in answer:
            if kind == HEADERS:
                found.update(self.decoder.decode(payload))
            elif kind == DATA:
                data += payload
        return found, data


def message(data: bytes) -> bytes:
    """A gRPC message with its prefix."""
    return len(data).to_bytes(5, "big") + data


def crash(_: bytes) -> grpc.Answer:
    """A method with a bug."""
    raise KeyError("secret-value")


def refuse(_: bytes) -> grpc.Answer:
    """A method that says no."""
    raise grpc.Status(9, "100% größer\nals")


def misread(_: bytes) -> grpc.Answer:
    """A method that was sent rubbish."""
    raise Malformed("expected sense")


METHODS: dict[bytes, grpc.Method] = {
    b"/t.T/Echo": lambda body: body,
    b"/t.T/Later": lambda body: grpc.Later(lambda: body),
    b"/t.T/LaterCrash": lambda body: grpc.Later(lambda: crash(body)),  # type: ignore[arg-type,return-value]
    b"/t.T/List": lambda body: [body, b"", body],
    b"/t.T/Odd": lambda _: "text",  # type: ignore[dict-item,return-value]
    b"/t.T/LaterOdd": lambda _: grpc.Later(lambda: None),  # type: ignore[arg-type,return-value]
    b"/t.T/Silent": lambda _: None,
    b"/t.T/Crash": crash,
    b"/t.T/Refuse": refuse,
    b"/t.T/Misread": misread,
}


@pytest.fixture
def rig() -> Rig:
    """A service with methods of every kind."""
    return Rig(METHODS)


def test_a_message_is_answered(rig: Rig) -> None:
    """With status 200, gRPC's content type, one message and grpc-status 0."""
    headers, data = rig.call(b"/t.T/Echo", message(b"hello"))
    assert headers == {b":status": b"200", b"content-type": b"application/grpc", b"grpc-status": b"0"}
    assert data == message(b"hello")


def test_several_messages_are_a_stream(rig: Rig) -> None:
    """Each with its own prefix, empty ones too."""
    assert rig.call(b"/t.T/List", message(b"x"))[1] == message(b"x") + message(b"") + message(b"x")


def test_work_is_answered_when_it_is_done(rig: Rig) -> None:
    """Not before, and other calls overtake it."""
    assert rig.call(b"/t.T/Later", message(b"a")) == ({}, b"")
    assert rig.call(b"/t.T/Echo", message(b"b"))[1] == message(b"b")
    rig.work()
    assert rig.collect(cut(rig.connection.take()))[1] == message(b"a")


def test_work_nobody_waits_for_is_not_begun(rig: Rig) -> None:
    """A call that was cancelled while it was queued never runs."""
    ran: list[bytes] = []
    rig = Rig({b"/t.T/Later": lambda body: grpc.Later(lambda: ran.append(body) or body)})  # type: ignore[func-returns-value]
    rig.call(b"/t.T/Later")
    rig.send(frame(RST_STREAM, 0, 1, bytes(4)))
    rig.work()
    assert ran == []


def test_a_silent_stream_stays_open(rig: Rig) -> None:
    """No answer, no error."""
    assert rig.call(b"/t.T/Silent") == ({}, b"")


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        (b"/t.T/Refuse", message(b""), b"9", b"100%25 gr%C3%B6%C3%9Fer%0Aals"),
        (b"/t.T/Misread", message(b""), b"3", b"expected sense"),
        (b"/t.T/Nothing", message(b""), b"12", b"unknown method /t.T/Nothing"),
        (b"/t.T/Echo", b"", b"13", b"expected a request message, got none"),
        (b"/t.T/Echo", b"\1\0\0\0\0", b"12", b"expected an uncompressed message, got a compressed one"),
        (b"/t.T/Echo", message(b"a") + message(b"b"), b"13", b"expected one message of 1 bytes, got 7 bytes"),
        (b"/t.T/Echo", message(b"abc")[:-1], b"13", b"expected one message of 3 bytes, got 2 bytes"),
    ],
)
def test_errors_are_trailers_alone(rig: Rig, path: bytes, body: bytes, status: bytes, text: bytes) -> None:
    """With gRPC's code and the message percent-encoded."""
    headers, data = rig.call(path, body)
    assert (headers[b"grpc-status"], headers[b"grpc-message"], data) == (status, text, b"")


@pytest.mark.parametrize("path", [b"/t.T/Crash", b"/t.T/LaterCrash"])
def test_a_bug_is_answered_without_its_text(rig: Rig, path: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """The caller learns the kind of error and the method, the log the traceback; the text may hold a secret."""
    headers, _ = rig.call(path)
    if not headers:
        rig.work()
        headers, _ = rig.collect(cut(rig.connection.take()))
    assert headers[b"grpc-status"] == b"2"
    assert b"KeyError" in headers[b"grpc-message"]
    assert b"secret" not in headers[b"grpc-message"]
    assert "Traceback" in capsys.readouterr().err
    assert rig.call(b"/t.T/Echo", message(b"on"))[1] == message(b"on")


@pytest.mark.parametrize(("path", "kind"), [(b"/t.T/Odd", b"str"), (b"/t.T/LaterOdd", b"NoneType")])
def test_an_answer_of_another_type_is_an_error(rig: Rig, path: bytes, kind: bytes) -> None:
    """Never a call that waits for ever."""
    headers, _ = rig.call(path)
    if not headers:
        rig.work()
        headers, _ = rig.collect(cut(rig.connection.take()))
    assert headers[b"grpc-message"] == b"expected bytes from " + path + b", got " + kind


def test_a_long_error_is_cut_between_characters() -> None:
    """Clients refuse headers over 8 KiB, and half an escape is none."""

    def moan(_: bytes) -> grpc.Answer:
        raise grpc.Status(2, "x" + "ü" * 5000)

    text = Rig({b"/t.T/Moan": moan}).call(b"/t.T/Moan")[0][b"grpc-message"]
    assert len(text) <= grpc.MESSAGE_LIMIT
    assert (len(text) - 1) % 3 == 0


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [(b":method", b"GET", b"405"), (b"content-type", b"application/json", b"415")],
)
def test_what_is_no_grpc_is_told_so_in_http(rig: Rig, name: bytes, value: bytes, status: bytes) -> None:
    """A browser gets a status and a line of text."""
    headers = tuple((key, value if key == name else old) for key, old in POST)
    found, data = rig.call(b"/t.T/Echo", headers=headers)
    assert found[b":status"] == status
    assert data.startswith(b"expected ")


def test_the_plugin_s_own_methods_come_first() -> None:
    """And get the body as it came; the provider's table is not even asked, so it may load late."""

    class Late:
        def get(self, path: bytes) -> grpc.Method | None:
            raise AssertionError(path)

    rig = Rig(Late(), {b"/p.P/Own": lambda body: body})
    assert rig.call(b"/p.P/Own", b"raw")[1] == message(b"raw")
