"""`flinkform jar FILE LOCATION`: bring a jar to a bucket, each content once, and print what a job file says of it."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from flinkform.cli.progress import Progress
from flinkform.errors import Invalid
from flinkform.flink import objects
from flinkform.resources.job import uploaded

LIMIT = 512 * 1024 * 1024
"""Bytes that a jar may have."""


def run(options: argparse.Namespace) -> int:
    """Upload it unless it is there, and print the lines."""
    sha256 = _digest(options.file)
    name = uploaded(options.file.name, sha256)
    uri = f"{options.location.rstrip('/')}/{name}"
    with Progress().step(f"bringing {options.file} to {options.location}") as step:
        brought = objects.put(uri, options.file)
        step.result = "uploaded" if brought else "it was there already"
    if options.json:
        print(json.dumps({"uri": uri, "sha256": sha256, "uploaded": brought}))
    else:
        print(f"jar:\n  uri: {uri}\n  sha256: {sha256}")
    return 0


def _digest(file: Path) -> str:
    """Return the sha256 of a jar; Invalid where it is none."""
    if file.suffix != ".jar":
        raise Invalid(f"expected a file that ends with .jar, got {file}")
    try:
        if (size := file.stat().st_size) > LIMIT:
            raise Invalid(f"expected a jar of at most {LIMIT:,} bytes, got {size:,}")
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"expected a jar at {file}: {(error.strerror or str(error)).lower()}") from error
