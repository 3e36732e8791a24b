"""JobFolder: every job file below a folder, byte for byte, under ids that stay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform_constructs import App, JobFolder, Namespace

Synth = Callable[..., dict[str, Any]]


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Two teams with a job each of one name, and one below."""
    folder = tmp_path / "jobs"
    for path, sql in (
        ("bids/hourly.sql", "SELECT '$${x}', '%{y}', '${TfToken[TOKEN.0]}'; -- ü\r\n"),
        ("bids/deep/er.sql", "SELECT 1"),
        ("fraud/hourly.sql", "SELECT 2"),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(sql.encode())
    (folder / "bids/hourly.yaml").write_text("parallelism: 3\nlabels: {owner: '${team}'}\n")
    return folder


def test_every_job_file_becomes_a_job(stack: Any, synth: Synth, jobs: Path) -> None:
    """Names, namespaces and values come from the files; the script reaches Terraform unchanged."""
    JobFolder(stack, "jobs", jobs, workspace="w")
    found = {(j["namespace"], j["name"]): j for j in synth()["resource"]["flink_job"].values()}
    assert set(found) == {("bids", "hourly"), ("bids", "deep.er"), ("fraud", "hourly")}
    hourly = found["bids", "hourly"]
    assert hourly["sql"] == "SELECT '$${x}', '%%{y}', '$${TfToken[TOKEN.0]}'; -- ü\r\n"
    assert hourly["parallelism"] == 3
    assert hourly["labels"] == {"owner": "$${team}"}


def test_addresses_stay_when_other_files_come_and_go(stack: Any, synth: Synth, jobs: Path) -> None:
    """A job's address depends on its own path only."""
    folder = JobFolder(stack, "jobs", jobs, workspace="w")
    assert folder.jobs["bids", "hourly"].node.path == "s/jobs/bids/hourly"
    assert folder.jobs["bids", "deep.er"].node.path == "s/jobs/bids/deep.er"
    assert set(synth()["resource"]["flink_job"]) == {
        "jobs_bids_hourly_F3A2A703",
        "jobs_bids_deeper_E211E118",
        "jobs_fraud_hourly_F16C6543",
    }


def test_jobs_take_a_namespace_and_what_every_job_gets(stack: Any, synth: Synth, jobs: Path) -> None:
    """Jobs loaded elsewhere go into the namespace given, with the meta-arguments given."""
    space = Namespace(stack, "n", workspace_id="i", name="bids")
    loaded = [job for job in jobfile.load(jobs) if job.namespace == "bids"]
    JobFolder(stack, "jobs", loaded, workspace="w", namespace=space.name, lifecycle={"prevent_destroy": True})
    found = synth()["resource"]["flink_job"].values()
    assert {j["namespace"] for j in found} == {"${flink_namespace.n.name}"}
    assert all(j["lifecycle"] == {"prevent_destroy": True} for j in found)


def test_an_error_in_a_file_names_its_place(stack: Any, jobs: Path) -> None:
    """A bad file is the file's error: file, line and column."""
    (jobs / "bids/hourly.yaml").write_text("parallelism: many\n")
    with pytest.raises(Invalid, match=r"jobs/bids/hourly\.yaml:1:14: .*whole number"):
        JobFolder(stack, "jobs", jobs, workspace="w")


def test_a_jar_is_found_from_the_stack(app: App, stack: Any, synth: Synth, jobs: Path) -> None:
    """Terraform runs in the stack's folder: the path is told from there, the same on every machine."""
    (jobs / "bids/late.jar").write_bytes(b"jar")
    (jobs / "bids/late.jar.yaml").write_text("jar: {source: late.jar, args: ['${x}']}\n")
    JobFolder(stack, "jobs", jobs, workspace="w")
    (late,) = (j for j in synth()["resource"]["flink_job"].values() if j["name"] == "late")
    assert "sql" not in late
    assert late["jar"]["args"] == ["$${x}"]
    assert late["jar"]["sha256"] == hashlib.sha256(b"jar").hexdigest()
    assert late["jar"]["source"] == "../../../jobs/bids/late.jar"
    assert (app.target / "stacks" / "s" / late["jar"]["source"]).resolve() == jobs / "bids/late.jar"


def test_a_renamed_job_is_moved(stack: Any, synth: Synth, jobs: Path) -> None:
    """From the address that its old path gave; after several moves, from each to the next."""
    (jobs / "bids/hourly.yaml").write_text("moved_from: [bids/deep/first.sql, bids/second.sql]\n")
    folder = JobFolder(stack, "jobs", jobs, workspace="w")
    made = folder.jobs["bids", "hourly"]
    first, second = made.beside("deep.first"), made.beside("second")
    assert made.beside("hourly") == made.address
    assert synth()["moved"] == [{"from": first, "to": second}, {"from": second, "to": made.address}]
