"""Unary gRPC and server streams over HTTP/2: which method is called, with what, and how its answer is written."""

from __future__ import annotations

import sys
from collections.abc import Callable

from flinkform.provider.protocol.faults import Malformed
from flinkform.provider.protocol.hpack import literal
from flinkform.provider.protocol.http2 import Connection
from flinkform.provider.protocol.requests import Request
from flinkform.provider.protocol.streams import Stream

UNKNOWN, INVALID_ARGUMENT, UNIMPLEMENTED, INTERNAL = 2, 3, 12, 13

MESSAGE_LIMIT = 4000
"""Bytes of an error's text: clients take 8 KiB of headers in all."""


class Status(Exception):
    """Raised by a method to answer with a gRPC error instead of a message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Later:
    """A method's answer that has to wait for something: *work* runs on a thread."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[], bytes | list[bytes]]) -> None:
        self.work = work


Answer = bytes | list[bytes] | Later | None
"""One message, a stream of messages, work for a thread, or a stream that stays open and silent."""

TYPE_CHECKING = False  # typing costs the start some milliseconds; type checkers know this name
if TYPE_CHECKING:
    from typing import Protocol

    Method = Callable[[bytes], Answer]

    class Methods(Protocol):
        """A mapping of paths to methods, as far as it is used."""

        def get(self, path: bytes, /) -> Method | None:
            """The method of a path like ``b"/tfplugin6.Provider/ReadResource"``."""


_HEAD = b"\x88" + literal(b"content-type", b"application/grpc")  # 0x88 is ":status: 200"
_TAIL = literal(b"grpc-status", b"0")
_PRINTABLE = frozenset(range(0x20, 0x7F)) - {ord("%")}


class Service:
    """Answers requests from two tables of methods.

    *own* is the plugin's, asked first and given the body as it came; *methods* is the provider's. *submit* runs a job
    on a thread, *post* brings (connection, reply) back to the thread that owns the connection.
    """

    def __init__(
        self,
        methods: Methods,
        own: dict[bytes, Method],
        *,
        submit: Callable[[Callable[[], None]], None],
        post: Callable[[Connection, Callable[[], None]], None],
    ) -> None:
        self._methods = methods
        self._own = own
        self._submit = submit
        self._post = post

    def answer(self, connection: Connection, stream: Stream, body: bytes) -> None:
        """Answer a complete request, now or later; raises nothing."""
        request = stream.request
        if request.method != b"POST" or not request.headers.get(b"content-type", b"").startswith(b"application/grpc"):
            _refuse(connection, stream)
        else:
            self._reply(connection, stream, _attempt(request, self._call, request, body))

    def _call(self, request: Request, body: bytes) -> Answer:
        own = self._own.get(request.path)
        if own is not None:
            return own(body)
        method = self._methods.get(request.path)
        if method is None:
            raise Status(UNIMPLEMENTED, f"unknown method {_readable(request.path)}")
        return method(_message(body))

    def _reply(self, connection: Connection, stream: Stream, answer: Answer | Status) -> None:
        if isinstance(answer, bytes):
            # The prefix of a message: a flag, 0 for uncompressed, and four bytes of length.
            connection.respond(stream, _HEAD, len(answer).to_bytes(5, "big") + answer, _TAIL)
        elif isinstance(answer, Later):
            self._defer(connection, stream, answer)
        elif isinstance(answer, Status):
            connection.respond(stream, _failure(answer))
        elif isinstance(answer, list):
            body = b"".join(len(message).to_bytes(5, "big") + message for message in answer)
            connection.respond(stream, _HEAD, body, _TAIL)
        elif answer is not None:
            connection.respond(stream, _failure(_odd(answer, stream.request)))

    def _defer(self, connection: Connection, stream: Stream, later: Later) -> None:
        def job() -> None:
            if not stream.closed:  # the caller may have given up while it was queued
                answer = _attempt(stream.request, later.work)
                if not isinstance(answer, bytes | list | Status):
                    answer = _odd(answer, stream.request)
                self._post(connection, lambda: self._reply(connection, stream, answer))

        self._submit(job)


def _attempt(request: Request, call: Callable[..., Answer], *args: object) -> Answer | Status:
    try:
        return call(*args)
    except Status as status:
        return status
    except Malformed as fault:
        return Status(INVALID_ARGUMENT, str(fault))
    except Exception as bug:  # noqa: BLE001  the edge: whatever a method does, the others go on
        # The hook prints a traceback without the 10 ms import of the module of that name.
        sys.__excepthook__(type(bug), bug, bug.__traceback__)
        where = _readable(request.path)
        return Status(UNKNOWN, f"unexpected {type(bug).__name__} in {where}: a bug in the provider; its log says where")


def _odd(answer: object, request: Request) -> Status:
    return Status(UNKNOWN, f"expected bytes from {_readable(request.path)}, got {type(answer).__name__}")


def _message(body: bytes) -> bytes:
    """The one message of a unary request; raises Status when there is another number of them."""
    if len(body) < 5:
        raise Status(INTERNAL, "expected a request message, got none")
    if body[0]:
        raise Status(UNIMPLEMENTED, "expected an uncompressed message, got a compressed one")
    size = int.from_bytes(body[1:5], "big")
    if size != len(body) - 5:
        raise Status(INTERNAL, f"expected one message of {size} bytes, got {len(body) - 5} bytes")
    return body[5:]


def _failure(status: Status) -> bytes:
    text = "".join(
        chr(byte) if byte in _PRINTABLE else f"%{byte:02X}" for byte in status.message.encode(errors="replace")
    )
    return _HEAD + literal(b"grpc-status", b"%d" % status.code) + literal(b"grpc-message", _cut(text).encode())


def _cut(text: str) -> str:
    """The first part of a percent-encoded text, no escape halved."""
    if len(text) <= MESSAGE_LIMIT:
        return text
    end = text.rfind("%", MESSAGE_LIMIT - 2, MESSAGE_LIMIT)
    return text[: MESSAGE_LIMIT if end < 0 else end]


def _readable(path: bytes) -> str:
    return path[:200].decode("ascii", "backslashreplace")


def _refuse(connection: Connection, stream: Stream) -> None:
    """Answer what is no gRPC call as HTTP does."""
    post = stream.request.method == b"POST"
    status, text = (b"415", b"expected content-type application/grpc\n") if post else (b"405", b"expected POST\n")
    head = literal(b":status", status) + literal(b"content-type", b"text/plain")
    head += b"" if post else literal(b"allow", b"POST")
    connection.respond(stream, head, text)
