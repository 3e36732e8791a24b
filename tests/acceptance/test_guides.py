"""Every guide is followed command by command: here beside one control plane, or by a test of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.guides import GUIDES, commands
from tests.acceptance.repository import ENVIRONMENT, FLINKFORM, PASSING, ROOT, Repository

HERE = "tests/acceptance/test_guides.py"
FOLLOWERS = {
    "connectors.md": HERE,
    "constructs.md": "tests/synth/test_guide.py",
    "control-plane.md": HERE,
    "engines.md": HERE,
    "new-repository.md": "tests/acceptance/test_pipelines.py",
    "releases.md": HERE,
    "savepoints.md": HERE,
    "state.md": HERE,
    "take-over.md": HERE,
    "testing.md": "tests/acceptance/test_testing.py",
    "validate.md": HERE,
}
"""Who types what stands in a guide; one that is not named has no commands."""
ALONE = ("validate.md", "savepoints.md", "state.md", "connectors.md", "engines.md", "control-plane.md")
RELEASE = "release: {approvals: %d, branch: main, window: 0s}\n"
AS = "git config user.signingkey {}"
MERGED = "git update-ref refs/remotes/origin/main HEAD"
BEFORE = {
    "flinkform validate jobs/bids notes.sql": ["cp jobs/bids/latest_bid.sql notes.sql"],
    "flinkform release --since prod-now": [
        "flinkform release --at v1.4 --out first.json",
        AS.format("../rob"),
        "flinkform approve first.json",
        AS.format("../ada"),
        "flinkform apply first.json",
        MERGED,
    ],
    "flinkform approve": [AS.format("../rob")],
    "flinkform apply": [AS.format("../ada")],
    "flinkform promote": [
        "echo '-- an edit' >> jobs/bids/latest_bid.sql",
        "git commit -q -a -m 'Edit it again'",
        MERGED,
        "FLINKFORM_ENVIRONMENT=staging flinkform release --out staging.json",
        "FLINKFORM_ENVIRONMENT=staging flinkform apply staging.json",
    ],
    "flinkform verdict": ["cp jobs/bids/latest_bid.sql old.sql", "cp jobs/bids/latest_bid.sql new.sql"],
}
"""What a reader has done by then, by how a command begins."""
INSTEAD = {
    " --environment prod --region cn-hangzhou": " --environment taken --workspace bids-dev",
    "FLINKFORM_ENVIRONMENT=prod python": "FLINKFORM_ENVIRONMENT=taken python",
}
"""What is another name here: this control plane has several workspaces, and has states called prod already."""
HEAVY = pytest.mark.skipif(
    os.environ.get("FLINKFORM_HEAVY") != "1" or not (shutil.which("java") and shutil.which("terraform")),
    reason="takes minutes, and java and terraform: make guides",
)


def test_every_guide_has_somebody_who_follows_it() -> None:
    """A guide with commands is in the list above, its follower is there and names it; nobody else is in the list."""
    guides = {path.name for path in GUIDES.glob("*.md")}
    assert {name for name in guides if list(commands(name))} | {"testing.md", "constructs.md"} == set(FOLLOWERS)
    for guide, follower in FOLLOWERS.items():
        assert guide in (ROOT / follower).read_text(), f"{follower} does not follow {guide}"


def test_what_is_not_followed_says_why() -> None:
    """With what follows it instead, or what it would take."""
    reasons = {one.why for guide in FOLLOWERS for one in commands(guide) if one.why}
    assert reasons
    assert all(len(reason) > 20 for reason in reasons)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """What the guides speak of: two jobs, three environments, two people, two versions, and a control plane."""
    folder = tmp_path_factory.mktemp("guides")
    here = Repository(folder / "repo", folder / "home")
    shutil.copytree(ROOT / "stacks", here.root / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("main.py", "cdktf.json"):
        shutil.copy(ROOT / name, here.root)
    for name, approvals in (("dev", 0), ("staging", 0), ("prod", 1)):
        suspended = "" if name == "dev" else "jobs: [{match: ['**'], state: suspended}]\n"
        text = ENVIRONMENT.replace("name: bad-input", f"name: bids-{name}")
        here.write(f"environments/{name}.yaml", f"{text}{suspended}{RELEASE % approvals}")
    shutil.copy(ROOT / "environments" / "schema.yaml", here.root / "environments")
    here.write("jobs/bids/bids_per_window.sql", PASSING)
    here.write("jobs/bids/latest_bid.sql", f"{PASSING}-- the latest\n")
    here.write("jobs/bids/latest_bid.yaml", "state: suspended\n")
    here.write("CODEOWNERS", "* @org/bids\n")
    here.write(
        ".gitignore", "cdktf.out/\n__pycache__/\nauction/\n*.json\n*.xml\n*.sarif\nnotes.sql\nold.sql\nnew.sql\n"
    )
    keys = {}
    for who in ("ada", "rob"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / who)], check=True)
        keys[who] = " ".join((folder / f"{who}.pub").read_text().split()[:2])
    here.write("environments/signers", f"ada@x.org {keys['ada']}\nrob@x.org,@org/bids {keys['rob']}\n")
    shell = Shell(here)
    for line in (
        "git init -q -b main && git config user.name Ada && git config user.email ada@x.org",
        f"git config gpg.format ssh && {AS.format('../ada')} && git add -A && git add -f cdktf.json",
        "git commit -q -m 1 && git tag v1.4 && git tag prod-now",
        MERGED,
        "echo '-- of all' >> jobs/bids/latest_bid.sql && git commit -q -a -m 2 && git tag v1.5",
        "flinkform up",
    ):
        shell.type(line)
    try:
        yield here
    finally:
        here.run("down")


class Shell:
    """What a reader types into: the folder and the exported variables stay from line to line."""

    def __init__(self, here: Repository) -> None:
        self.here, self.folder = here, here.root
        self.variables = {"PATH": f"{Path(FLINKFORM).parent}{os.pathsep}{os.environ['PATH']}"}

    def type(self, line: str) -> str:
        """Run a line, which has to work, and return what it prints."""
        if line.startswith("cd "):
            self.folder /= line.removeprefix("cd ")
            return ""
        if line.startswith("export "):
            self.variables |= dict(word.split("=", 1) for word in line.split()[1:])
            return ""
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.here.environment(**self.variables),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def follow(shell: Shell, guide: str) -> None:
    """Type every line of a guide, and hold what is printed against what the guide says, whatever the numbers."""
    for command in commands(guide):
        if command.why:
            continue
        line = command.line.partition("  #")[0].rstrip()
        for prepared in next((lines for start, lines in BEFORE.items() if line.startswith(start)), []):
            shell.type(prepared)
        for told, here in INSTEAD.items():
            line = line.replace(told, here)
        if line.endswith(" ID"):
            line = line.removesuffix("ID") + newest(shell)
        said = shell.type(line)
        for row in command.prints:
            assert re.search(re.sub(r"\d+", r"\\d+", re.escape(row)), said), f"{line}: {said}"


def newest(shell: Shell) -> str:
    """The id of the savepoint that was made last."""
    said = shell.type("flinkform savepoint list bids/bids_per_window --json")
    return str(json.loads(said)["savepoints"][0]["savepointId"])


@HEAVY
@pytest.mark.parametrize("guide", ALONE)
def test_a_guide(shop: Repository, guide: str) -> None:
    """Each line works, and prints what the guide says."""
    follow(Shell(shop), guide)


@HEAVY
def test_releases_and_what_is_taken_over(shop: Repository) -> None:
    """From a plan to a way back; then the namespace is exported as one that nobody wrote down."""
    follow(Shell(shop), "releases.md")
    taking = Shell(shop)
    for row in taking.type("flinkform env").splitlines():
        name, _, value = row.removeprefix("export ").partition("=")
        taking.variables[name] = value.strip("'\"")
    taking.variables["TF_CLI_ARGS_plan"] = "-no-color"
    taking.variables["PATH"] = f"{Path(FLINKFORM).parent}{os.pathsep}{os.environ['PATH']}"
    follow(taking, "take-over.md")
