"""One thread that serves every connection: accept, read all, answer all, send all."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ, DefaultSelector
from socket import AF_UNIX, IPPROTO_TCP, TCP_NODELAY, socket
from time import monotonic

from flinkform.provider.protocol import grpc
from flinkform.provider.protocol.http2 import Connection
from flinkform.provider.protocol.peer import Peer
from flinkform.provider.protocol.workers import Workers

TYPE_CHECKING = False  # ssl costs 10 ms and is not needed in reattach mode; type checkers know this name
if TYPE_CHECKING:
    from ssl import SSLContext

PEERS = 128
"""Connections at a time; Terraform opens one for each provider process."""
WATCH = 1.0
"""Seconds between looks at the parent process while nobody is connected."""
TICK = 0.05
"""Seconds between looks at the work that is still running while the loop ends."""


class Loop:
    """Serves *listener* with the methods of *methods* and *own* until `stop`."""

    def __init__(
        self, listener: socket, methods: grpc.Methods, own: dict[bytes, grpc.Method], context: SSLContext | None = None
    ) -> None:
        self._listener = listener
        self._context = context
        self._workers = Workers()
        self._service = grpc.Service(methods, own, submit=self._workers.submit, post=self._post)
        self._posts: deque[tuple[Connection, Callable[[], None]]] = deque()
        self._peers: dict[Connection, Peer] = {}
        self._stopped = False
        self._woken = False
        self._waits = _waits(context)
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._ear, False)
        os.set_blocking(self._mouth, False)
        listener.setblocking(False)
        self._selector = DefaultSelector()
        self._selector.register(listener, EVENT_READ, self._accept)
        self._selector.register(self._ear, EVENT_READ, self._hear)

    @property
    def alarm(self) -> int:
        """A file descriptor that wakes the loop when it is written to."""
        return self._mouth

    def stop(self) -> None:
        """Have `run` return soon; safe from any thread and from a signal handler."""
        self._stopped = True
        self._wake()

    def run(self, *, abandoned: Callable[[], bool] = lambda: False) -> None:
        """Serve until `stop`, or until *abandoned* says so while nobody is connected."""
        while not self._stopped:
            self._select(None if self._peers else WATCH)
            if not self._peers and abandoned():
                break

    def finish(self, grace: float) -> None:
        """Take no more calls, give those at hand *grace* seconds, and close everything."""
        self._selector.unregister(self._listener)
        self._listener.close()
        deadline = monotonic() + grace
        for peer in list(self._peers.values()):
            peer.connection.leave()
            self._turn(peer)
        while self._occupied() and monotonic() < deadline:
            self._select(TICK)
        for peer in list(self._peers.values()):
            self._drop(peer)
        self._woken = True  # nobody listens any more
        self._selector.close()
        os.close(self._ear)
        self._workers.close(max(0.0, deadline - monotonic()))
        if not self._workers.busy:  # else a thread may yet write to it: better a stray pipe than another's file
            os.close(self._mouth)

    def _occupied(self) -> bool:
        return bool(self._workers.busy or self._posts or any(peer.unsent for peer in self._peers.values()))

    def _select(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            key.data()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # it hung up while it waited, or there are no file descriptors left
            return
        if len(self._peers) >= PEERS:
            sock.close()
            return
        sock.setblocking(False)
        if sock.family != AF_UNIX:
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        connection = Connection(self._service.answer)
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        peer = Peer(sock, connection, waits=self._waits, shaking=self._context is not None)
        self._peers[connection] = peer
        self._selector.register(sock, EVENT_READ, partial(self._turn, peer))
        self._turn(peer)

    def _turn(self, peer: Peer) -> None:
        try:
            events = peer.turn()
        except Exception as bug:  # noqa: BLE001  the edge: a bug met by one connection does not end the others
            sys.__excepthook__(type(bug), bug, bug.__traceback__)
            events = 0
        if not events:
            self._drop(peer)
        elif events != peer.events:
            peer.events = events
            self._selector.modify(peer.socket, events, partial(self._turn, peer))

    def _drop(self, peer: Peer) -> None:
        if self._peers.pop(peer.connection, None) is not None:
            self._selector.unregister(peer.socket)
            peer.hang_up()

    def _post(self, connection: Connection, reply: Callable[[], None]) -> None:
        """Have *reply* called on the loop's thread and *connection* flushed after it."""
        self._posts.append((connection, reply))
        self._wake()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            try:
                os.write(self._mouth, b"!")
            except OSError:  # it is awake enough, or over
                return

    def _hear(self) -> None:
        os.read(self._ear, 4096)
        self._woken = False  # before the posts are looked at: one that comes now wakes again
        touched = {}
        while self._posts:
            connection, reply = self._posts.popleft()
            reply()
            touched[connection] = self._peers.get(connection)
        for peer in touched.values():
            if peer is not None:
                self._turn(peer)


def _waits(context: SSLContext | None) -> tuple[type[OSError], ...]:
    if context is None:
        return (BlockingIOError,)
    from ssl import SSLWantReadError, SSLWantWriteError  # noqa: PLC0415  loaded already when there is a context

    return (SSLWantReadError, SSLWantWriteError, BlockingIOError)
