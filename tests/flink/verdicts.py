"""Every edit of the table on real Flink, as Flink alone takes it and as we do: what is kept of the state, in figures.

`make verdicts` runs it. An operator counts where the savepoint of the old job holds state of it, and as kept where the
edited job's own checkpoint does under the same id.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flinkform.errors import FlinkformError
from flinkform.flink import checkpoints
from flinkform.flink.contents import _states
from flinkform.flink.gateway import Thrown
from flinkform.flink.match import match
from flinkform.flink.plan import Plan
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.values import Phase, Submission
from flinkform.flink.verdict import Fate, judged
from tests.flink.edits import EDITS, Edit
from tests.flink.waiting import until

AT_ONCE = 4
CHECKPOINTS = 2
"""How many an old job completes before it is stopped: a second's worth, windows under way among them."""
Ids = frozenset[str]


@dataclass(frozen=True, slots=True)
class Taken:
    """How an edited job began: *refused* by Flink with its state, or how many operators have theirs."""

    began: bool
    kept: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One edit: the operators that had state, and what plain Flink, the same told to leave state alone, and we kept."""

    name: str
    verdict: str
    cautious: str
    plain_state: int
    plain: Taken
    lenient: Taken
    state: int
    ours: Taken
    promised: int
    """How many operators with state the verdict says are kept."""

    @property
    def confused(self) -> bool:
        """Plain Flink took state over for an operator that computes something else, and says nothing."""
        return self.plain.began and self.promised < self.state and not self.cautious and self.plain.kept > self.promised

    def right(self, taken: Taken) -> int:
        """How many operators have their own state, as far as we can tell."""
        return min(taken.kept, self.promised) if self.confused else taken.kept

    @property
    def wrong(self) -> bool:
        """We kept something else than was said, or could not begin at all."""
        return not self.ours.began or self.ours.kept != self.promised


@dataclass(frozen=True, slots=True)
class Old:
    """A script that ran and was stopped: as it is written, and under its plan."""

    plan: Plan
    plain: str
    planned: str


class Bench:
    """Runs scripts on one Flink; each old one once."""

    def __init__(self, flink: Embedded, folder: Path) -> None:
        self._flink = flink
        self._folder = folder
        self._gateway = flink.gateway()

    def compile(self, script: str) -> Plan:
        plan = self._flink.compile(script, {}, name="edit", batch=False)
        assert plan
        return plan

    def old(self, script: str) -> Old:
        plan = self.compile(script)
        return Old(plan, self._stopped(script), self._stopped(script, plan=plan.flink()))

    def row(self, edit: Edit, old: Old) -> Row:
        _, script = edit.scripts
        found = match(old.plan, self.compile(script))
        said = judged(old.plan, found)
        plain, ours = self.ids(old.plain), self.ids(old.planned)
        dropping = any(o.fate is Fate.DROPPED for o in said.operators)
        strict = self._taken(script, plain, restore=old.plain)
        lenient = strict if strict.began else self._taken(script, plain, restore=old.plain, allow_non_restored=True)
        kept = {str(o.id) for o in said.operators if o.fate is Fate.KEPT}
        new = found.plan.flink()
        mine = self._taken(script, ours, restore=old.planned, plan=new, allow_non_restored=dropping)
        held = {one.partition("_")[0] for one in ours}
        return Row(
            edit.name, said.outcome, edit.cautious, len(plain), strict, lenient, len(ours), mine, len(kept & held)
        )

    def ids(self, location: str) -> Ids:
        """The operators with state: by uid where they have one, else by the hash that Flink gives them."""
        read: list[Ids] = []

        def look() -> bool:
            """A checkpoint that is just being written cannot be read yet."""
            with suppress(Thrown), self._gateway.answering():
                found = _states(self._gateway, location)
                read.append(
                    frozenset(str(one.getOperatorUid().orElse("")) or str(one.getOperatorID()) for one in found)
                )
            return bool(read)

        until(look, seconds=20)
        return read[0]

    def _taken(self, script: str, before: Ids, **how: Any) -> Taken:
        job = self._job(script, **how)
        try:
            self._flink.submit(job)
            until(lambda: self._ended(job) or checkpoints.newest(job.checkpoint_dir, job.id), seconds=60)
            if self._ended(job):
                why = self._flink.failure(job.id)
                return Taken(began=False, kept=0, why=why.reason if why else "it ended")
            place = checkpoints.newest(job.checkpoint_dir, job.id)
            after = self.ids(place or "")
        except FlinkformError as error:
            return Taken(began=False, kept=0, why=str(error))
        finally:
            self._flink.cancel(job.id)
        return Taken(began=True, kept=len(before & after))

    def _stopped(self, script: str, **how: Any) -> str:
        job = self._job(script, **how)
        self._flink.submit(job)
        folder = f"{job.checkpoint_dir}/{job.id}"
        until(lambda: self._ended(job) or max(checkpoints.numbers(folder), default=0) >= CHECKPOINTS)
        assert not self._ended(job), self._flink.failure(job.id)
        trigger = self._flink.savepoint(job.id, job.savepoint_dir, stop=True)
        until(lambda: self._flink.savepoint_status(job.id, trigger).done)
        status = self._flink.savepoint_status(job.id, trigger)
        assert status.location, status.error
        return status.location

    def _job(self, script: str, **how: Any) -> Submission:
        name = uuid.uuid4().hex
        place = str(self._folder / name)
        once = {"restart-strategy.type": "none", "execution.checkpointing.interval": "500 ms"}
        once["execution.checkpointing.num-retained"] = "50"  # the newest one is read, so it must not go meanwhile
        return Submission(name, "edit", script, f"{place}/checkpoints", f"{place}/savepoints", options=once, **how)

    def _ended(self, job: Submission) -> bool:
        seen = self._flink.observe().get(job.id)
        return bool(seen and seen.state.final and seen.state is not Phase.CANCELED)


def run(flink: Embedded, folder: Path, edits: Sequence[Edit], say: Callable[[Row], None]) -> list[Row]:
    """All rows, in the order of the edits; a few scripts run at once."""
    bench = Bench(flink, folder)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        scripts = list(dict.fromkeys(edit.scripts[0] for edit in edits))
        olds = dict(zip(scripts, pool.map(bench.old, scripts), strict=True))
        rows = []
        for row in pool.map(lambda edit: bench.row(edit, olds[edit.scripts[0]]), edits):
            rows.append(row)
            say(row)
    return rows


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures: shares are of all operators that had state before."""
    plain, ours = sum(row.plain_state for row in rows), sum(row.state for row in rows)
    cautious = [row.name for row in rows if row.cautious]
    return {
        "edits": len(rows),
        "operators with state": ours,
        "flinkform began": sum(row.ours.began for row in rows),
        "flinkform kept": _share(sum(row.ours.kept for row in rows), ours),
        "plain Flink began": sum(row.plain.began for row in rows),
        "plain Flink kept": _share(sum(row.right(row.plain) for row in rows), plain),
        "plain Flink took for something else": [row.name for row in rows if row.confused],
        "plain Flink, told to leave state alone, began": sum(row.lenient.began for row in rows),
        "plain Flink, told to leave state alone, kept": _share(sum(row.right(row.lenient) for row in rows), plain),
        "verdicts": dict(Counter(str(row.verdict) for row in rows)),
        "over-cautious verdicts": _share(len(cautious), len(rows)),
        "over-cautious": cautious,
        "wrong verdicts": [row.name for row in rows if row.wrong],
    }


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / (whole or 1):.1%})"


def main() -> int:
    """Run every edit, or those whose name has a word; 1 if anything was kept otherwise than was said."""
    parser = argparse.ArgumentParser(prog="python -m tests.flink.verdicts", description=__doc__)
    parser.add_argument("words", nargs="*", help="run those edits alone whose name has one of these in it")
    parser.add_argument("--json", action="store_true", help="print the figures and every row as one object")
    given = parser.parse_args()
    edits = [edit for edit in EDITS if not given.words or any(word in edit.name for word in given.words)]
    folder = Path(tempfile.mkdtemp(prefix="verdicts-"))
    java = Path(shutil.which("java") or "java")
    flink = Embedded(Settings(home=folder / "flink", java=java, slots=40))
    flink.start()
    try:
        rows = run(flink, folder / "state", edits, _say)
    finally:
        flink.stop()
        shutil.rmtree(folder, ignore_errors=True)
    figures = summary(rows)
    if given.json:
        print(json.dumps({**figures, "rows": [asdict(row) for row in rows]}))
    else:
        print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 1 if figures["wrong verdicts"] else 0


def _say(row: Row) -> None:
    def told(taken: Taken, state: int) -> str:
        return f"{taken.kept}/{state}" if taken.began else f"no ({taken.why[:60]})"

    mine = told(row.ours, row.state)
    line = f"{row.name}: {row.verdict}, kept {mine}; plain Flink {told(row.plain, row.plain_state)}"
    if not row.plain.began:
        line += f", then {told(row.lenient, row.plain_state)}"
    sys.stderr.write(line + (" WRONG" if row.wrong else "") + (" CONFUSED" if row.confused else "") + "\n")


if __name__ == "__main__":
    sys.exit(main())
