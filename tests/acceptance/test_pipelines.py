"""What generated pipelines do with a bare repository: branch, checks, merge, approval, running, and not without it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance import hosts
from tests.acceptance.hosts import Host, Run
from tests.acceptance.test_examples import FLINKFORM, ROOT, run, shell

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and shutil.which("ssh-keygen") and (shutil.which("terraform") or shutil.which("tofu"))),
    reason="needs java, ssh-keygen and terraform",
)
PIPELINES = {
    "github": (".github/workflows/flinkform.yml", hosts.github),
    "gitlab": (".gitlab-ci.yml", hosts.gitlab),
    "jenkins": ("Jenkinsfile", hosts.jenkins),
}


def environment(home: Path) -> dict[str, str]:
    """A shell whose git knows nobody, and that finds flinkform."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    who = {f"GIT_{role}_{part}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return shell() | who | {"PATH": path, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *words: str) -> str:
    return run(["git", *words], folder, environment(folder.parent))


@dataclass(frozen=True)
class Guide:
    """What came of the guide: the repository, what each of its lines printed, and where its control plane is."""

    folder: Path
    said: Mapping[str, str]
    plane: Mapping[str, str]


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guide]:
    """`docs/guides/new-repository.md`, followed line by line; its last block is the end."""
    top = tmp_path_factory.mktemp("guide")
    text = (ROOT / "docs/guides/new-repository.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    *lines, down = "".join(blocks).splitlines()
    folder = top / "shop"
    said: dict[str, str] = {}
    try:
        for line in lines:
            where = folder if folder.exists() and line != "cd shop" else top
            said[line] = run(["sh", "-e", "-c", line], where, environment(top))
        told = json.loads(run([FLINKFORM, "env", "--json"], folder, environment(top)))
        kept = json.loads((folder / ".flinkform/credentials.json").read_text())
        login = {f"ALIBABA_CLOUD_{name.upper()}": kept[name] for name in ("access_key_id", "access_key_secret")}
        yield Guide(folder, said, {"FLINKFORM_ENDPOINT": told["FLINKFORM_ENDPOINT"], **login})
    finally:
        run(["sh", "-e", "-c", down], folder, environment(top))


def test_the_guide_works(guide: Guide) -> None:
    """Every line of it does what it says: a job runs, a change of it is told, and is what runs then."""
    assert "greetings" in guide.said["flinkform status"]
    assert "RUNNING" in guide.said["flinkform status"]
    assert "~ hello/greetings: restart" in guide.said["flinkform plan --since main"]
    assert "RUNNING" in guide.said["flinkform up"]
    assert guide.said["flinkform ci"].count("unchanged") == 3
    assert git(guide.folder, "status", "--porcelain") == ""


def key(folder: Path, name: str) -> tuple[Path, str]:
    """A private key's file, and the public key."""
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file], check=True)
    return file, file.with_suffix(".pub").read_text().strip()


def seed(folder: Path, host: str, signers: str) -> Path:
    """A repository as `init` writes it, with one environment called like the host, pushed to a bare one."""
    origin, work = folder / "origin.git", folder / "infra"
    run(["git", "init", "-q", "--bare", "-b", "main", str(origin)], folder, environment(folder))
    run(["git", "clone", "-q", str(origin), str(work)], folder, environment(folder))
    run([FLINKFORM, "init", "--name", f"by-{host}", "--ci", host], work, environment(folder))
    (work / "environments/dev.yaml").unlink()
    (work / "environments/prod.yaml").rename(work / f"environments/{host}.yaml")
    (work / "jobs/hello/greetings.sql").rename(work / f"jobs/hello/greetings_{host}.sql")
    settings = work / "flinkform.yaml"
    settings.write_text(settings.read_text().replace("[dev, prod]", f"[{host}]"))
    (work / "environments/signers").write_text(signers)
    run([FLINKFORM, "ci"], work, environment(folder))
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "Begin")
    git(work, "push", "-q", "origin", "HEAD:main")
    return origin


@pytest.mark.skipif(not os.environ.get("FLINKFORM_HEAVY"), reason="`make pipelines` runs it: each host takes a minute")
@pytest.mark.parametrize("host", PIPELINES)
def test_from_a_branch_to_running(guide: Guide, tmp_path: Path, host: str) -> None:
    """The check tells what the change does; merged and released it runs once somebody has approved, and not before."""
    (signing, ci), (approving, ada) = key(tmp_path, "ci"), key(tmp_path, "ada")
    origin = seed(tmp_path, host, f"ci@example.com {ci}\nada@example.com,@org/platform {ada}\n")
    infra = tmp_path / "infra"
    path, read = PIPELINES[host]
    keys = {"FLINKFORM_SIGNING_KEY": signing, "FLINKFORM_APPROVAL_KEY": approving}
    held = {name: file.read_text() if host == "github" else str(file) for name, file in keys.items()}
    jobs = {job.name: job for job in read((infra / path).read_text(), {**guide.plane, **held})}
    assert list(jobs) == ["check", f"release-{host}", f"approve-{host}", f"apply-{host}"]
    assert [job.name for job in jobs.values() if job.asks] == [f"approve-{host}"]
    (tmp_path / "runs").mkdir()
    ran = Host(origin, tmp_path / "runs", environment(tmp_path))

    here = environment(tmp_path) | guide.plane | {"FLINKFORM_ENVIRONMENT": host}
    run([FLINKFORM, "up"], infra, here)
    ((_, first),) = states(infra, here).items()

    git(infra, "switch", "-q", "-c", "faster")
    script = infra / f"jobs/hello/greetings_{host}.sql"
    script.write_text(script.read_text().replace("'rows-per-second' = '2'", "'rows-per-second' = '3'"))
    git(infra, "commit", "-q", "-a", "-m", "Greet more often")
    git(infra, "push", "-q", "origin", "faster")
    good(ran, jobs["check"], "faster")
    told = ran.files["check"]
    assert f"greetings_{host}" in told[f"plan-{host}.md"].decode()
    assert json.loads(told[f"validate-{host}.sarif"])["version"] == "2.1.0"

    git(infra, "switch", "-q", "main")
    git(infra, "merge", "-q", "--no-ff", "-m", "Merge faster", "faster")
    git(infra, "push", "-q", "origin", "main")
    good(ran, jobs[f"release-{host}"], "main")
    ran.files[f"approve-{host}"] = ran.files[f"release-{host}"]
    early = ran.run(jobs[f"apply-{host}"], "main")
    assert early.returncode != 0
    assert "the release lacks approvals" in early.stdout
    assert states(infra, here) == {f"greetings_{host}": first}

    good(ran, jobs[f"approve-{host}"], "main")
    good(ran, jobs[f"apply-{host}"], "main")
    ((_, second),) = states(infra, here).items()
    assert first[0] == second[0] == "RUNNING"
    assert first[1] != second[1]
    assert f"refs/flinkform/{host}" in git(infra, "ls-remote", "origin")
    good(ran, jobs[f"release-{host}"], "main")
    assert ran.files[f"release-{host}"] == {f"release-{host}.json": b""}
    ran.files[f"approve-{host}"] = ran.files[f"release-{host}"]
    good(ran, jobs[f"apply-{host}"], "main")


def good(ran: Host, job: Run, branch: str) -> None:
    done = ran.run(job, branch)
    assert done.returncode == 0, f"{job.name}: {done.stdout}"


def states(folder: Path, here: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The state of each job that this environment has, and the id it runs under."""
    found = json.loads(run([FLINKFORM, "status", "--json"], folder, dict(here)))["jobs"]
    return {one["name"]: (one["state"], one["job_id"]) for one in found if here["FLINKFORM_ENVIRONMENT"] in one["name"]}
