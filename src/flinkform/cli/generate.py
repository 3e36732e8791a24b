"""Write every generated file anew; a second run changes nothing (`make generate`, and CI compares)."""

from __future__ import annotations

import subprocess
import sys

STEPS = (
    "flinkform.cli.types",
    "flinkform.openapi.extract",
    "flinkform.openapi.extract.document",
    "flinkform.jobfile.schema",
    "flinkform.release",
    "flinkform_constructs.generate",
    "flinkform.provider.document",
    "flinkform.rules",
    "flinkform.cli.reference",
    "flinkform.cli.registry",
)
"""Modules that write one generated file or folder each, in the order they need one another."""


def main() -> int:
    """Run every step; the first that fails ends it."""
    for step in STEPS:
        sys.stderr.write(f"> {step}\n")
        if code := subprocess.run([sys.executable, "-m", step], check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
