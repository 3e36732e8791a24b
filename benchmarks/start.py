"""What it costs to start `flinkform`: `--help` of every command, against a Python that does nothing.

Times are CPU seconds, user and system, the smallest of some rounds, with the byte code that Python keeps of what it ran
before. The command that takes most is named; it must stay below 0.15 s on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from flinkform.cli.main import COMMANDS

ROUNDS = 5


def main() -> int:
    """Measure, and print one JSON line."""
    with tempfile.TemporaryDirectory(prefix="flinkform-start-") as code:
        floor = least(code, "-c", "pass")
        found = {name: least(code, "-m", "flinkform.cli.main", name, "--help") for name in COMMANDS}
    worst = max(found, key=found.__getitem__)
    figure = {"benchmark": "start", "n": len(found), "unit": "CPU s", "candidate": found[worst], "floor": floor}
    print(json.dumps(figure | {"ratio": round(found[worst] / floor, 2), "worst": worst}))
    return 0


def least(code: str, *words: str) -> float:
    """Return the CPU seconds of the cheapest of some runs, after one that keeps byte code in the folder *code*."""
    shell = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found = []
    for _ in range(ROUNDS + 1):
        process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.DEVNULL, env=shell | {"PYTHONPYCACHEPREFIX": code}
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, words)
        found.append(usage.ru_utime + usage.ru_stime)
    return round(min(found[1:]), 4)


if __name__ == "__main__":
    sys.exit(main())
