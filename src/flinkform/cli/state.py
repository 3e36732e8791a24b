"""`flinkform state`: the Terraform states that the control plane keeps, their versions and their locks."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flinkform.cli import api, bucket, locks, project
from flinkform.cli.progress import table
from flinkform.errors import Invalid


def run(options: argparse.Namespace) -> int:
    """Ask the control plane and print what it says."""
    answer, text = options.act(options)
    print(json.dumps(answer) if options.json else text)
    return 0


def _list(options: argparse.Namespace) -> tuple[Any, str]:
    here = project.find()
    if options.address is None:
        answer = api.call(here, "GET", locks.STATES)
        rows = [_row(one, one["lock"]) for one in answer["states"]]
        return answer, table(
            rows, ("address", "version", "serial", "bytes", "written", "lock")
        ) if rows else "no states"
    answer = api.call(here, "GET", _place(options.address))
    rows = [_row(one, None) for one in answer["versions"]]
    return answer, table(rows, ("version", "serial", "bytes", "written"))


def _bucket(options: argparse.Namespace) -> tuple[Any, str]:
    made = bucket.ensure(options.name, region=options.region)
    text = (
        f"{'made' if made else 'found'} the bucket {options.name}: versions are kept, encrypted, and nothing is public"
    )
    return {"bucket": options.name, "region": options.region, "made": made}, text


def _restore(options: argparse.Namespace) -> tuple[Any, str]:
    path = f"{_place(options.address)}/restore?version={options.version}"
    answer = api.call(project.find(), "POST", path)
    return answer, f"version {options.version} of {options.address} is now version {answer['version']}"


def _unlock(options: argparse.Namespace) -> tuple[Any, str]:
    wanted = f"?id={quote(options.id, safe='')}" if options.id else ""
    answer = api.call(project.find(), "POST", f"{_place(options.address)}/unlock{wanted}")
    return answer, f"{options.address} is no longer locked by {_holder(answer['lock'])}"


def _place(address: str) -> str:
    parts = address.split("/")
    if len(parts) != 2 or not all(parts):
        raise Invalid(f"expected ENVIRONMENT/STACK such as dev/auction, got {address!r}")
    return locks.place(address)


def _row(one: dict[str, Any], lock: dict[str, Any] | None) -> dict[str, str]:
    written = datetime.fromtimestamp(one["created_at"] / 1000, UTC).isoformat(timespec="seconds")
    return {
        "address": one["address"],
        "version": str(one["version"]),
        "serial": str(one["serial"]),
        "bytes": str(one["size"]),
        "written": written,
        "lock": _holder(lock) if lock else "",
    }


def _holder(lock: dict[str, Any]) -> str:
    return f"{lock['who'] or 'someone'} ({lock['operation']}, {lock['id']})"
