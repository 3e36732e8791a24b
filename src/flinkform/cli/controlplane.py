"""`flinkform controlplane`: the embedded control plane, in the foreground."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from flinkform.cli import project, tools
from flinkform.controlplane import server, settings
from flinkform.errors import Invalid


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; prints one line of JSON, the endpoint, once it answers."""
    host, port = _address(options.listen)
    found, home = options.java or _java(), options.home or project.find().home
    server.run(
        settings.from_environment(os.environ, home=home, host=host, port=port, java=found),
        announce=lambda endpoint: print(json.dumps({"endpoint": endpoint}), flush=True),
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    return 0


def _java() -> Path | None:
    """Return Java if there is one: without it, definitions are served and no job runs."""
    path = tools.java(os.environ).path
    return Path(path) if path else None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise Invalid(f"expected --listen HOST:PORT such as 127.0.0.1:8711, got {text!r}")
    return host.strip("[]"), int(port)
