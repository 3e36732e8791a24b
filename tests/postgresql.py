"""A PostgreSQL on loopback that is gone with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 60.0
# Nothing of it outlives the test, so it need not survive a power cut; databases come and go, so they shall be cheap.
_SETTINGS = ("full_page_writes=off", "max_connections=300", "shared_buffers=32MB", "autovacuum=off")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server whose one user needs no password."""

    port: int
    user: str
    programs: Path

    @property
    def url(self) -> str:
        return f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"

    def database(self, name: str, *, password: str = "") -> str:
        """The URL of one database, as FLINKFORM_DATABASE_URL takes it; any password will do."""
        return f"postgresql://postgres:{password or 'any'}@127.0.0.1:{self.port}/{name}"

    def query(self, sql: str) -> str:
        command = [str(self.programs / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-Atc", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest there is."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("initdb")
    return places[-1].parent if places else Path(found).parent if found else None


@contextmanager
def postgres(programs: Path) -> Iterator[Postgres]:
    """Run a server until the block ends, as somebody who is not root: it refuses to run as that."""
    user = next((u.pw_name for u in pwd.getpwall() if u.pw_name in ("postgres", "nobody")), "nobody")
    other = {"user": user} if os.geteuid() == 0 else {}
    port = _free()
    folder = Path(tempfile.mkdtemp(prefix="flinkform-postgres-"))
    try:
        if other:
            shutil.chown(folder, user)
        data = folder / "data"
        make = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **other)  # type: ignore[call-overload]
        serve = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        serve += [word for setting in _SETTINGS for word in ("-c", setting)]
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(serve, stdout=out, stderr=out, cwd=folder, **other)  # type: ignore[call-overload]
        try:
            made = Postgres(port, user, programs)
            _wait(made)
            yield made
        finally:
            process.send_signal(2)  # its fast way to end, which waits for nobody
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(made: Postgres) -> None:
    deadline = time.monotonic() + _SECONDS
    while not _answers(made):
        assert time.monotonic() < deadline, "PostgreSQL does not answer"
        time.sleep(0.05)


def _answers(made: Postgres) -> bool:
    try:
        return made.query("SELECT 1") == "1"
    except subprocess.CalledProcessError:
        return False


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
