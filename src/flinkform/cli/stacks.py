"""Terraform over the synthesised stacks: in the order they need one another, two at a time."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from flinkform.cli import boxes
from flinkform.cli.leftover import Locks, Note
from flinkform.errors import Conflict, FlinkformError, Interrupted, Invalid
from flinkform.release import renames

_AT_ONCE = 2
_COUNTS = re.compile(r"Plan: (?:\d+ to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy")
_DONE = re.compile(r"^(\S+): (Creation|Modifications|Destruction) complete after")
_WAITS = "Acquiring state lock."
"""What terraform says when a lock is not to be had at once."""
_CHANGED = 2
"""What `plan -detailed-exitcode` ends with where there is something to do."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A folder with a `cdk.tf.json`, and the stacks that have to be applied before it."""

    name: str
    folder: Path
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply of one stack did."""

    name: str
    add: int = 0
    change: int = 0
    destroy: int = 0

    @property
    def changed(self) -> bool:
        return bool(self.add or self.change or self.destroy)


@dataclass(frozen=True, slots=True)
class Terraform:
    """The terraform program with the environment every call of it gets; once *stopped* none begins any more."""

    program: str
    environment: Mapping[str, str]
    locks: Locks | None = None
    stopped: Event = field(default_factory=Event)

    def run(
        self,
        stack: Stack,
        *words: str,
        ok: tuple[int, ...] = (0,),
        seen: Callable[[str], None] | None = None,
        note: Note | None = None,
    ) -> tuple[int, str]:
        """Return exit code and output; raises FlinkformError with terraform's own words for any code not in *ok*.

        The error is `at` the stack and the addresses that terraform names. With *note* a lock that it takes and
        does not give back is found again.
        """
        if self.stopped.is_set():
            raise Interrupted(f"stopped before terraform {words[0]} of stack {stack.name}")
        command = [self.program, _folder(stack), *words]
        lines: list[str] = []
        began = time.time()
        with subprocess.Popen(
            command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            if note:
                note.write(process.pid, began)
            for line in process.stdout or ():
                lines.append(line)
                if seen and (told := _told(stack, line)):
                    seen(told)
                if note and line.startswith(_WAITS):
                    note.forget()  # whose lock there is from now on cannot be told
        text = "".join(lines)
        if note and process.returncode >= 0 and boxes.KEPT not in text:
            note.forget()
        if process.returncode not in ok:
            raise boxes.failure(stack.name, words[0], text)
        return process.returncode, text


def read(out: Path) -> tuple[Stack, ...]:
    """Return the stacks of a synthesised app; raises Invalid where there are none."""
    try:
        manifest = json.loads((out / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise Invalid(f"{out} holds no synthesised stacks: {error}", advice="run `python main.py`") from error
    return tuple(
        Stack(name, out / "stacks" / name, tuple(stack.get("dependencies", ())))
        for name, stack in sorted(manifest["stacks"].items())
    )


def apply_all(
    terraform: Terraform, stacks: tuple[Stack, ...], plans: Path, say: Callable[[str], None]
) -> tuple[Outcome, ...]:
    """Apply every stack whose plan is not empty; stop after the round in which one fails, naming each that did."""
    done: dict[str, Outcome] = {}
    left = list(stacks)
    plans.mkdir(mode=0o700, parents=True, exist_ok=True)
    while left:
        ready = [s for s in left if set(s.after) <= done.keys()]
        if not ready:
            raise Invalid(f"stacks need one another in a circle: {', '.join(s.name for s in left)}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            runs = {s.name: pool.submit(apply, terraform, s, plans / f"{s.name}.tfplan", say) for s in ready}
            _finish(runs.values(), terraform, say)
        failed = [e for r in runs.values() if isinstance(e := r.exception(), FlinkformError)]
        if failed:
            advice = "what was applied stays as it is; mend this and run `flinkform up` again"
            parts = [part for error in failed for part in error.parts or (error,)]
            raise FlinkformError("\n\n".join(map(str, failed)), advice=advice, parts=parts)
        done |= {name: r.result() for name, r in runs.items()}
        left = [s for s in left if s.name not in done]
    return tuple(done[s.name] for s in stacks)


def _finish(runs: Collection[Future[Outcome]], terraform: Terraform, say: Callable[[str], None]) -> None:
    """Wait for *runs*. After Ctrl-C nothing new begins; what runs had the signal too, and ends in order.

    Raises KeyboardInterrupt only when that is so: whoever leaves earlier kills a terraform at work.
    """
    try:
        wait(runs)
    except KeyboardInterrupt:
        terraform.stopped.set()
        say("stopping: what terraform has begun comes to its end")
        wait(runs)
        raise


def apply(
    terraform: Terraform,
    stack: Stack,
    plan: Path,
    say: Callable[[str], None],
    *,
    only: Collection[str] = (),
    check: Callable[[Stack, Path], None] | None = None,
) -> Outcome:
    """Initialise, plan, and apply the plan unless it is empty.

    *only* are addresses where not all of the stack is meant; *check* looks at the plan, and raises what forbids it.
    """
    note = Note(plan.with_suffix(".run"))
    initialise(terraform, stack)
    recover(terraform, stack, note, say)
    common = ("-input=false", "-no-color", "-lock-timeout=60s")
    try:
        targets = (f"-target={address}" for address in sorted(only))
        words = ("plan", *common, "-detailed-exitcode", f"-out={plan}", *targets)
        code, text = terraform.run(stack, *words, ok=(0, _CHANGED), seen=say, note=note)
        if code != _CHANGED:
            return Outcome(stack.name)
        if check:
            check(stack, plan)
        counts = _COUNTS.search(text)
        outcome = Outcome(stack.name, *(int(n) for n in counts.groups())) if counts else Outcome(stack.name, change=1)
        if outcome.add and outcome.destroy:
            _renamed(terraform, stack, plan)
        say(f"stack {stack.name}: {outcome.add} to add, {outcome.change} to change, {outcome.destroy} to destroy")
        terraform.run(stack, "apply", *common, str(plan), seen=say, note=note)
        return outcome
    finally:
        # A plan file holds every value of the stack.
        plan.unlink(missing_ok=True)


def shown(terraform: Terraform, stack: Stack, file: Path) -> Mapping[str, Any]:
    """Return a plan as Terraform shows it; an empty one where it kept none."""
    if not file.exists():
        return {}
    _, text = terraform.run(stack, "show", "-json", "-no-color", str(file))
    # What terraform warns of stands before the document.
    start = next((line for line in text.splitlines() if line.startswith("{")), "{}")
    found: Mapping[str, Any] = json.loads(start)
    return found


def _renamed(terraform: Terraform, stack: Stack, plan: Path) -> None:
    """Raise Conflict where a plan removes a job and makes the same one under another name."""
    found = renames.refused(shown(terraform, stack, plan).get("resource_changes", ()))
    if found:
        parts = [Conflict(message, at=(stack.name, address)) for address, message in found.items()]
        raise Conflict("\n".join(str(part) for part in parts), parts=parts)


def recover(terraform: Terraform, stack: Stack, note: Note, say: Callable[[str], None]) -> None:
    """Bring in order what the last run could not, because it or the control plane was killed: its lock, its state."""
    began = note.died(_folder(stack))
    if began is not None and terraform.locks:
        if whose := terraform.locks.release(stack.folder, began):
            say(f"stack {stack.name}: gave back the lock of a run that was killed, {whose}")
        note.forget()
    lost = stack.folder / "errored.tfstate"
    if lost.exists():
        try:
            terraform.run(stack, "state", "push", "-lock-timeout=60s", lost.name)
        except FlinkformError as error:
            advice = f"compare it with the state that is kept, and delete it if that one is right: {lost}"
            raise FlinkformError(
                f"the last run's state is not the next one\n{error}", at=error.at, advice=advice
            ) from error
        lost.unlink()
        say(f"stack {stack.name}: kept the state that the last run could not")


def initialise(terraform: Terraform, stack: Stack) -> None:
    """Run `init` unless the stack was initialised for this backend and this very provider already."""
    stamp = stack.folder / ".terraform" / "flinkform.stamp"
    wanted = _fingerprint(terraform, stack)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    (stack.folder / ".terraform.lock.hcl").unlink(missing_ok=True)
    terraform.run(stack, "init", "-input=false", "-no-color", "-reconfigure")
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)


def _fingerprint(terraform: Terraform, stack: Stack) -> str:
    """Return what an `init` depends on: terraform block, mirror, program."""
    block = json.loads((stack.folder / "cdk.tf.json").read_text()).get("terraform", {})
    rc = Path(terraform.environment["TF_CLI_CONFIG_FILE"])
    parts = [json.dumps(block, sort_keys=True), terraform.program, rc.read_text()]
    parts += [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(rc.parent.glob("mirror/**/terraform-provider-*"))
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _folder(stack: Stack) -> str:
    return f"-chdir={stack.folder}"


def _told(stack: Stack, line: str) -> str:
    """Return what a line of output means to a person who waits, '' for nothing."""
    if line.startswith(_WAITS):
        return f"stack {stack.name}: somebody holds the lock of its state; waiting up to a minute"
    done = _DONE.match(line)
    return f"{done[1]} {done[2].lower()} complete" if done else ""
