"""Runs the tests in parts at once: what starts JVMs, what starts Terraform, and all that is quick.

`python -m tests.parts [OPTIONS OF PYTEST]`; with options it is one pytest with these.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

REAL = ("tests/flink", "tests/acceptance")
"""What waits for JVMs and Terraform most of its time, and leaves the cores to the other parts."""
_PYTEST = (sys.executable, "-m", "pytest", "--durations=20")
_OTHERS = (
    ("-p", "no:cacheprovider", *(f"--ignore={folder}" for folder in REAL)),
    ("-p", "no:cacheprovider", REAL[1]),
)


def main(words: list[str]) -> int:
    """Return the exit code of pytest; the longest part is seen as it goes, what the others say comes after it."""
    if words:
        return subprocess.call([*_PYTEST, *words])
    with ThreadPoolExecutor(1 + len(_OTHERS)) as all_:
        longest = all_.submit(subprocess.call, [*_PYTEST, REAL[0]])
        others = [all_.submit(_run, part) for part in _OTHERS]
        codes = [longest.result()]
        for other in others:
            sys.stdout.write(f"> another part\n{other.result().stdout}")
            codes.append(other.result().returncode)
    return next((code for code in codes if code), 0)


def _run(part: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_PYTEST, *part], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
