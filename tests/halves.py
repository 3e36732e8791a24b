"""Runs the tests in two processes at once: those that wait for real programs, and all others.

`python -m tests.halves [OPTIONS OF PYTEST]`; with options it is one pytest with these.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile

REAL = ("tests/flink", "tests/acceptance")
"""What waits for JVMs and Terraform most of its time, and leaves a core to the rest."""
_PYTEST = (sys.executable, "-m", "pytest")


def main(words: list[str]) -> int:
    """Return the exit code of pytest; what the quick half says comes when the other one is through."""
    if words:
        return subprocess.call([*_PYTEST, *words])
    with tempfile.TemporaryFile() as said:
        quick = [*_PYTEST, "-p", "no:cacheprovider", "--durations=20", *(f"--ignore={folder}" for folder in REAL)]
        with subprocess.Popen(quick, stdout=said, stderr=subprocess.STDOUT) as rest:
            real = subprocess.call([*_PYTEST, "--durations=40", *REAL])
            sys.stdout.write("> the other half\n")
            sys.stdout.flush()
            code = rest.wait()
        said.seek(0)
        shutil.copyfileobj(said, sys.stdout.buffer)
    return real or code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
