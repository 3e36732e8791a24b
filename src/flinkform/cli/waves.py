"""The waves of a release: which of its changes go first, and what Terraform may do in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flinkform.cli import health, planning, stacks
from flinkform.cli.planning import Wanted
from flinkform.cli.progress import Pace, Progress, counted
from flinkform.cli.project import Project
from flinkform.cli.stacks import Outcome, Stack, Terraform
from flinkform.errors import FlinkformError
from flinkform.jobfile.globs import matches
from flinkform.release import gate
from flinkform.release.document import Release
from flinkform.release.gate import Rules
from flinkform.release.review import items

_COMPLETE = " complete"
"""What a line about a change that Terraform has carried out ends with."""


@dataclass(frozen=True, slots=True)
class Run:
    """A release that is carried out; *again* where an earlier run of it did not come to its end."""

    here: Project
    terraform: Terraform
    what: Wanted
    release: Release
    rules: Rules
    again: bool = False
    still: Callable[[], None] = lambda: None
    """Raises what forbids to go on."""

    def carry_out(self, progress: Progress) -> list[Outcome]:
        """Apply the canaries, then the rest; after each wave its jobs have to be well for a while."""
        waves, outcomes = tuple(chosen(self.release, self.rules)), list[Outcome]()
        pace = Pace(len(self.release.items))
        with (
            progress.step("synthesising the stacks") as step,
            planning.synthesised(self.here, self.terraform, self.what, step) as found,
        ):
            those = planning.chosen(self.here, self.what, found)
        for number, (only, names) in enumerate(waves, 1):
            with progress.step(f"wave {number} of {len(waves)}, {counted(len(names), 'change')}") as step:
                try:
                    outcomes += self._applied(those, _needing(only, those), partial(_paced, pace, step.say))
                except FlinkformError as error:
                    raise _advised(error) from error
                health.watch(self.here, names, self.rules.window, step)
                step.result = "healthy"
        return outcomes

    def _applied(
        self, those: tuple[Stack, ...], only: Mapping[str, set[str]], say: Callable[[str], None]
    ) -> Iterator[Outcome]:
        """Apply each stack of a wave after those it needs."""
        left = [stack for stack in those if not only or stack.name in only]
        # A stack has the same name in every environment.
        plans = self.here.home / "plans" / self.here.environment
        plans.mkdir(mode=0o700, parents=True, exist_ok=True)
        while left:
            waiting = {stack.name for stack in left}
            ready = next((stack for stack in left if not waiting & set(stack.after)), left[0])
            left.remove(ready)
            self.still()
            addresses = only.get(ready.name, ())
            plan = plans / f"{ready.name}.tfplan"
            yield stacks.apply(self.terraform, ready, plan, say, only=addresses, check=self._check)

    def _check(self, stack: Stack, file: Path) -> None:
        """Raise Conflict where a plan has in mind what the release has not."""
        planned = items(stack.name, stacks.shown(self.terraform, stack, file))
        gate.within(self.release, planned, again=self.again)


def chosen(release: Release, rules: Rules) -> Iterator[tuple[Mapping[str, set[str]], set[str]]]:
    """Yield each wave: addresses by stack, none for all that is left, and the names of its changes."""
    first = [one for one in release.items if any(matches(glob, one["path"]) for glob in rules.canary)]
    # Terraform plans a part of a stack only together with whatever is to be moved in it.
    with_them = {one["stack"] for one in first}
    first += [one for one in release.items if one.get("was") and one["stack"] in with_them and one not in first]
    rest = [one for one in release.items if one not in first]
    if first and rest:
        only: dict[str, set[str]] = {}
        for one in first:
            only.setdefault(one["stack"], set()).update(filter(None, (one["address"], one.get("was"))))
        yield only, {one["name"] for one in first}
    yield {}, {one["name"] for one in rest or first}


def _needing(only: Mapping[str, set[str]], those: tuple[Stack, ...]) -> Mapping[str, set[str]]:
    """Return the addresses by stack of a wave with the stacks that these need, which are applied whole."""
    after, wanted, left = {stack.name: stack.after for stack in those}, dict(only), list(only)
    while left:
        more = [name for name in after.get(left.pop(), ()) if name in after and name not in wanted]
        wanted |= {name: set() for name in more}
        left += more
    return wanted


def _advised(error: FlinkformError) -> FlinkformError:
    """Return a failure of Terraform's with what to do about it."""
    if error.advice:
        return error
    return FlinkformError(error.message, advice=health.ADVICE, at=error.at, parts=error.parts)


def _paced(pace: Pace, say: Callable[[str], None], line: str) -> None:
    """Say a line, one about a change that is done with how far all of them are."""
    say(f"{line} ({pace.more()})" if line.endswith(_COMPLETE) else line)
