"""What `flinkform plan` of a change costs in a monorepo of n jobs, from the two commits to the plan that is told.

change of k: `flinkform plan --since HEAD~1` where a commit edits k job files, against the plan of all jobs at that
commit. beyond terraform: the same for one file, against `terraform plan` alone of the one stack that has it; what is
between them is flinkform's own share. The jobs are suspended; each folder of a team's jobs is a stack, and the states
are kept by a control plane. It is FLINKFORM_CORPUS' monorepo.

Times are CPU seconds, user and system, of the process and of all that it starts, the smallest of some rounds
(300 and all: one); the control plane is not in them. A change of more files than there are is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from flinkform.cli import project, shell, stacks, tools
from flinkform.cli.stacks import Terraform
from flinkform.provider import build
from tests import monorepo
from tests.whole import FLINKFORM, SIZE, Whole, checkout, serving

ROUNDS, CHANGES = 3, (1, 10, 300)


def main() -> int:
    """Measure, and print one JSON line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", type=int, default=SIZE, metavar="N", help="number of jobs")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if not monorepo.BUILDER.exists():
        sys.stderr.write(f"{monorepo.BUILDER} is not there; FLINKFORM_CORPUS names the folder that has it\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="flinkform-bench-") as name:
        root, _ = checkout(Path(name), options.size)
        with serving(root, Path(name) / "home") as here:
            measure(here, options.rounds)
    return 0


def measure(here: Whole, rounds: int) -> None:
    """Apply everything, then plan changes and all of it."""
    terraform = applied(here)
    rng, found = random.Random(7), {}  # noqa: S311 - the same files every time
    scripts = len(list((here.root / "jobs").rglob("*.sql")))
    for count in (one for one in CHANGES if one <= scripts):
        edit(here, rng, count)
        runs = [here.run(FLINKFORM, "plan", "--since", "HEAD~1", "--json") for _ in range(rounds if count < 100 else 1)]
        said = json.loads(runs[0].said)
        # Nothing is applied in between: a stack may hold a job of an earlier change too.
        if len(said["items"]) < count:
            raise RuntimeError(f"expected a plan of {count} jobs, got {len(said['items'])}")
        found[count] = min(run.cpu for run in runs)
        sys.stderr.write(f"{count} changed: {found[count]:.2f} CPU s, {len(said['stacks'])} stacks\n")
        if count == 1:
            alone = min(bare(here, terraform, said["stacks"][0]["name"]) for _ in range(rounds))
            told("plan of 1 file beyond terraform's", 1, found[1], alone, beyond=round(found[1] - alone, 3))
    whole = here.run(FLINKFORM, "plan", "--at", "HEAD", "--json")
    jobs = len(list((here.root / "jobs").rglob("*.sql"))) + len(list((here.root / "jobs").rglob("*.jar.yaml")))
    for count, seconds in found.items():
        told(f"plan of {count} of all files", jobs, seconds, whole.cpu)


def applied(here: Whole) -> Terraform:
    """Make every job, and return terraform as it is run here."""
    here.run(sys.executable, "main.py")
    found = project.find(here.shell, start=here.root)
    build.install(found.home)
    terraform = Terraform(tools.terraform(here.shell).require(), {**here.shell, **shell.variables(found)})
    those = stacks.read(here.root / "cdktf.out")
    stacks.apply_all(terraform, those, found.home / "plans", lambda _: None)
    sys.stderr.write(f"{len(those)} stacks are applied; the control plane took {here.served():.1f} CPU s\n")
    return terraform


def edit(here: Whole, rng: random.Random, count: int) -> None:
    """Commit a change of so many scripts."""
    every = sorted((here.root / "jobs").rglob("*.sql"))
    for path in rng.sample(every, count):
        path.write_bytes(path.read_bytes() + b"\n-- tuned\n")
    here.git("commit", "-q", "-a", "-m", f"Tune {count}")


def bare(here: Whole, terraform: Terraform, name: str) -> float:
    """Return the CPU seconds of terraform's own plan of one stack."""
    folder = Path(here.shell["FLINKFORM_HOME"]) / "plan" / "dev" / "stacks" / name
    words = ("plan", "-input=false", "-no-color", "-lock=false", f"-out={os.devnull}")
    return Whole(here.root, dict(terraform.environment), 0).run(terraform.program, f"-chdir={folder}", *words).cpu


def told(name: str, size: int, candidate: float, floor: float, **more: Any) -> None:
    """Print a figure."""
    figure = {"benchmark": name, "n": size, "unit": "CPU s", "candidate": round(candidate, 3)}
    ratio = round(candidate / floor, 4)
    print(json.dumps({**figure, "floor": round(floor, 3), "ratio": ratio, **more}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
