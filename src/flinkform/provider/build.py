"""Makes the provider one file, the same bytes every time, and lays it where Terraform finds it.

`python -m flinkform.provider.build DIR` writes `DIR/terraform-provider-flink_v<version>`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import os
import platform
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from flinkform import __version__
from flinkform.provider import describe
from flinkform.resources import PROVIDER

NAME = f"terraform-provider-flink_v{__version__}"
PARTS = ("errors.py", "openapi", "schema", "resources", "client", "provider")
"""What the provider is made of, below `flinkform/`; all of it needs the standard library alone."""
ABSENT = ("provider/build.py", "provider/document.py", "provider/__main__.py", "openapi/extract")
"""What is there to make things and not to run."""

_ROOM = Path(__file__).parents[1]
_LAUNCHER = b"""#!/bin/sh
new='import sys; sys.exit(sys.version_info < (3, 11))'
case ${FLINKFORM_PYTHON:+chosen}:$PATH in chosen:*) new= ;; */shims*) ;; *) new= ;; esac
for python in "${FLINKFORM_PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
  command -v "$python" >/dev/null 2>&1 || continue
  [ -z "$new" ] || "$python" -c "$new" >/dev/null 2>&1 || continue
  start='import gc, sys; gc.disable(); sys.path.append(sys.argv[1]); import flinkform_start'
  exec "$python" -SI -c "$start" "$0" "$FLINKFORM_PYTHON"
done
echo "terraform-provider-flink needs Python 3.11 or newer on PATH, or its path in FLINKFORM_PYTHON" >&2
exit 1
"""
"""What the kernel runs. A line for it alone could name one fixed path only; running the archive itself (`python FILE`)
costs a third of the start for the module that does so. `-S` leaves out site packages, `-I` the working directory.

A Python is not asked for its version first, as that takes as long again: `_START` asks. But a shim (pyenv, asdf) may
stand for a Python that is not there, and whoever runs it has lost the other names."""

_START = """\
import sys

if sys.version_info < (3, 11):
    import os

    this = sys.version.split()[0]
    if sys.argv[2]:
        sys.exit("terraform-provider-flink needs Python 3.11 or newer, FLINKFORM_PYTHON names " + this)
    # python3 is an older one; the launcher looks for the other names.
    os.execv("/bin/sh", ["sh", "-c", 'FLINKFORM_PYTHON=python3.14 exec "$0"', sys.argv[1]])

from flinkform.provider.entry import main

schema = {schema!r}
main(schema)
"""
_EPOCH = (2020, 1, 1, 0, 0, 0)
_UNCHECKED = 0b01
"""Flags of a .pyc that says: by hash, and do not compare."""
_MARSHAL = 2
"""A version of the format whose bytes do not depend on who else holds a constant."""

_RC = """\
# Written by flinkform: its provider comes from the folder beside this file, all others from where they always do.
provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["{host}/*/*"]
  }}
  direct {{
    exclude = ["{host}/*/*"]
  }}
}}
"""


def zipapp(path: Path) -> Path:
    """Write the provider to *path* as one executable file, and return it; the same bytes are not written again."""
    _write(path, _LAUNCHER + _archive(), 0o755)
    return path


def install(home: Path) -> Path:
    """Put the provider into a filesystem mirror below *home* and return the CLI configuration that says so.

    Terraform uses it with `TF_CLI_CONFIG_FILE` set to what is returned, `home/terraform.rc`.
    """
    mirror = home / "mirror"
    file, stamp = mirror / PROVIDER / __version__ / machine() / NAME, home / "provider.stamp"
    if not stamp.exists() or stamp.read_text() != _state(file):
        # To compile it takes as long as all else that a small plan does.
        zipapp(file)
        _write(stamp, _state(file).encode(), 0o600)
    rc = _RC.format(mirror=_quoted(mirror.absolute()), host=PROVIDER.split("/", maxsplit=1)[0])
    _write(home / "terraform.rc", rc.encode(), 0o600)
    return home / "terraform.rc"


def _state(file: Path) -> str:
    """Return a digest that is another one once *file*, or anything that it is made of, is."""
    seen = [
        (str(path), (at := path.stat()).st_size, at.st_mtime_ns)
        for path in (file, Path(__file__), *_modules())
        if path.exists()
    ]
    return hashlib.sha256(repr((sys.version, __version__, seen)).encode()).hexdigest()


def machine() -> str:
    """Return this machine as Terraform calls it: `linux_amd64`, `darwin_arm64`."""
    kind = platform.machine().lower()
    return f"{platform.system().lower()}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(kind, kind) }"


def _archive() -> bytes:
    """Return the ZIP: sources, and beside each its compiled form, which Python versions other than this one pass by."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, source in _sources():
            # What is read at every start is not packed: unpacking would take a sixth of it.
            for suffix, data, packed in (("", source, True), ("c", _compiled(name, source), False)):
                entry = zipfile.ZipInfo(name + suffix, _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, data)
    return out.getvalue()


def _sources() -> Iterator[tuple[str, bytes]]:
    """Yield every module's name in the archive and its text, in a fixed order."""
    yield "flinkform_start.py", _START.format(schema=describe.provider_schema()).encode()
    for path in _modules():
        yield f"flinkform/{path.relative_to(_ROOM).as_posix()}", path.read_bytes()


def _modules() -> Iterator[Path]:
    """Yield the file of every module that is in the archive, in a fixed order."""
    yield _ROOM / "__init__.py"
    for part in PARTS:
        found = [_ROOM / part] if part.endswith(".py") else sorted((_ROOM / part).rglob("*.py"))
        yield from (path for path in found if not path.relative_to(_ROOM).as_posix().startswith(ABSENT))


def _compiled(name: str, source: bytes) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    digest = importlib.util.source_hash(source)
    return b"".join(
        (
            importlib.util.MAGIC_NUMBER,
            _UNCHECKED.to_bytes(4, "little"),
            digest,
            marshal.dumps(code, _MARSHAL),
        )
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write *data* to *path* in one step, unless it is there already."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")


if __name__ == "__main__":
    sys.stdout.write(f"{zipapp(Path(sys.argv[1]) / NAME)}\n")
