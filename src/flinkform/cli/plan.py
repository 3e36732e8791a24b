"""`flinkform plan`: what a commit, or a change of it, does to every job, before anything is touched."""

from __future__ import annotations

import argparse
import json

from flinkform.cli import planning, project, shell, tools
from flinkform.cli.progress import Progress, counted
from flinkform.cli.project import Project
from flinkform.cli.stacks import Terraform
from flinkform.controlplane import home
from flinkform.errors import Invalid
from flinkform.provider import build
from flinkform.release import report
from flinkform.release.review import Review


def run(options: argparse.Namespace) -> int:
    """Print the plan; 1 where something in it is refused."""
    if options.limit < 1000:
        raise Invalid(f"expected a --limit of at least 1000, got {options.limit}")
    here = project.checkout()
    found = made(here, planning.wanted(here, at=options.at, since=options.since), Progress())
    if options.json:
        print(json.dumps(report.document(found)))
    elif options.markdown:
        print(report.markdown(found, limit=options.limit), end="")
    else:
        print(report.text(found))
    return 1 if any(item.refused for item in found.items) else 0


def made(here: Project, what: planning.Wanted, progress: Progress) -> Review:
    """Return the plan of *what*, with a step shown for each thing that takes time."""
    if what.empty:
        return Review(here.environment, what.commit, what.since, (), ())
    with progress.step("planning") as step:
        if what.selection:
            step.say(f"{counted(len(what.selection.jobs), 'job')} since {what.since[:12]}")
        found = planning.review(here, terraform(here), what, step)
        step.result = f"{counted(len(found.items), 'change')} in {counted(len(found.stacks), 'stack')}"
    return found


def terraform(here: Project) -> Terraform:
    """Return terraform, ready for the stacks of this checkout; Unavailable where there is no control plane."""
    program = tools.terraform(here.shell).require()
    tools.node(here.shell).require()
    here.login()
    home.prepare(here.home)
    build.install(here.home)
    return Terraform(program, {**here.shell, **shell.variables(here)})
