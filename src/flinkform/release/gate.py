"""Whether a release may be applied: each thing that forbids it has its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flinkform import jobfile
from flinkform.errors import Conflict, Denied, FlinkformError, Invalid
from flinkform.jobfile import Environment, owners
from flinkform.jobfile.owners import Ask, Codeowners
from flinkform.release import signature
from flinkform.release.document import Release, Sealed, differing
from flinkform.release.git import Repository
from flinkform.release.review import Item
from flinkform.release.select import ENVIRONMENTS, JOBS
from flinkform.release.signature import Signer
from flinkform.release.tree import CommitTree, below

SIGNERS = f"{ENVIRONMENTS}/signers"
_LIMIT = 1 << 20
_HOURS = 24.0
_DURATION = re.compile(r"(\d+)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Rules:
    """What an environment asks of its releases, as the released commit has it."""

    approvals: int = 0
    branch: str = ""
    hours: float = _HOURS
    canary: tuple[str, ...] = ()
    window: float = 0.0
    """Seconds that the jobs of a wave have to be healthy."""
    signers: str = ""
    owners: Codeowners = field(default_factory=Codeowners)


def rules(repository: Repository, commit: str, environment: str) -> Rules:
    """Return the rules of *environment*; NotFound where the commit has no such environment."""
    entries = repository.tree(commit)
    with repository.objects() as objects:
        folder = CommitTree(objects, below(entries, ENVIRONMENTS), ENVIRONMENTS)
        found = jobfile.environment_in(folder, environment)
        whole = CommitTree(objects, entries, "")
        text = {path: whole.read(path, _LIMIT).decode() for path in (SIGNERS, *owners.PLACES) if path in entries}
    place = next((path for path in owners.PLACES if path in text), None)
    return _rules(found, text.get(SIGNERS, ""), owners.parse(text[place] if place else ""))


def _rules(found: Environment, signers: str, code: Codeowners) -> Rules:
    said = found.release
    return Rules(
        approvals=int(said.get("approvals") or 0),
        branch=str(said.get("branch") or ""),
        hours=duration(str(said["expires"])) / 3600 if said.get("expires") else _HOURS,
        canary=tuple(said.get("canary") or ()),
        window=duration(str(said["window"])) if said.get("window") else 0.0,
        signers=signers,
        owners=code,
    )


def duration(text: str) -> float:
    """Return the seconds of a duration such as `1h30m`."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def admit(sealed: Sealed, asked: Rules, repository: Repository, *, environment: str, now: datetime) -> Signer:
    """Return who signed a release that may be applied; raises what forbids it, before anything is asked of a server."""
    release = sealed.release
    if release.environment != environment:
        raise Conflict(
            f"the release is for {release.environment}, and this is {environment}",
            advice=f"set FLINKFORM_ENVIRONMENT={release.environment}, or bring it here with `flinkform promote`",
            code="other-environment",
        )
    if not sealed.signature:
        advice = "make it anew with `flinkform release`, which signs it"
        raise Denied("the release is not signed", advice=advice, code="unsigned")
    signer = signature.verify(repository.shell, asked.signers, release.content, sealed.signature, signature.RELEASE)
    if now >= datetime.fromisoformat(release.expires):
        advice = "plan again, and make another"
        raise Denied(f"the release has expired at {release.expires}", advice=advice, code="expired")
    if asked.branch:
        _merged(repository, release, asked.branch)
    missing = tuple(lacking(release, asked, approvers(sealed, asked, repository, signer)))
    if missing:
        told = "the release lacks approvals\n" + "\n".join(missing)
        raise Denied(told, advice="`flinkform approve` adds one", code="unapproved")
    return signer


def approvers(sealed: Sealed, asked: Rules, repository: Repository, signer: Signer) -> tuple[Signer, ...]:
    """Return who approved a release, each once; whoever made it does not count, under no other key either."""
    found: dict[str, Signer] = {}
    for one in sealed.approvals:
        who = signature.verify(repository.shell, asked.signers, sealed.release.content, one, signature.APPROVAL)
        if who.key != signer.key and not {_person(who)} & {_person(signer)}:
            found.setdefault(_person(who), who)
    return tuple(found.values())


def lacking(release: Release, asked: Rules, found: Iterable[Signer]) -> Iterator[str]:
    """Yield a line for each change that too few of its owners have approved."""
    if not asked.approvals:
        return
    names = [{name.casefold() for name in one.names} for one in found]
    told: set[str] = set()
    for item in release.items:
        path = f"{JOBS}/{item['path']}" if item["path"] else f"{ENVIRONMENTS}/{release.environment}.yaml"
        for ask in asked.owners.asks(path) or (Ask(()),):
            line = _lacking(path, ask, names, asked.approvals)
            if line and line not in told:
                told.add(line)
                yield line


def _lacking(path: str, ask: Ask, names: list[set[str]], approvals: int) -> str:
    count = max(ask.count, approvals)
    mine = {owner.casefold() for owner in ask.owners}
    got = sum(1 for one in names if not mine or mine & one)
    if got >= count:
        return ""
    whose = f"of {' '.join(ask.owners)}" if ask.owners else "of anybody"
    section = f" ({ask.section})" if ask.section else ""
    return f"{path}{section}: expected {count} {whose}, got {got}"


def unchanged(release: Release, states: Mapping[str, Mapping[str, Any]], *, again: bool = False) -> None:
    """Raise Conflict unless each state is the one, at the serial, that the release was made for.

    *again*: a part of it was carried out already, which moved the serials on.
    """
    for stack in release.stacks:
        name, now = stack["name"], states.get(stack["name"], {})
        if again and stack["lineage"] in ("", str(now.get("lineage", ""))):
            continue
        if str(now.get("lineage", "")) != stack["lineage"]:
            raise Conflict(
                f"the release is for another state of {name}, of lineage {stack['lineage'] or 'none'}",
                advice="plan again, and make another release",
                code="other-state",
            )
        if int(now.get("serial", 0)) != stack["serial"]:
            raise Conflict(
                f"the state of {name} has moved on: expected serial {stack['serial']}, got {now.get('serial')}",
                advice="plan again, and make another release",
                code="moved-on",
            )


def same(release: Release, changes: Mapping[tuple[str, str], str]) -> None:
    """Raise Conflict unless a plan made now changes the very same things in the same way."""
    expected = release.changes()
    if dict(changes) == expected:
        return
    names = ([f"{stack}/{address}" for stack, address in one] for one in (expected, changes))
    advice = "plan again, and make another release"
    raise Conflict(f"the plan is another one by now: {differing(*names)}", advice=advice, code="other-plan")


def within(release: Release, planned: Iterable[Item], *, again: bool) -> None:
    """Raise Conflict where a plan has in mind what the release has not.

    *again*: a part of it was carried out already, so that what is half made may be made anew; nothing but what shall
    go is removed.
    """
    known = {(one["stack"], one["address"]): one["action"] for one in release.items}
    for item in planned:
        wanted = known.get((item.stack, item.address))
        fits = again and wanted and (item.action == "delete") == (wanted == "delete") and not item.refused
        if item.action != wanted and not fits:
            said = f" ({item.refused})" if item.refused else ""
            raise Conflict(
                f"the plan is another one by now: {item.name} would be changed by {item.action}{said}",
                advice="plan again, and make another release",
                code="other-plan",
            )


def follows(release: Release, before: Mapping[str, Any]) -> None:
    """Raise Conflict where a release before it did not come to its end in a stack that this one leaves as it is.

    *before* is what the ledger has of that one.
    """
    if left := sorted(set(before.get("stacks", ())) - {one["name"] for one in release.stacks}):
        raise Conflict(
            f"{before['release']} did not come to its end, and this release leaves {', '.join(left)} as it is",
            advice="apply that one again, or make a release without --since",
            code="unfinished",
        )


def _merged(repository: Repository, release: Release, branch: str) -> None:
    """Raise Denied unless the released commit is in the history of *branch*, the remote's where there is one."""
    for name in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
        try:
            tip = repository.resolve(name)
        except FlinkformError:
            continue
        if repository.descends(tip, release.commit):
            return
        raise Denied(f"the commit {release.commit[:12]} is not in {name}", advice="merge it first", code="unmerged")
    raise Invalid(f"there is no branch {branch} here", advice=f"git fetch origin {branch}")


def _person(who: Signer) -> str:
    return str(who).casefold()
