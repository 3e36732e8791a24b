"""The provider's process: says hello first and imports the rest when it is asked something."""

from __future__ import annotations

import sys

from flinkform.provider.protocol import plugin

TYPE_CHECKING = False  # typing costs the start some milliseconds; type checkers know this name
if TYPE_CHECKING:
    from threading import Event

    from flinkform.provider.protocol.grpc import Method
    from flinkform.provider.service import Service
    from flinkform.provider.session import Session
    from flinkform.provider.values import Values

_SCHEMA = b"/tfplugin6.Provider/GetProviderSchema"


class Methods:
    """The provider's methods; imported by the first call, since Terraform starts more processes than it asks."""

    def __init__(self, schema: bytes) -> None:
        self._schema = schema
        self._service: Service | None = None

    def get(self, path: bytes, /) -> Method | None:
        """Return the method of *path*. A schema that was written down when building needs no import at all."""
        if path == _SCHEMA and self._schema:
            return lambda _: self._schema
        return self.service().methods.get(path)

    def service(self) -> Service:
        """Return the provider, importing it now if nobody has."""
        if self._service is None:
            # It takes twice as long to import as all of the handshake does.
            import gc  # noqa: PLC0415

            from flinkform.provider.service import Service  # noqa: PLC0415

            self._service = Service(_connect, schema=self._schema)
            # The launcher turned collection off for the start. What was imported since stays as long as the process,
            # and what a call makes ends with it: looking for cycles every 700 objects is a tenth of the work.
            gc.freeze()
            gc.set_threshold(100_000, 20, 100)
            gc.enable()
        return self._service

    def stop(self) -> None:
        """End every wait, if there is a service that could wait."""
        if self._service is not None:
            self._service.stop()


def main(schema: bytes = b"") -> None:
    """Serve the Terraform that started this process. *schema* is the answer to GetProviderSchema, if it is known."""
    methods = Methods(schema)
    try:
        plugin.serve(methods, on_stop=methods.stop)
    except Exception as error:
        # A person who starts it by hand wants a sentence; the class costs the start milliseconds.
        from flinkform.errors import FlinkformError  # noqa: PLC0415

        if isinstance(error, FlinkformError):
            sys.exit(f"error: {error}")
        raise


def _connect(block: Values, stop: Event) -> Session:
    # Commands that only validate never get here, and the client imports ssl and an HTTP library.
    from flinkform.provider.connect import connect  # noqa: PLC0415

    return connect(block, stop)
