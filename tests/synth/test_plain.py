"""A synth without Node writes what the CDK writes, or leaves it to the CDK."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flinkform.cli import synth
from flinkform.cli.project import Project
from flinkform_constructs import plain
from tests.composed import compose

ROOT = Path(__file__).parents[2]
HEAD = """
import sys
sys.path[:0] = {paths!r}
from flinkform_constructs import *
from flinkform_constructs import FlinkProvider, StateBackend, cdk
app = App()
state = StateBackend.control_plane("http://127.0.0.1:1", environment="dev")
one, other = cdk.TerraformStack(app, "one"), cdk.TerraformStack(app, "other")
for stack in (one, other):
    state.keep(stack)
    FlinkProvider(stack, region="r")
bids = Namespace(one, "bids", workspace_id="i", name="bids")
fraud = Namespace(other, "fraud", workspace_id="i", name=f"no-{{bids.name}}")
job = Job(other, "j", workspace="w", namespace=bids.name, name=f"j-{{fraud.name}}-{{bids.id}}", sql="SELECT '${{x}}'")
"""
PATHS = [str(ROOT), str(ROOT / "src"), str(ROOT / "constructs")]


def written(root: Path, out: Path, **shell: str) -> tuple[int, dict[str, bytes]]:
    """Run `main.py` of *root*; return how it ended and every file that it wrote."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("FLINKFORM_", "CDKTF_"))}
    known |= {"CDKTF_OUTDIR": str(out), "PYTHONPATH": os.pathsep.join(PATHS[1:])} | shell
    if cdk := os.environ.get("FLINKFORM_CDK"):
        known["FLINKFORM_CDK"] = cdk
    done = subprocess.run([sys.executable, "main.py"], cwd=root, env=known, capture_output=True, text=True, check=False)
    assert done.returncode in (0, plain.CODE), done.stderr
    found = {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}
    return done.returncode, found


def same(root: Path, tmp_path: Path) -> None:
    """Both ways end well, and the files are the same to the byte."""
    code, mine = written(root, tmp_path / "mine", FLINKFORM_PLAIN="1")
    assert code == 0
    assert (0, mine) == written(root, tmp_path / "theirs")
    assert len(mine) > 2


def program(root: Path, text: str) -> Path:
    """Write a `main.py` with *text* after what every one of these tests needs."""
    root.mkdir(exist_ok=True)
    (root / "main.py").write_text(HEAD.format(paths=PATHS) + text + "\napp.synth()\n")
    return root


def test_the_reference_repository(tmp_path: Path) -> None:
    """A stack a team, with references to the workspace's."""
    root = tmp_path / "repository"
    for name in ("stacks", "jobs", "environments"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "main.py", root)
    same(root, tmp_path)


def test_a_stack_for_each_folder(tmp_path: Path) -> None:
    """With dependencies that are said beside those that follow from references."""
    compose(tmp_path / "split")
    for path in ("bids/a", "bids/eu/b", "shop/us/c"):
        file = tmp_path / "split" / "jobs" / f"{path}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("SELECT '$${x}', 'TfToken[TOKEN.0]'")
    same(tmp_path / "split", tmp_path)


def test_references_in_text_and_policies(tmp_path: Path) -> None:
    """Tokens of this stack and of another one, alone and within text; a policy that has nothing against it."""
    same(program(tmp_path / "text", "cdk.Aspects.of(app).add(RequiredLabels())"), tmp_path)


BEYOND = {
    "an output": 'cdk.TerraformOutput(one, "o", value=bids.name)',
    "the CDK by its name": "import constructs",
    "a function": "cdk.Fn.upper('a')",
    "an override": 'job.add_override("timeouts.create", "20m")',
    "a stack's own override": 'one.add_override("terraform.x", 1)',
    "a word of the CDK's for stacks": "class Own(cdk.TerraformStack):\n    def prepare_stack(self): pass",
    "an element of one's own": "class Own(cdk.TerraformElement):\n    pass\nOwn(one, 'own')",
    "a stack without a state": "FlinkProvider(cdk.TerraformStack(app, 'bare'))",
    "a stack below another": "cdk.TerraformStack(one, 'below')",
    "context": "one.node.try_get_context('x')",
}


@pytest.mark.parametrize("text", BEYOND.values(), ids=BEYOND)
def test_what_only_the_cdk_can_do(tmp_path: Path, text: str) -> None:
    """The process ends with its own code, and nothing is written."""
    code, found = written(program(tmp_path / "beyond", text), tmp_path / "out", FLINKFORM_PLAIN="1")
    assert (code, found) == (plain.CODE, {})


def test_it_is_run_again_with_the_cdk(tmp_path: Path) -> None:
    """`flinkform` sees no difference but in time; a program that fails says what it says with the CDK."""
    root = program(tmp_path / "again", BEYOND["an output"])
    shell = {name: value for name, value in os.environ.items() if not name.startswith(("FLINKFORM_PLAIN", "CDKTF_"))}
    found = synth.synthesise(Project(root, tmp_path / "home", shell), shell)
    assert [(one.name, one.after) for one in found] == [("one", ()), ("other", ("one",))]
    assert b"bids" in (found[0].folder / "cdk.tf.json").read_bytes()
