"""The generated pipelines keep to what their hosts take: actionlint, GitLab's schema, Jenkins' declarative syntax."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from flinkform.jobfile import Settings
from flinkform.release.pipelines import pipelines

CACHE = Path.home() / ".cache" / "flinkform" / "judges"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"
SCHEMAS = "check-jsonschema==0.33.3"
ALL = pipelines(Settings(environments=("dev", "prod"), branch="trunk"), {"prod": 1})
STEPS = {"sh", "archiveArtifacts", "junit"}
# What may stand in each block of a declarative pipeline, by Jenkins' own reference.
BLOCKS = {
    "": {"pipeline"},
    "pipeline": {"agent", "options", "environment", "stages", "post", "triggers", "parameters", "tools"},
    "stages": {"stage"},
    "stage": {"agent", "environment", "input", "when", "steps", "post", "options", "tools", "stages", "parallel"},
    "agent": {"docker"},
    "docker": {"image"},
    "options": {"disableConcurrentBuilds"},
    "when": {"branch", "changeRequest", "beforeInput"},
    "input": {"message", "id", "ok", "submitter", "submitterParameter", "parameters"},
    "post": {"always", "success", "failure", "changed", "unstable", "aborted", "cleanup"},
    "steps": STEPS,
    "always": STEPS,
}
TOKEN = re.compile(r"'''.*?'''|'[^'\n]*'|//[^\n]*|[{}]|[A-Za-z]\w*|[^\s{}\w']+", re.DOTALL)


@pytest.fixture(scope="session")
def actionlint() -> str:
    """The program: on PATH, in the cache, or built once into it."""
    found = shutil.which("actionlint") or shutil.which("actionlint", path=CACHE)
    go = shutil.which("go")
    if found is None and go is None:
        pytest.skip("actionlint is not on PATH, and there is no Go to build it with")
    if found is None and go is not None:
        CACHE.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"GOBIN": str(CACHE)}
        built = subprocess.run(
            [go, "install", ACTIONLINT], env=environment, capture_output=True, text=True, check=False
        )
        if built.returncode:
            pytest.skip(f"actionlint could not be built: {built.stderr[-300:]}")
        found = str(CACHE / "actionlint")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def schemas() -> Path:
    """The wheel of a package that carries the schemas which hosts publish, fetched once into the cache."""
    found = sorted(CACHE.glob("check_jsonschema-*.whl"))
    if not found:
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(CACHE), SCHEMAS]
        got = subprocess.run(command, capture_output=True, text=True, check=False)
        if got.returncode:
            pytest.skip(f"the hosts' schemas cannot be got: {got.stderr[-300:]}")
        found = sorted(CACHE.glob("check_jsonschema-*.whl"))
    return found[-1]


def schema(wheel: Path, name: str) -> Any:
    with zipfile.ZipFile(wheel) as file:
        return json.loads(file.read(f"check_jsonschema/builtin_schemas/vendor/{name}.json"))


def test_github_is_judged(actionlint: str, tmp_path: Path) -> None:
    """Actionlint finds nothing: expressions, contexts, needs, events."""
    file = tmp_path / "flinkform.yml"
    file.write_text(ALL[".github/workflows/flinkform.yml"])
    done = subprocess.run([actionlint, "-no-color", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_gitlab_is_judged(schemas: Path) -> None:
    """GitLab's own schema takes it, and every job that another needs is of an earlier stage."""
    found = yaml.safe_load(ALL[".gitlab-ci.yml"])
    jsonschema.Draft7Validator(schema(schemas, "gitlab-ci")).validate(found)


def test_gitlab_waits() -> None:
    """Who needs a job comes after it, and a job that a person starts holds up those behind it."""
    found = yaml.safe_load(ALL[".gitlab-ci.yml"])
    stages = found["stages"]
    for name in stages:
        assert all(stages.index(one["job"]) < stages.index(name) for one in found[name].get("needs", ()))
    assert found["approve-prod"]["rules"][0]["when"] == "manual"
    assert found["approve-prod"]["allow_failure"] is False
    assert found["apply-prod"]["needs"][0]["job"] == "approve-prod"


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield every word that begins a statement of a Jenkinsfile, with the block it stands in."""
    open_, before, fresh = [""], "", True
    for token in TOKEN.findall(text):
        if token.startswith("//"):
            continue
        if token == "{":
            open_.append(before)
            fresh = True
        elif token == "}":
            open_.pop()
            fresh = True
        elif token[0].isalpha() and (fresh or known(open_[-1], token)):
            yield open_[-1], token
            before, fresh = token, False
        elif token == ";":
            fresh = True
    assert open_ == [""]


def known(block: str, word: str) -> bool:
    return word in BLOCKS.get(block, ())


def test_jenkins_is_declarative() -> None:
    """One pipeline with an agent and stages; each stage has steps; no block has what Jenkins does not know there."""
    found = list(blocks(ALL["Jenkinsfile"]))
    assert [word for block, word in found if block == ""] == ["pipeline"]
    assert {"agent", "stages"} <= {word for block, word in found if block == "pipeline"}
    wrong = [(block, word) for block, word in found if block in BLOCKS and not known(block, word)]
    assert not wrong
    names = re.findall(r"stage\('([^']+)'\)", ALL["Jenkinsfile"])
    assert len(names) == len(set(names)) == sum(1 for one in found if one == ("stage", "steps"))
    assert "when { beforeInput true; branch 'trunk' }" in ALL["Jenkinsfile"]
    assert ("stage", "step") in blocks(ALL["Jenkinsfile"].replace("steps {", "step {"))
    assert ("when", "branches") in blocks(ALL["Jenkinsfile"].replace("when { branch", "when { branches"))


def test_keys_stay_apart() -> None:
    """Only the job that a person starts gets the key that approves."""
    flow = yaml.safe_load(ALL[".github/workflows/flinkform.yml"])
    assert [name for name, job in flow["jobs"].items() if "FLINKFORM_APPROVAL_KEY" in json.dumps(job)] == [
        "approve-prod"
    ]
    assert flow["jobs"]["approve-prod"]["environment"] == "prod-approval"
    stages = re.split(r"stage\('", ALL["Jenkinsfile"])[1:]
    assert [one.partition("'")[0] for one in stages if "FLINKFORM_APPROVAL_KEY" in one] == ["approve-prod"]


def test_the_lines_are_the_same() -> None:
    """What runs is declared once: each host runs the same lines in each job."""
    flow = yaml.safe_load(ALL[".github/workflows/flinkform.yml"])["jobs"]
    lab = yaml.safe_load(ALL[".gitlab-ci.yml"])
    for name, job in flow.items():
        (lines,) = (step["run"].splitlines() for step in job["steps"] if step.get("name") == name)
        assert lab[name]["script"] == lines
        assert all(line.replace("\\", "\\\\") in ALL["Jenkinsfile"] for line in lines)
