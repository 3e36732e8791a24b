"""What can be wrong with bytes: errors that never leave the protocol room.

They are no classes of flinkform.errors on purpose: they are answered on the wire (a gRPC status, RST_STREAM or
GOAWAY) and never reach a person as they are, and that module brings ``dataclasses``, which the start cannot afford.
"""

from __future__ import annotations


class Malformed(Exception):
    """The bytes break their format (protobuf, msgpack)."""


class ConnectionFault(Exception):
    """The peer broke HTTP/2 in a way that ends the connection; *code* goes into GOAWAY."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StreamFault(Exception):
    """The peer broke HTTP/2 in a way that ends one stream; *code* goes into RST_STREAM."""

    def __init__(self, code: int, stream: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.stream = stream
        self.message = message
