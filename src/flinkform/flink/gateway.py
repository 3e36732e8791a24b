"""The wire to a JVM: calls Java over py4j and turns its silence into our errors."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JError, Py4JJavaError

from flinkform.errors import TimedOut, Unavailable

Thrown = Py4JJavaError
"""A Java exception; `trace` reads it."""


class Gateway:
    """Java, from Python; safe from many threads, each call bounded by *timeout* seconds."""

    def __init__(self, port: int, token: str, *, timeout: float) -> None:
        # py4j logs its commands, the token among them.
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        self._timeout = timeout
        self.late: Callable[[str], Sequence[Path]] = lambda _script: ()
        """The jars that a script needs and this JVM did not start with."""
        parameters = GatewayParameters(port=port, auth_token=token, auto_convert=True, read_timeout=timeout)
        self._java = JavaGateway(gateway_parameters=parameters)
        # py4j would hand any free connection to any call, and each connection has a thread of its own in the JVM; the
        # planner, though, keeps what it began with in its thread ("NullPointerException: metadataHandlerProvider").
        self._lines = _Lines()
        self._java._gateway_client.deque = self._lines  # noqa: SLF001 -- py4j offers no other place

    @property
    def flink(self) -> Any:
        """The package `org.apache.flink`."""
        return self._java.jvm.org.apache.flink

    @property
    def jvm(self) -> Any:
        return self._java.jvm

    def array(self, kind: Any, *items: Any) -> Any:
        """A Java array; py4j has no varargs."""
        made = self._java.new_array(kind, len(items))
        for index, item in enumerate(items):
            made[index] = item
        return made

    def configuration(self, options: Mapping[str, str]) -> Any:
        made = self.flink.configuration.Configuration()
        for key, value in options.items():
            made.setString(key, value)
        return made

    def trace(self, error: Py4JJavaError) -> str:
        """The whole stack trace, causes included, in one call; bounded."""
        with self.answering():
            return str(self.flink.util.ExceptionUtils.stringifyException(error.java_exception))[:200_000]

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around calls: no answer becomes TimedOut or Unavailable; Java's own exceptions pass."""
        began = time.monotonic()
        try:
            yield
        except Py4JJavaError:
            raise
        except (Py4JError, OSError) as error:
            if "Trace:" in str(error):  # the JVM answered: such a method does not exist, a bug of ours
                raise
            if time.monotonic() - began >= self._timeout:
                raise TimedOut(f"Flink did not answer within {self._timeout:g} s") from error
            raise Unavailable("the Flink JVM does not answer") from error

    def close(self) -> None:
        for connection in self._lines.all():
            connection.close()
        self._java.close()


class _Lines:
    """Connections by Python thread, so that the calls of one thread are calls of one thread in the JVM too."""

    def __init__(self) -> None:
        self._mine = _Mine()
        self._every: weakref.WeakSet[Any] = weakref.WeakSet()

    def pop(self) -> Any:
        """The connection this thread gave back last; IndexError if it has none."""
        return self._mine.free.pop()

    def append(self, connection: Any) -> None:
        self._every.add(connection)
        self._mine.free.append(connection)

    def __len__(self) -> int:
        return len(self._mine.free)

    def all(self) -> list[Any]:
        return list(self._every)


class _Mine(threading.local):
    def __init__(self) -> None:
        self.free: list[Any] = []
