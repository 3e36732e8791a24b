"""`make soak`: kills, and at the end one line of figures; exit code 1 if anything was wrong."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import Plan, Soak


def main() -> int:
    """Soak as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="the same seed kills at the same points")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--own", type=int, default=1, help="how many of the jobs have a JVM of their own")
    parser.add_argument("--pace", type=float, default=0.7, help="mean time between kills, in starts")
    parser.add_argument("--every", type=int, default=10, help="so many kills, then peace, and all is compared")
    parser.add_argument("--failing", type=float, default=0.0, help="share of Flink's answers that fail")
    parser.add_argument("--delayed", type=float, default=0.0, help="share of Flink's answers that are late")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no kill after that")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 100_000
    shares = {"failing": given.failing, "delayed": given.delayed, "seconds": given.minutes * 60}
    counts = {"kills": given.kills, "seed": seed, "jobs": given.jobs, "own": given.own, "every": given.every}
    plan = Plan(**counts, pace=given.pace, **shares)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    outcome = Soak(plan, folder, _say).run().summary()
    print(json.dumps(outcome) if given.json else "\n".join(f"{name}: {value}" for name, value in outcome.items()))
    if outcome["wrongs"]:
        print(f"all files are in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
