"""The database of a home, for commands that work whether its control plane runs, does not run, or never did."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from flinkform.cli import project
from flinkform.controlplane import home, settings
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.database import Store


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[tuple[Settings, Store]]:
    """Open the database that *options* mean, with its tables brought up to date."""
    folder = options.home or project.find().home
    chosen = settings.from_environment(os.environ, home=folder, host="127.0.0.1", port=0, java=None, serving=False)
    home.prepare(chosen.home)
    store = Store.open(chosen.database_url)
    try:
        yield chosen, store
    finally:
        store.close()
