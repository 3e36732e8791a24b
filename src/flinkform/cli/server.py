"""Starting and stopping the control plane as a process of its own, for `up` and `down`."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from flinkform.cli import api
from flinkform.cli.process import command
from flinkform.cli.progress import Step
from flinkform.cli.project import Project
from flinkform.controlplane.variables import VARIABLES
from flinkform.errors import TimedOut, Unavailable

PORT = 8711
"""Where a first `up` listens if it can; another free port where it cannot."""

_HOPELESS = "Flink cannot be started"
"""How `/readyz` begins a reason that waiting does not remove."""
_STARTED = "controlplane.started"
"""What the one that runs was told by the shell, in the home."""
_START_SECONDS = 120
_STOP_SECONDS = 90


def ensure(here: Project, step: Step, *, port: int = PORT) -> str:
    """Return the endpoint of a control plane that is up, starting one where none is: at *port* the first time."""
    if given := here.shell.get("FLINKFORM_ENDPOINT"):
        if not api.alive(given):
            raise api.silent(here)
        return given
    remembered, pid = here.endpoint(), running(here)
    if remembered and pid and api.alive(remembered):
        step.result = f"already up at {remembered}"
        if others := late(here):
            step.say(f"{', '.join(others)} will hold from the next start: `flinkform down` first")
        return remembered
    endpoint = _settle(here, int(remembered.rsplit(":", 1)[-1]) if remembered else port, step)
    step.result = f"up at {endpoint}"
    return endpoint


def wait_ready(endpoint: str, step: Step, *, clock: Callable[[], float] = time.monotonic) -> list[str]:
    """Wait until jobs can run; return the reasons where the control plane has found that none can."""
    deadline, said = clock() + _START_SECONDS, ""
    while True:
        done, reasons = api.ready(endpoint)
        if done or any(reason.startswith(_HOPELESS) for reason in reasons):
            return [] if done else reasons
        if clock() > deadline:
            raise TimedOut(f"the control plane is not ready after {_START_SECONDS} s: {'; '.join(reasons)}")
        if reasons and (now := "; ".join(reasons)) != said:
            said = now
            step.say(now)
        time.sleep(0.1)


def running(here: Project) -> int:
    """Return the process id of this home's control plane, or 0."""
    try:
        pid = int((here.home / "controlplane.pid").read_text())
    except (OSError, ValueError):
        return 0
    # A process id is used again after a while: only one that serves this very home is ours.
    words = command(pid) or ""
    return pid if "controlplane" in words and str(here.home) in words else 0


def stop(here: Project, *, clock: Callable[[], float] = time.monotonic) -> bool:
    """Stop the control plane and wait until it is gone; False where none was running."""
    pid = running(here)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = clock() + _STOP_SECONDS
    while running(here):
        if clock() > deadline:
            raise TimedOut(
                f"the control plane (process {pid}) did not stop in {_STOP_SECONDS} s", advice=f"kill -9 {pid}"
            )
        time.sleep(0.05)
    (here.home / "controlplane.pid").unlink(missing_ok=True)
    return True


def remember(here: Project) -> None:
    """Keep what the shell says to a control plane that starts."""
    _write(here.home / _STARTED, json.dumps(_settings(here.shell)))


def late(here: Project) -> list[str]:
    """Return the settings that the shell has, and that the control plane which runs was started without."""
    try:
        before = json.loads((here.home / _STARTED).read_text())
    except (OSError, ValueError):
        return []
    now = _settings(here.shell)
    return sorted(name for name in now if now[name] != before.get(name))


def _settings(shell: Mapping[str, str]) -> dict[str, str]:
    """Return what a shell says to a control plane, as digests: there are passwords in some."""
    said = {name: value for name, value in shell.items() if name in VARIABLES}
    return {name: hashlib.sha256(value.encode()).hexdigest() for name, value in said.items()}


def _settle(here: Project, port: int, step: Step) -> str:
    """Start at *port*, else at a free one: only who listens knows for sure that a port is taken.

    While our own is stopping, the next one waits for its home and has its port then.
    """
    try:
        return _start(here, port)
    except Unavailable as error:
        if f"port {port} of 127.0.0.1 is taken" not in str(error):
            raise
    step.say(f"another program has taken port {port}; listening on a free one")
    return _start(here, 0)


def _start(here: Project, port: int) -> str:
    logs, pid = here.home / "logs", here.home / "controlplane.pid"
    out, err = logs / "controlplane.out", logs / "controlplane.err"
    words = (sys.executable, "-m", "flinkform.cli.main", "controlplane")
    options = ("--listen", f"127.0.0.1:{port}", "--home", str(here.home))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [*words, *options], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
        )
    try:
        _write(pid, str(process.pid))
        endpoint = _announced(process, out, err)
        _write(here.endpoint_file, endpoint)
        remember(here)
    except BaseException:
        process.terminate()
        process.wait()
        pid.unlink(missing_ok=True)
        raise
    return endpoint


def _announced(process: subprocess.Popen[bytes], out: Path, err: Path) -> str:
    """Return the endpoint that the new process prints when it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        line = out.read_bytes().split(b"\n")[0] if out.exists() else b""
        if line.startswith(b"{") and line.endswith(b"}"):
            return str(json.loads(line)["endpoint"])
        if process.poll() is not None:
            said = err.read_text(errors="replace").strip().splitlines()[-3:] or ["it said nothing"]
            reason = " ".join(line.removeprefix("error: ") for line in said)
            raise Unavailable(f"the control plane did not start: {reason}", advice=f"see {err}")
        time.sleep(0.05)
    raise TimedOut(f"the control plane did not listen within {_START_SECONDS} s", advice=f"see {err}")


def _write(path: Path, text: str) -> None:
    """Write *path* whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
