"""One accepted socket: reads all there is, has it answered, and sends the answers in one go."""

from __future__ import annotations

from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR, socket

from flinkform.provider.protocol.http2 import Connection

TYPE_CHECKING = False  # ssl costs 10 ms and is not needed in reattach mode; type checkers know this name
if TYPE_CHECKING:
    from ssl import SSLSocket

CHUNK = 16_384
"""Bytes of a read: a TLS record holds no more."""
BURST = 256 << 10
"""Bytes read before they are answered."""


class Peer:
    """A connection and its socket, which does not block; *shaking* says that TLS has its handshake to come."""

    __slots__ = ("_drained", "_ended", "_hushed", "_shaking", "_unsent", "_waits", "connection", "events", "socket")

    def __init__(
        self, sock: socket | SSLSocket, connection: Connection, *, waits: tuple[type[OSError], ...], shaking: bool
    ) -> None:
        self.socket = sock
        self.connection = connection
        self.events = EVENT_READ  # what the selector waits for
        self._waits = waits  # what the socket raises instead of blocking
        self._shaking = shaking
        self._unsent = memoryview(b"")
        self._drained = False
        self._ended = False
        self._hushed = False

    @property
    def unsent(self) -> bool:
        """Whether the socket has not taken all there is to send."""
        return bool(self._unsent)

    def turn(self) -> int:
        """Do all that can be done without waiting; the events to wait for, 0 when it is over.

        Nothing is read while the peer does not take its answers: that bounds their memory.
        """
        default = EVENT_READ
        try:
            if self._shaking:
                self.socket.do_handshake()  # type: ignore[union-attr]
                self._shaking = False
            self._drained = False
            while not (self._ended or self._drained):
                default = EVENT_WRITE
                self._flush()
                default = EVENT_READ
                self._read()
            default = EVENT_WRITE
            self._flush()
        except self._waits as wait:
            return _EVENTS.get(wait.errno or 0, default)
        except OSError:  # the peer is gone, or is no TLS peer of ours
            return 0
        return 0 if self._ended else EVENT_READ

    def hang_up(self) -> None:
        """Close the socket; answers to come are dropped."""
        self.connection.lose()
        self.socket.close()

    def _flush(self) -> None:
        """Send what there is, in as few pieces as the socket takes; raises one of *waits* when it is full."""
        while True:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            data = self.connection.take()
            if not data:
                break
            self._unsent = memoryview(data)
        if self.connection.closed and not self._hushed:
            # Closing now would make the kernel drop the GOAWAY if the peer is still sending: wait for it to hang up.
            self._hushed = True
            self.socket.shutdown(SHUT_WR)

    def _read(self) -> None:
        """Take in a burst; *drained* afterwards when the socket had no more, *ended* when the peer hung up."""
        chunks = []
        size = 0
        receive = self.socket.recv
        try:
            while size < BURST:
                chunk = receive(CHUNK)
                if not chunk:
                    self._ended = True
                    break
                chunks.append(chunk)
                size += len(chunk)
        except self._waits:
            self._drained = True
        if self._hushed:
            self._drained = True  # what it still says is dropped, a burst each turn
        elif chunks:
            self.connection.receive(b"".join(chunks))


_EVENTS = {2: EVENT_READ, 3: EVENT_WRITE}
"""By errno: what SSL_ERROR_WANT_READ and SSL_ERROR_WANT_WRITE wait for, whatever was being done."""
