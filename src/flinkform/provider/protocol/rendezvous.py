"""Where Terraform finds the provider: a Unix socket in a directory that is ours alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

LONGEST = 103
"""Bytes of a socket's path: the kernel takes 107 on Linux and 103 on macOS."""
WAITING = 64
"""Connections that may wait to be accepted."""

_NAME = "s"


class Rendezvous:
    """A listening socket at *path*, in a fresh directory of mode 0700."""

    __slots__ = ("directory", "listener", "path")

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Look for a place in PLUGIN_UNIX_SOCKET_DIR, TMPDIR, /tmp; raises OSError when none will do."""
        self.directory = _directory(environment)
        self.path = f"{self.directory}/{_NAME}"
        self.listener = socket.socket(socket.AF_UNIX)
        try:
            self.listener.bind(self.path)
            self.listener.listen(WAITING)
        except OSError:
            self.remove()
            raise

    def remove(self) -> None:
        """Take the directory away; whoever is connected stays so."""
        self.listener.close()
        for remove, path in ((os.unlink, self.path), (os.rmdir, self.directory)):
            try:
                remove(path)
            except OSError:  # gone already, or a cleaner of /tmp was quicker
                continue


def _directory(environment: Mapping[str, str]) -> str:
    """A new private directory whose socket's path is short enough.

    tempfile.mkdtemp would do, but imports random, bz2 and lzma: 4 ms.
    """
    tried = []
    for base in (environment.get("PLUGIN_UNIX_SOCKET_DIR"), environment.get("TMPDIR"), "/tmp"):  # noqa: S108  the directory has a random name and mode 0700
        if not base:
            continue
        path = f"{os.path.abspath(base)}/flinkform-{os.urandom(9).hex()}"  # noqa: PTH100  pathlib costs 5 ms
        if len(os.fsencode(path)) + len(_NAME) + 1 > LONGEST:
            tried.append(f"{base} (too long)")
            continue
        try:
            os.mkdir(path, 0o700)  # noqa: PTH102
        except OSError as error:
            tried.append(f"{base} ({error.strerror})")
            continue
        return path
    raise OSError(f"no directory for the provider's socket: tried {', '.join(tried)}; set TMPDIR to a short one")
