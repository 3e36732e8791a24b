"""Runs the jobs of generated pipelines by a local shell, as GitHub, GitLab and Jenkins would: each in a fresh clone."""

from __future__ import annotations

import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_STAGE = re.compile(r"^        stage\('([^']+)'\) \{\n(.*?)^        \}$", re.MULTILINE | re.DOTALL)
_SET = re.compile(r"^ +(\w+) = (credentials\()?'([^']+)'\)?$", re.MULTILINE)
_CONTEXT = re.compile(r"\$\{\{ (?:secrets|vars)\.(\w+) \}\}")


@dataclass(frozen=True)
class Run:
    """A job of a pipeline as its host reads the file."""

    name: str
    scripts: tuple[str, ...]
    change: bool
    asks: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()


def github(text: str, secrets: Mapping[str, str]) -> Iterator[Run]:
    """Contexts are replaced by what they hold; keys are the secrets' contents."""

    def filled(values: Mapping[str, str]) -> dict[str, str]:
        return {name: _CONTEXT.sub(lambda found: secrets.get(found[1], ""), str(one)) for name, one in values.items()}

    flow = yaml.safe_load(text)
    for name, job in flow["jobs"].items():
        around = filled(flow["env"] | job.get("env", {}))
        steps: list[Mapping[str, Any]] = [step for step in job["steps"] if "run" in step]
        exports = [
            " ".join(f"export {key}='{one}';" for key, one in filled(step.get("env", {})).items()) for step in steps
        ]
        scripts = tuple(f"{first}\n{step['run']}" for first, step in zip(exports, steps, strict=True))
        files = {one["uses"].partition("@")[0]: one.get("with", {}) for one in job["steps"] if "uses" in one}
        gives = tuple(files.get("actions/upload-artifact", {}).get("path", "").split())
        takes = tuple(files.get("actions/download-artifact", {}).get("name", "").split())
        yield Run(name, scripts, "== 'pull_request'" in job["if"], "environment" in job, around, takes, gives)


def gitlab(text: str, secrets: Mapping[str, str]) -> Iterator[Run]:
    """Variables of the project are in every job, files by their paths."""
    whole = yaml.safe_load(text)
    for name in whole["stages"]:
        job = whole[name]
        (rule,) = job["rules"]
        scripts = ("\n".join((*whole["default"]["before_script"], *job["script"])),)
        takes = tuple(one["job"] for one in job.get("needs", ()) if one["artifacts"])
        around = {**secrets, **job.get("variables", {})}
        change, asks = "merge_request" in rule["if"], rule.get("when") == "manual"
        gives = tuple(job.get("artifacts", {}).get("paths", ()))
        yield Run(name, scripts, change, asks, around, takes, gives)


def jenkins(text: str, secrets: Mapping[str, str]) -> Iterator[Run]:
    """All stages share a folder; what a stage has of credentials it names."""
    ids = {name.lower().replace("_", "-"): value for name, value in secrets.items()}

    def told(part: str) -> dict[str, str]:
        return {name: ids.get(value, "") if credential else value for name, credential, value in _SET.findall(part)}

    head = told(text.partition("stages {")[0])
    for name, body in _STAGE.findall(text):
        (script,) = re.findall(r"sh '''\n(.*?)'''", body, re.DOTALL)
        kept = re.findall(r"archiveArtifacts artifacts: '([^']+)'", body)
        gives = tuple(kept[0].split(",")) if kept else ()
        around = {**head, **told(body)}
        yield Run(
            name,
            (textwrap.dedent(script).replace("\\\\", "\\"),),
            "changeRequest()" in body,
            "input {" in body,
            around,
            ("*",),
            gives,
        )


@dataclass
class Host:
    """One host: its clone of each job, and the files that jobs hand on."""

    origin: Path
    work: Path
    shell: Mapping[str, str]
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def run(self, job: Run, branch: str) -> subprocess.CompletedProcess[str]:
        """Run a job on *branch*, to the first line that fails."""
        folder = self.work / f"{len(list(self.work.iterdir()))}-{job.name}"
        temp = self.work / f"{folder.name}-temp"
        temp.mkdir()
        subprocess.run(["git", "clone", "-q", "-b", branch, self.origin, folder], check=True)
        for source, kept in self.files.items():
            if source in job.takes or "*" in job.takes:
                for name, data in kept.items():
                    (folder / name).write_bytes(data)
        exported = temp / "env"
        exported.touch()
        around = {**self.shell, **job.environment, "RUNNER_TEMP": str(temp), "GITHUB_ENV": str(exported)}
        said = ""
        for script in job.scripts:
            given = dict(line.split("=", 1) for line in exported.read_text().splitlines())
            command, own = ["sh", "-e", "-c", script], {**around, **given}
            done = subprocess.run(
                command, cwd=folder, env=own, capture_output=True, text=True, timeout=600, check=False
            )
            said += done.stdout + done.stderr
            if done.returncode:
                break
        self.files[job.name] = {name: (folder / name).read_bytes() for name in job.gives if (folder / name).exists()}
        return subprocess.CompletedProcess(script, done.returncode, said, "")


def _step(step: Mapping[str, Any], given: Mapping[str, str]) -> str:
    """A step's script behind what it is given."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items()) + str(step["run"])
