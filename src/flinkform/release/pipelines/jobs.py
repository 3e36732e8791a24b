"""The one declaration of what a pipeline does: its jobs, the lines of shell each runs, and what it hands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flinkform.jobfile import Settings

HEAD = "Written by `flinkform ci`; do not edit: `ci:` in flinkform.yaml says what differs."
SECRETS = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
ENDPOINT = "FLINKFORM_ENDPOINT"


@dataclass(frozen=True, slots=True)
class Job:
    """A job: *change* is for merge requests, every other one for what was merged.

    *key* names the variable that holds the path of a private key; *asks* is a job that a person has to start, and
    that alone gets that key. *takes* and *gives* are files from and for other jobs.
    """

    name: str
    lines: tuple[str, ...]
    change: bool = False
    environment: str = ""
    key: str = ""
    asks: bool = False
    needs: str = ""
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    pushes: bool = False


def setup(settings: Settings) -> tuple[str, ...]:
    """Return the lines that every job begins with."""
    branch = settings.branch
    return (
        "python -m pip install --quiet -r requirements.txt",
        "flinkform doctor --install",
        f'git fetch --quiet origin "+refs/heads/{branch}:refs/remotes/origin/{branch}"',
    )


def jobs(settings: Settings, approvals: Mapping[str, int]) -> tuple[Job, ...]:
    """Return the check of a change, and for each environment release, approval and apply, one after another."""
    return (_check(settings), *_releases(settings, approvals))


def _check(settings: Settings) -> Job:
    """Return the check of a change against every environment: what the planner said once is remembered."""
    since = f"--since origin/{settings.branch}"
    lines, files = list[str](), list[str]()
    for name in settings.environments:
        there, reports = f"FLINKFORM_ENVIRONMENT={name}", (f"validate-{name}.sarif", f"validate-{name}.xml")
        written = f"--format sarif --out {reports[0]} --format junit --out {reports[1]}"
        lines += [f"{there} flinkform validate {since} {written}"]
        lines += [f"{there} flinkform plan {since} --markdown > plan-{name}.md"]
        files += [*reports, f"plan-{name}.md"]
    return Job("check", tuple(lines), change=True, gives=tuple(files))


def _releases(settings: Settings, approvals: Mapping[str, int]) -> Iterator[Job]:
    before = ""
    for name in settings.environments:
        file = f"release-{name}.json"
        # A release of nothing is an empty file, so that the next job always has one to take.
        made = (f": > {file}", f"flinkform release --if-changed --out {file}")
        key = "FLINKFORM_SIGNING_KEY"
        yield Job(f"release-{name}", (*_signing(key), *made), environment=name, key=key, needs=before, gives=(file,))
        before = f"release-{name}"
        if approvals.get(name):
            key = "FLINKFORM_APPROVAL_KEY"
            lines = (*_signing(key), f"test ! -s {file} || flinkform approve {file}")
            yield Job(f"approve-{name}", lines, False, name, key, True, before, (file,), (file,))
            before = f"approve-{name}"
        lines = (f"test ! -s {file} || flinkform apply {file}",)
        yield Job(f"apply-{name}", lines, environment=name, needs=before, takes=(file,), pushes=True)
        before = f"apply-{name}"


def _signing(key: str) -> tuple[str, ...]:
    return (
        f'chmod 600 "${key}"',
        "git config gpg.format ssh",
        f'git config user.signingkey "${key}"',
        "git config user.name flinkform",
        "git config user.email flinkform@localhost",
    )
