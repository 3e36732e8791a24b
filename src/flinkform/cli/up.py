"""`flinkform up`: from the job files of this checkout to RUNNING, in one command."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flinkform.cli import project, removed, server, shell, stacks, status, synth, tools, validate
from flinkform.cli.leftover import Locks
from flinkform.cli.progress import Progress, Step
from flinkform.cli.project import Project
from flinkform.cli.stacks import Outcome, Stack, Terraform
from flinkform.cli.written import placed
from flinkform.controlplane import home
from flinkform.errors import FlinkformError
from flinkform.provider import build

_PATIENCE = 120
_TROUBLED = 15
"""Seconds to wait for jobs that fail and are started again, all of those that are left."""
_ON_ITS_WAY = {"STARTING", "CANCELLING"}


def run(options: argparse.Namespace) -> int:
    """Set up, synthesise, plan, apply, and show the jobs."""
    here, progress = project.checkout(), Progress()
    program, _ = tools.terraform(here.shell).require(), tools.node(here.shell).require()
    home.prepare(here.home)
    with progress.step("checking the job files") as step:
        step.result = validate.checked(here, step)
    with progress.step("control plane") as step:
        endpoint = server.ensure(here, step)
        status.read(here)  # a key that is not taken shall be an error of its own, not one of terraform's
        idle = server.wait_ready(endpoint, step)
        for reason in idle:
            step.say(f"no job can run: {reason}")
    with progress.step("installing the provider") as step:
        step.result = f"in {build.install(here.home)}"
    environment = {**here.shell, **shell.variables(here), **shell.provenance(here)}
    with progress.step("synthesising the stacks") as step:
        found = synth.synthesise(here, environment)
        step.result = f"{len(found)} stacks"
    with progress.step("planning and applying") as step:
        outcomes = _apply(here, Terraform(program, environment, Locks(here)), found, step)
        step.result = _summary(outcomes)
    with progress.step("waiting for the jobs") as step:
        jobs = settled(here, step, seconds=0 if idle else _PATIENCE)
        astray = _astray(jobs)
        step.result = f"{len(jobs['jobs']) - len(astray)} of {len(jobs['jobs'])} jobs are where they should be"
    _show(jobs, outcomes, as_json=options.json)
    for job in astray:
        sys.stderr.write(f"error: {_told(job, idle)}\n")
    return 1 if astray else 0


def _apply(here: Project, terraform: Terraform, found: tuple[Stack, ...], step: Step) -> tuple[Outcome, ...]:
    """Apply every stack, and destroy what the stacks have that an earlier `up` applied and the checkout lost."""
    names, gone = {stack.name for stack in found}, removed.emptied(here, found)
    for stack in gone:
        step.say(f"stack {stack.name} is in this checkout no longer: what it has is destroyed")
    removed.remember(here, removed.known(here) | names)
    try:
        outcomes = stacks.apply_all(terraform, (*gone, *found), here.home / "plans", step.say)
    except FlinkformError as error:
        raise placed(here, found, error) from error
    removed.remember(here, names)
    return outcomes


def _told(job: dict[str, str], idle: list[str]) -> str:
    """Return what is wrong with a job that is not where it should be, *idle* being why none can run."""
    name = f"{job['namespace']}/{job['name']}"
    why = job.get("trouble") or "; ".join(idle) or f"`flinkform logs {name}` may say why"
    return f"{name} should be {job['desired']} and is {job['state']}: {why}"


def settled(
    here: Project, step: Step, *, seconds: float = _PATIENCE, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Return the jobs once none of them is on its way any more, or *seconds* are over.

    Jobs that were there before this `up` (after a `down`, a crash) are nothing that Terraform waits for.
    """
    began, before = clock(), -1
    while True:
        found = status.read(here)
        moving = [job for job in found["jobs"] if job["state"] in _ON_ITS_WAY]
        left, hopeless = len(moving), all(job.get("trouble") for job in moving)
        if not left or clock() - began >= (min(seconds, _TROUBLED) if hopeless else seconds):
            return found
        if left != before:
            before = left
            step.say(f"{left} on their way")
        time.sleep(0.3)


def _astray(found: dict[str, Any]) -> list[dict[str, str]]:
    """Return the jobs that should run and do not; a batch job that finished has run."""
    return [j for j in found["jobs"] if j["desired"] == "running" and j["state"] not in {"RUNNING", "FINISHED"}]


def _summary(outcomes: tuple[Outcome, ...]) -> str:
    changed = [o for o in outcomes if o.changed]
    if not changed:
        return "no changes, everything is as the files say"
    total = [sum(getattr(o, n) for o in changed) for n in ("add", "change", "destroy")]
    return f"{total[0]} added, {total[1]} changed, {total[2]} destroyed in {len(changed)} of {len(outcomes)} stacks"


def _show(found: dict[str, Any], outcomes: tuple[Outcome, ...], *, as_json: bool) -> None:
    changed = any(o.changed for o in outcomes)
    if as_json:
        print(json.dumps({**status.told(found), "changed": changed, "stacks": [asdict(o) for o in outcomes]}))
        return
    flinkform = os.path.relpath(Path(sys.executable).with_name("flinkform"))
    print(f"\n{status.text(found)}\n")
    print(f"{'Applied.' if changed else 'Nothing changed.'} What to type next:")
    commands = (
        (f"{flinkform} status", "the jobs again"),
        (f"{flinkform} logs NAMESPACE/NAME --follow", "what a job says"),
        (f'eval "$({flinkform} env)"', "then plain terraform -chdir=cdktf.out/stacks/STACK plan"),
        (f"{flinkform} up", "after an edit of a file in jobs/"),
        (f"{flinkform} down", "stop everything; nothing is lost"),
    )
    wide = max(len(command) for command, _ in commands) + 2
    for command, what in commands:
        print(f"  {command:{wide}}{what}")
