"""Plans of the stacks that a change concerns: synthesised from a commit, planned by terraform, told for each job."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from flinkform.cli import api, foretold, named, removed, shell, synth
from flinkform.cli.progress import Step, counted
from flinkform.cli.project import Project
from flinkform.cli.stacks import Stack, Terraform, initialise, shown
from flinkform.cli.written import located
from flinkform.errors import FlinkformError
from flinkform.jobfile import job_path, shard
from flinkform.provider.job import question
from flinkform.release import renames
from flinkform.release.extract import extract
from flinkform.release.git import Repository
from flinkform.release.review import Item, Operator, Review, items
from flinkform.release.select import JOBS, How, Selection, select
from flinkform.resources.job import RESOURCE

_AT_ONCE = 2
_ASKED = 50
"""Jobs whose operators are asked for; of more the verdict in one word has to do."""
_PLACE = re.compile(r"  with \w+\.|  on .* line \d+|  *\d+: ")
_WORKSPACE = "workspace"
"""The stack that all others need; it is concerned only where the environment's workspace is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to plan: a commit or, where it is '', the checkout as it is; since another commit only what differs."""

    commit: str = ""
    since: str = ""
    selection: Selection | None = None
    release: str = ""
    """The release that it is planned for."""
    note: str = ""
    """What a person has to know who asked for less."""

    @property
    def teams(self) -> frozenset[str] | None:
        """The teams whose stacks are concerned, `None` for all."""
        chosen = self.selection
        return None if chosen is None or chosen.code else chosen.teams

    @property
    def empty(self) -> bool:
        return self.teams == frozenset() and not (self.selection and self.selection.workspace)


def wanted(here: Project, *, at: str, since: str) -> Wanted:
    """Return what the revisions name; of *since* it is the commit that both have in common that counts."""
    if not at and not since:
        return Wanted()
    repository = Repository.around(here.root, here.shell)
    commit = repository.resolve(at or "HEAD")
    if not since:
        return Wanted(commit)
    old = repository.base(repository.resolve(since), commit)
    if _untouched(here):
        return Wanted(commit, note=f"nothing was applied to {here.environment} yet: all is new, whatever {since} had")
    return Wanted(commit, old, select(repository, old, commit, environment=here.environment))


def _untouched(here: Project) -> bool:
    """Say whether the control plane keeps states, and none of this environment."""
    try:
        kept = api.call(here, "GET", "/flinkform/v1/states")["states"]
    except FlinkformError:
        return False
    return not any(one["version"] and one["address"].startswith(f"{here.environment}/") for one in kept)


def review(here: Project, terraform: Terraform, what: Wanted, step: Step) -> Review:
    """Return the plan of *what*; nothing is locked, written or started."""
    found = _reviewed(here, terraform, what, step)
    if what.teams is not None and (whole := _missed(here, what, found)):
        # Whoever composes stacks otherwise than a team each has more in one than was synthesised.
        step.say(f"stack {whole.stack} holds more than the teams that changed: planning all of them")
        return _reviewed(here, terraform, replace(what, selection=None), step)
    return found


def _missed(here: Project, what: Wanted, found: Review) -> Item | None:
    """Return a job that a plan removes though the commit has it."""
    gone = [item for item in found.jobs if item.action == "delete"]
    files = Repository.around(here.root, here.shell).tree(what.commit, JOBS) if gone else {}
    return next((item for item in gone if f"{JOBS}/{item.path}" in files), None)


def _reviewed(here: Project, terraform: Terraform, what: Wanted, step: Step) -> Review:
    with synthesised(here, terraform, what, step) as found:
        those = chosen(here, what, found)
        step.say(f"planning {counted(len(those), 'stack')}")
        with tempfile.TemporaryDirectory(prefix="flinkform-plan-") as folder:
            rows = _planned(terraform, those, Path(folder), step.say)
    told = tuple(located(here, item, what.commit) for item in _asked(here, rows))
    return Review(
        environment=here.environment,
        commit=what.commit,
        since=what.since,
        stacks=tuple(stack.name for stack in those),
        items=tuple(sorted(told, key=lambda one: (one.stack, one.kind, one.name))),
        notes=(*_notes(here, what), *renames.notes(row for _, row in rows)),
        serials=serials(here, {stack.name for stack in those}),
    )


@contextmanager
def synthesised(here: Project, terraform: Terraform, what: Wanted, step: Step) -> Iterator[tuple[Stack, ...]]:
    """Yield the stacks of *what*. They stay where they are between plans, so that each is initialised once."""
    environment = {**terraform.environment, **shell.provenance(here, what.commit, what.release)}
    if not what.commit:
        yield synth.synthesise(here, environment)
        return
    out = here.home / "plan" / here.environment
    with tempfile.TemporaryDirectory(prefix="flinkform-commit-") as name:
        root = Path(name)
        repository = Repository.around(here.root, here.shell)
        count = extract(repository, what.commit, root, teams=what.teams)
        step.say(f"synthesising {what.commit[:12]} from {counted(count, 'file')}")
        yield synth.synthesise(replace(here, root=root), {**environment, "CDKTF_OUTDIR": str(out)})


def chosen(here: Project, what: Wanted, found: tuple[Stack, ...]) -> tuple[Stack, ...]:
    """Return the stacks that *what* concerns, first those whose last job file is gone: to apply one empties it."""
    if what.teams is None or what.selection is None:
        return found
    jobs = {stack.name: _jobs(stack) for stack in found}
    whole, paths = _asked_for(what.selection, {path for those in jobs.values() for path in those})

    def concerned(stack: Stack) -> bool:
        if stack.name == _WORKSPACE:
            return bool(what.selection and what.selection.workspace)
        inside = jobs[stack.name].items()
        return stack.name in whole or any(path in paths or teams & whole for path, teams in inside)

    return (*_emptied(here, what, found), *filter(concerned, found))


def _asked_for(selection: Selection, known: set[str]) -> tuple[frozenset[str], set[str]]:
    """Return the teams of which all stacks are concerned, and the paths of jobs whose stacks are.

    A job that is gone, or moved, is in no document: any stack of its team may have had it.
    """
    paths = {one.path: one for one in selection.jobs}
    lost = {path for path, one in paths.items() if one.how in (How.DELETED, How.RENAMED) or path not in known}
    teams = {one.team for path, one in paths.items() if path in lost}
    teams |= {paths[path].before.partition("/")[0] for path in lost if paths[path].before}
    return frozenset(teams) | selection.spaces, paths.keys() - lost


def _jobs(stack: Stack) -> dict[str, frozenset[str]]:
    """Return the jobs of a stack by their paths, each with the words that its construct's path is made of."""
    document = json.loads((stack.folder / "cdk.tf.json").read_text())
    found = {}
    for job in document.get("resource", {}).get(RESOURCE.type_name, {}).values():
        words = str(job["//"]["metadata"]["path"]).split("/")
        suffix = ".sql" if "jar" not in job else ".jar.yaml"
        found["/".join((words[-2], job_path(str(job["name"])) + suffix))] = frozenset(words)
    return found


def _emptied(here: Project, what: Wanted, found: tuple[Stack, ...]) -> tuple[Stack, ...]:
    """Return what is left of stacks whose last job file is gone: of a team, or of a folder that is a stack."""
    if not found or what.selection is None or what.teams is None:
        return ()
    paths = (path for one in what.selection.jobs for path in (one.path, one.before) if path)
    names = set(what.teams) | {shard(path) for path in paths if "/" in path}
    lost = names - {stack.name for stack in found}
    kept = set(serials(here, lost)) if lost else set()
    return tuple(filter(None, (removed.empty(here, name, found[0]) for name in sorted(kept))))


def _planned(
    terraform: Terraform, those: Iterable[Stack], folder: Path, say: Callable[[str], None]
) -> list[tuple[Item, Mapping[str, Any]]]:
    """Return what the plans change, each with Terraform's row about it; a stack after those that it needs."""
    found: list[tuple[Item, Mapping[str, Any]]] = []
    moving: set[str] = set()
    left = list(those)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while left:
            waiting = {stack.name for stack in left}
            ready = [stack for stack in left if not waiting & set(stack.after)] or left
            run = partial(_stack, terraform, folder=folder, moving=frozenset(moving), say=say)
            for stack, rows in zip(ready, pool.map(run, ready), strict=True):
                found += rows or ()
                moving |= {stack.name} if rows is not None else set()
            left = [stack for stack in left if stack not in ready]
    return found


def _stack(
    terraform: Terraform, stack: Stack, *, folder: Path, moving: frozenset[str], say: Callable[[str], None]
) -> list[tuple[Item, Mapping[str, Any]]] | None:
    """Plan one stack without its lock; `None` where nothing changes.

    What terraform refuses is an item too, the rest is planned all the same. What it cannot plan as it needs one of
    the stacks that are *moving*, and has nothing yet, is foretold.
    """
    initialise(terraform, stack)
    common = ("-input=false", "-no-color", "-lock=false")
    file = folder / f"{stack.name}.tfplan"
    refused: dict[str, str] = {}
    try:
        code, _ = terraform.run(stack, "plan", *common, "-detailed-exitcode", f"-out={file}", ok=(0, 2), seen=say)
        if code == 0:
            return None
    except FlinkformError as error:
        refused = {_address(part): part.message for part in error.parts}
        if not refused or not all(refused) or any(address.startswith("data.") for address in refused):
            if not moving & set(stack.after) or not foretold.fresh(terraform, stack):
                raise
            return list(_items(stack, list(foretold.rows(stack)), {}))
    found = shown(terraform, stack, file)
    changes = {str(row["address"]): row for row in found.get("resource_changes", ())}
    changes |= {address: _meant(stack, found, address) for address in refused}
    refused |= renames.refused(changes.values())
    return list(_items(stack, list(changes.values()), refused))


def _items(
    stack: Stack, rows: list[Mapping[str, Any]], refused: Mapping[str, str]
) -> Iterator[tuple[Item, Mapping[str, Any]]]:
    changes = {str(row["address"]): row for row in rows}
    for made in items(stack.name, {"resource_changes": rows}):
        if message := refused.get(made.address):
            made = replace(made, action="refused", means="", units=0, verdict="", refused=_told(message))  # noqa: PLW2901
        yield made, changes[made.address]


def _meant(stack: Stack, found: Mapping[str, Any], address: str) -> Mapping[str, Any]:
    """Return the row that a plan would have about what was refused: from its state to its configuration."""
    kind, _, name = address.partition(".")
    document = json.loads((stack.folder / "cdk.tf.json").read_text())
    config = document.get("resource", {}).get(kind, {}).get(name, {})
    kept = found.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", ())
    before: Mapping[str, Any] = next((one["values"] for one in kept if one["address"] == address), {})
    change = {"actions": ["update"], "before": before, "after": {**before, **foretold.given(config, {})}}
    return {"address": address, "type": kind, "name": name, "mode": "managed", "change": change}


def _told(message: str) -> str:
    """Return an error without the places that it names in a file that nobody wrote."""
    return "\n".join(line for line in message.splitlines() if not _PLACE.match(line))


def _address(part: FlinkformError) -> str:
    return next((str(step) for step in part.at[1:2] if "." in str(step)), "")


def _asked(here: Project, rows: list[tuple[Item, Mapping[str, Any]]]) -> Iterator[Item]:
    """Yield the items; those that carry state over with what becomes of each operator, where somebody knows."""
    left = _ASKED
    for made, row in rows:
        if made.refused or made.verdict in ("", "same", "unknown") or left == 0:
            yield made
            continue
        left -= 1
        yield _judged(here, made, row["change"])


def _judged(here: Project, made: Item, change: Mapping[str, Any]) -> Item:
    before = change["before"]
    place, body = question(before, {**before, **{k: v for k, v in change["after"].items() if v is not None}})
    try:
        answer = named.client(here).call("GetStateVerdict", place, body).get("data") or {}
    except FlinkformError:
        return made  # the word is there; only its reasons are not
    operators = tuple(Operator(o["fate"], o["name"], o.get("why") or "") for o in answer.get("operators") or ())
    return replace(made, summary=str(answer.get("summary") or ""), operators=operators)


def serials(here: Project, names: set[str]) -> dict[str, dict[str, Any]]:
    """Return lineage and serial of the states of stacks, as far as the control plane keeps them."""
    try:
        kept = api.call(here, "GET", "/flinkform/v1/states")["states"]
    except FlinkformError:
        return {}
    start = f"{here.environment}/"
    found = {one["address"].removeprefix(start): one for one in kept if one["address"].startswith(start)}
    return {name: {"lineage": found[name]["lineage"], "serial": found[name]["serial"]} for name in names & found.keys()}


def _notes(here: Project, what: Wanted) -> Iterator[str]:
    """Yield what a plan of a commit has to say of the checkout around it."""
    if not what.commit:
        return
    if what.note:
        yield what.note
    edits = [path for path in Repository.around(here.root, here.shell).uncommitted() if not path.startswith(".")]
    if edits:
        yield f"{counted(len(edits), 'file')} not committed and not in this plan, as {edits[0]}"
    if what.selection:
        files = {one.path for one in what.selection.jobs if not one.path.endswith((".sql", ".jar.yaml"))}
        if files:
            yield f"{counted(len(files), 'file')} that no job is made of yet, as {JOBS}/{min(files)}"
