"""`flinkform key`: access keys of the embedded control plane."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from flinkform.cli import project
from flinkform.controlplane import home, keyring, settings
from flinkform.controlplane.store.database import Store


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("key", help="make access keys of the control plane")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key; its secret is shown this once")
    create.add_argument("--home", type=Path, help="the control plane's folder (default: this repository's)")
    create.add_argument("--description", default="", help="whose it is, for people")
    create.add_argument("--json", action="store_true")
    create.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make a key, whether the control plane runs, does not run, or never did."""
    folder = options.home or project.find().home
    chosen = settings.from_environment(os.environ, home=folder, host="127.0.0.1", port=0, java=None, serving=False)
    home.prepare(chosen.home)
    store = Store.open(chosen.database_url)
    try:
        made = keyring.create(store, description=options.description)
    finally:
        store.close()
    if options.json:
        print(json.dumps({"access_key_id": made.id, "access_key_secret": made.secret}))
    else:
        print(f"access key id      {made.id}\naccess key secret  {made.secret}")
    return 0
