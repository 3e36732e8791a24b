"""Only the stacks that a change concerns are synthesised and planned, and what terraform says is told for each job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import planning, shell
from flinkform.cli.planning import Wanted
from flinkform.cli.progress import Step
from flinkform.cli.project import Project
from flinkform.cli.stacks import Terraform
from flinkform.errors import FlinkformError
from flinkform.release.review import Review
from tests.unit.release.conftest import SQL, Site

MAIN = """
import json, os, pathlib
root, out = pathlib.Path(__file__).parent, pathlib.Path(os.environ["CDKTF_OUTDIR"])
jobs = sorted(path.relative_to(root / "jobs") for path in (root / "jobs").rglob("*.sql"))
one = (root / "together").exists()
split = (root / "split").exists()
stacks = {}
for job in jobs:
    stacks.setdefault("all" if one else f"{job.parts[0]}-{job.stem[0]}" if split else job.parts[0], []).append(job)
for name, held in {**stacks, "workspace": []}.items():
    folder = out / "stacks" / name
    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        job.stem: {"name": job.stem, "namespace": job.parts[0], "sql": (root / "jobs" / job).read_text(),
                   "//": {"metadata": {"path": f"{name}/jobs/{job.parts[0]}/{job.stem}"}}}
        for job in held
    }
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": {"flink_job": rows}, "terraform": {}}))
manifest = {"stacks": {name: {"dependencies": ["a"] if name == "b" else []} for name in (*stacks, "workspace")}}
(out / "manifest.json").write_text(json.dumps(manifest))
(out / "seen").write_text(json.dumps(sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())))
(out / "commit").write_text(os.environ.get("FLINKFORM_COMMIT", ""))
"""
FAKE = """#!{python} -SI
import json, os, pathlib, sys
folder, words = pathlib.Path(sys.argv[1].removeprefix("-chdir=")), sys.argv[2:]
with open("{calls}", "a") as calls:
    calls.write(folder.name + " " + words[0] + "\\n")
rows = json.loads((folder / "cdk.tf.json").read_text())["resource"]["flink_job"]
kept_all = json.loads(pathlib.Path("{kept}").read_text())
kept = kept_all.get(folder.name, {{}})
if "NEEDS" in json.dumps(rows) and "moved" not in kept_all and words[0] in ("plan", "state"):
    print("Error: Unsupported attribute") if words[0] == "plan" else print("No state file was found!")
    sys.exit(1)
if words[0] == "plan":
    file = next(word for word in words if word.startswith("-out=")).removeprefix("-out=")
    changes, prior = [], []
    for name in sorted(rows.keys() | kept.keys()):
        now = {{k: v for k, v in rows.get(name, {{}}).items() if k != "//"}} or None
        old = kept.get(name)
        prior.append({{"address": "flink_job." + name, "values": old}})
        if now and "REFUSED" in now["sql"]:
            print("Error: would lose state\\n\\n  with flink_job." + name + ",")
            print("  on cdk.tf.json line 7, in resource:\\n")
            print("nothing was stopped")
            continue
        actions = ["no-op"] if old == now else ["create"] if not old else ["delete"] if not now else ["update"]
        changes.append({{"address": "flink_job." + name, "type": "flink_job", "mode": "managed", "name": name,
                        "change": {{"actions": actions, "before": old, "after": now}}}})
    prior = {{"values": {{"root_module": {{"resources": prior}}}}}}
    pathlib.Path(file).write_text(json.dumps({{"resource_changes": changes, "prior_state": prior}}))
    if len(changes) < len(rows.keys() | kept.keys()):
        sys.exit(1)
    sys.exit(2 if any(c["change"]["actions"] != ["no-op"] for c in changes) else 0)
if words[0] == "show":
    print("Warning: something")
    print(pathlib.Path(words[-1]).read_text())
"""


class World:
    """A checkout with a commit that was applied, and a terraform that knows what it has applied."""

    def __init__(self, site: Site, tmp_path: Path) -> None:
        self.site = site
        self.calls = tmp_path / "calls"
        self.kept = tmp_path / "kept.json"
        self.here = Project(site.root, tmp_path / "home", {**site.shell, "FLINKFORM_ENVIRONMENT": "dev"})
        program, rc = tmp_path / "terraform", tmp_path / "terraform.rc"
        program.write_text(FAKE.format(python=sys.executable, calls=self.calls, kept=self.kept))
        program.chmod(0o755)
        rc.write_text("")
        self.terraform = Terraform(str(program), {**site.shell, "TF_CLI_CONFIG_FILE": str(rc)})
        files = {f"jobs/{team}/{n}{team}.sql": f"{SQL}-- {team} {n}" for team in "abc" for n in range(2)}
        self.first = site.commit({**files, "main.py": MAIN, "environments/dev.yaml": "", "docs/big.md": "x"})
        self.apply()

    def apply(self) -> None:
        """Have terraform know the checkout's jobs."""
        kept: dict[str, dict[str, Any]] = {}
        for path in (self.site.root / "jobs").rglob("*.sql"):
            team = path.relative_to(self.site.root / "jobs").parts[0]
            row = {"name": path.stem, "namespace": team, "sql": path.read_text()}
            stack = "all" if (self.site.root / "together").exists() else team
            kept.setdefault(stack, {})[path.stem] = row
        self.kept.write_text(json.dumps(kept))

    def plan(self, since: str, at: str = "") -> Review:
        what = planning.wanted(self.here, at=at, since=since)
        return planning.review(self.here, self.terraform, what, Step("plan", lambda _: None))

    def out(self, name: str) -> str:
        return (self.here.home / "plan" / "dev" / name).read_text()

    def planned(self) -> list[str]:
        return sorted(line.split()[0] for line in self.calls.read_text().splitlines() if line.endswith(" plan"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(Site(tmp_path / "site", tmp_path / "user"), tmp_path)


def test_only_the_changed_stacks_are_there_to_be_planned(world: World) -> None:
    """Of the commit nothing else is on disk while it is synthesised, so that nothing else can have a say."""
    second = world.site.commit({"jobs/b/0b.sql": SQL})
    found = world.plan(world.first)
    assert world.planned() == ["b"]
    assert json.loads(world.out("seen")) == [
        "environments/dev.yaml",
        "jobs/.part",
        "jobs/b/0b.sql",
        "jobs/b/1b.sql",
        "main.py",
    ]
    assert world.out("commit") == second
    assert [(one.name, one.action, one.path) for one in found.items] == [("b/0b", "update", "b/0b.sql")]
    assert (found.commit, found.since, found.stacks) == (second, world.first, ("b",))


def test_what_is_not_committed_is_not_planned_and_said(world: World) -> None:
    """A commit is planned, not the files around it."""
    world.site.commit({"jobs/b/0b.sql": SQL})
    (world.site.root / "jobs/b/1b.sql").write_text("edited")
    found = world.plan(world.first)
    assert [one.name for one in found.items] == ["b/0b"]
    assert found.notes == ("1 file not committed and not in this plan, as jobs/b/1b.sql",)


def test_of_a_team_only_the_stacks_with_changed_jobs_are_planned(world: World) -> None:
    """Unless a job is gone: any of the team's stacks may have had it."""
    first = world.site.commit({"split": "x"})
    second = world.site.commit({"jobs/b/0b.sql": SQL})
    assert [one.name for one in world.plan(first).items] == ["b/0b"]
    assert world.planned() == ["b-0"]
    world.site.commit({"jobs/b/0b.sql": None, "jobs/c/1c.sql": SQL})
    world.plan(second)
    assert world.planned() == ["b-0", "b-1", "c-1"]


def test_code_concerns_every_stack(world: World) -> None:
    """And then all of the commit is there."""
    world.site.commit({"main.py": MAIN + "\n# other\n"})
    assert world.plan(world.first).items == ()
    assert world.planned() == ["a", "b", "c", "workspace"]


def test_nothing_is_planned_where_nothing_differs(world: World) -> None:
    """Not even synthesised."""
    world.site.commit({"README.md": "x"})
    assert planning.wanted(world.here, at="", since=world.first).empty
    assert planning.wanted(world.here, at=world.first, since=world.first).empty


def test_since_is_where_a_branch_left(world: World) -> None:
    """What others did on the main branch meanwhile is not this change's."""
    world.site.git("checkout", "-q", "-b", "mine")
    world.site.commit({"jobs/b/0b.sql": SQL})
    world.site.git("checkout", "-q", "main")
    world.site.commit({"jobs/a/0a.sql": SQL})
    what = planning.wanted(world.here, at="mine", since="main")
    assert (what.since, what.teams) == (world.first, {"b"})


def test_stacks_that_hold_more_than_a_team_are_planned_whole(world: World) -> None:
    """A job that only was not looked at is not said to go."""
    first = world.site.commit({"together": "x"})
    world.apply()
    world.site.commit({"jobs/b/0b.sql": SQL, "jobs/c/1c.sql": None})
    found = world.plan(first)
    assert [(one.name, one.action) for one in found.items] == [("b/0b", "update"), ("c/1c", "delete")]
    assert found.stacks == ("all", "workspace")


def test_what_is_refused_is_told_of_its_job(world: World) -> None:
    """With its script's difference and without places in a generated file; the other jobs are planned."""
    world.site.commit({"jobs/b/0b.sql": f"{SQL}-- REFUSED ${{x}}\n", "jobs/b/1b.sql": SQL})
    refused, other = world.plan(world.first).items
    assert (refused.name, refused.action, other.action) == ("b/0b", "refused", "update")
    assert refused.refused == "would lose state\nnothing was stopped"
    assert refused.diff[-1] == "+-- REFUSED ${x}"


def test_a_commit_is_told_of_a_clean_checkout_only(world: World) -> None:
    """What has edits, or is in no repository, is of no commit."""
    assert shell.provenance(world.here)["FLINKFORM_COMMIT"] == world.first
    (world.site.root / "new.sql").write_text("x")
    assert shell.provenance(world.here)["FLINKFORM_COMMIT"] == ""
    nowhere = Project(world.here.home, world.here.home, world.site.shell)
    assert shell.provenance(nowhere)["FLINKFORM_COMMIT"] == ""


def test_a_stack_that_cannot_be_planned_yet_is_foretold(world: World) -> None:
    """It has nothing, and what it needs changes in the same plan: all of it is made, as its document says."""
    world.site.commit({"jobs/a/0a.sql": SQL, "jobs/b/0b.sql": f"{SQL}-- NEEDS $${{x}}"})
    found = world.plan(world.first)
    assert [(one.name, one.action) for one in found.items] == [
        ("a/0a", "update"),
        ("b/0b", "create"),
        ("b/1b", "create"),
    ]
    assert found.items[1].diff[-1] == "+-- NEEDS ${x}"
    assert (found.items[1].means, found.items[1].path) == ("starts", "b/0b.sql")
    world.site.commit({"jobs/b/1b.sql": SQL})
    with pytest.raises(FlinkformError, match="Unsupported attribute"):
        world.plan("HEAD~1")


def test_without_revisions_the_checkout_is_planned(world: World) -> None:
    """As `up` would."""
    assert planning.wanted(world.here, at="", since="") == Wanted()


def test_a_job_under_another_name_is_refused(world: World) -> None:
    """It would be stopped and removed, and made anew without its state."""
    world.site.git("mv", "jobs/b/0b.sql", "jobs/b/new.sql")
    world.site.commit({})
    found = {one.name: one for one in world.plan(world.first).items}
    assert found["b/0b"].action == "delete"
    assert (found["b/new"].action, found["b/new"].refused.splitlines()[1]) == (
        "refused",
        "if it was renamed, write `moved_from: b/0b.sql` into jobs/b/new.yaml",
    )
