"""Real scripts on real Flink, each through the whole road: a deployment is made, started, and runs or finishes.

`make corpus` runs all of them and writes a summary; the scripts are not part of this repository.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from flinkform.errors import Conflict, FlinkformError
from tests.flink.plane import Plane, plane

FOLDER = Path(os.environ.get("FLINKFORM_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
SHARE = 0.98
"""Of the scripts that have to be accepted."""
AT_ONCE = 6
_WELL = ("RUNNING", "FINISHED")
_PATH = re.compile(r"file:///var/tmp/flink-fs/([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One script and how it wants to be run."""

    name: str
    script: str
    batch: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a script came: *state* is the job's, or REFUSED; *reason* says why it is not well."""

    name: str
    state: str
    reason: str
    seconds: float

    @property
    def well(self) -> bool:
        return self.state in _WELL


def entries(folder: Path = FOLDER) -> list[Entry]:
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [Entry(r["file"], (folder / "sql" / r["file"]).read_text(), r["mode"] == "batch") for r in rows]


def sample(size: int, *, seed: int) -> list[Entry]:
    return random.Random(seed).sample(entries(), size)  # noqa: S311 -- which scripts are run is no secret


def run(served: Plane, chosen: Iterable[Entry], say: Callable[[Outcome], None]) -> list[Outcome]:
    """Run scripts, a few at once, and stop each as soon as it is known to run."""
    done: list[Outcome] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outcome in pool.map(lambda entry: one(served, entry), chosen):
            done.append(outcome)
            say(outcome)
    return done


def one(served: Plane, entry: Entry) -> Outcome:
    """Take one script the whole road."""
    began = time.monotonic()
    files = served.home / "files" / entry.name
    for name in _PATH.findall(entry.script):
        (files / name).mkdir(parents=True, exist_ok=True)  # a table that is read has to be there
    script = _PATH.sub(rf"{files.as_uri()}/\1", entry.script)
    try:
        deployment = served.deploy(entry.name, script, batch=entry.batch, options={"restart-strategy.type": "none"})
        job = served.start(deployment)
        state = served.until(job, *_WELL, seconds=600)
        reason = "" if state in _WELL else served.reason(job)
        if state == "RUNNING":
            with suppress(Conflict):  # it has ended by itself
                served.stop(job)
            served.until(job, seconds=120)
        served.call("DeleteDeployment", {"deploymentId": deployment})
    except (FlinkformError, AssertionError) as error:
        state, reason = "REFUSED", str(error)
    return Outcome(entry.name, state, reason, round(time.monotonic() - began, 2))


def summary(outcomes: list[Outcome], seconds: float, peak: int) -> dict[str, object]:
    """What a script may read: how many were accepted, and why each other was not."""
    well = [outcome for outcome in outcomes if outcome.well]
    return {
        "scripts": len(outcomes),
        "accepted": len(well),
        "share": round(len(well) / len(outcomes), 4),
        "states": dict(Counter(outcome.state for outcome in outcomes)),
        "seconds": round(seconds, 1),
        "jvm_peak_mb": peak >> 20,
        "not_accepted": [asdict(outcome) for outcome in outcomes if not outcome.well],
    }


def main() -> int:
    """Run everything, say how it goes, and write the summary; 1 where too few were accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the summary there too")
    parser.add_argument("--only", default="", help="a regular expression over the scripts' names")
    options = parser.parse_args()
    if not FOLDER.is_dir():
        sys.stderr.write(f"skipped: there is no {FOLDER}; FLINKFORM_CORPUS names another folder\n")
        return 0
    chosen = [entry for entry in entries() if re.search(options.only, entry.name)]
    began, seen = time.monotonic(), Counter[str]()

    def say(outcome: Outcome) -> None:
        seen[outcome.state] += 1
        if not outcome.well:
            sys.stderr.write(f"{outcome.name}: {outcome.state}: {outcome.reason}\n")
        if seen.total() % 20 == 0:
            sys.stderr.write(f"{seen.total()} of {len(chosen)} scripts, {time.monotonic() - began:.0f} s\n")

    with tempfile.TemporaryDirectory(prefix="flinkform-corpus-") as home, plane(Path(home)) as served:
        outcomes = run(served, chosen, say)
        said = summary(outcomes, time.monotonic() - began, served.peak())
    text = json.dumps(said, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return 0 if said["accepted"] >= SHARE * len(outcomes) else 1  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
