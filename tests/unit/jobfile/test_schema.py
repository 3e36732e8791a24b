"""The JSON Schema of a job file, and our own job files under it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from flinkform import jobfile
from flinkform.jobfile import schema

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = sorted(p for p in (ROOT / "environments").glob("*.yaml") if p.name != "schema.yaml")
VALIDATOR = jsonschema.Draft202012Validator(schema.document())


def valid(text: str) -> bool:
    return VALIDATOR.is_valid(yaml.safe_load(text))


def test_the_file_is_what_the_declaration_says() -> None:
    """The checked-in schema is the generated one, to the byte."""
    assert (ROOT / schema.FILE).read_bytes() == schema.text().encode()


def test_the_schema_is_one() -> None:
    """It obeys the rules of JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schema.document())


def test_writing_replaces_the_file(tmp_path: Path) -> None:
    """Written twice it is the same, and nothing else is left in the folder."""
    file = tmp_path / "new" / "job.schema.json"
    schema.write(file)
    first = file.read_bytes()
    schema.write(file)
    assert file.read_bytes() == first == schema.text().encode()
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("file", sorted((ROOT / "jobs").rglob("*.yaml")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_our_own_files_fit(file: Path) -> None:
    """Every example file is one that an editor would accept."""
    VALIDATOR.validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("parallelism: null\nlabels: {a: null}\n", True),
        ("flink_options: {a: 1, b: true, c: 10 s}\n", True),
        ("logging: {root: INFO}\n", True),
        ("state: null\nupgrade: {mode: latest}\n", True),
        ("upgrade: {mod: latest}\n", False),
        ("paralelism: 1\n", False),
        ("parallelism: 0\n", False),
        ("logging: {root: LOUD}\n", False),
        ("timeouts: {create: soon}\n", False),
        ("sql: x\n", False),
        ("flink_options: {a: [1]}\n", False),
    ],
)
def test_editors_and_we_agree(text: str, fits: bool, tmp_path: Path) -> None:
    """What the schema accepts, reading accepts, and the other way round."""
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "a.sql").write_text("SELECT 1;\n")
    (tmp_path / "n" / "a.yaml").write_text(text)
    assert valid(text) is fits
    assert (jobfile.survey(tmp_path).problems == ()) is fits


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda p: p.stem)
def test_our_own_jobs_load_in_every_environment(file: Path) -> None:
    """Four teams, a dozen jobs and more, in each environment the same ones, all with an owner."""
    jobs = jobfile.load(ROOT / "jobs", environment=file)
    assert {job.namespace for job in jobs} == {"bids", "catalog", "fraud", "reporting"}
    assert len(jobs) >= 12
    assert all(job.values["labels"].keys() >= {"team", "owner", "site"} for job in jobs)
    assert jobfile.environment(file).namespaces.keys() == {job.namespace for job in jobs}


def test_in_dev_everything_runs_once() -> None:
    """The environment of `make run` asks for one slot a job."""
    jobs = jobfile.load(ROOT / "jobs", environment=ROOT / "environments" / "dev.yaml")
    assert {job.values.get("parallelism", 1) for job in jobs} == {1}


def test_sources_are_gentle() -> None:
    """The examples do not wear out a laptop: slow sources, and short sequences, which Flink keeps in memory."""
    for job in jobfile.load(ROOT / "jobs"):
        sql = job.values["sql"]
        sources = sql.count("'connector' = 'datagen'")
        rates = [int(rate) for rate in re.findall(r"'rows-per-second' = '(\d+)'", sql)]
        ends = [int(end) for end in re.findall(r"\.end' = '(\d+)'", sql)]
        assert len(rates) + len(ends) == sources, job.path
        assert max([0, *rates]) <= 20
        assert max([0, *ends]) <= 10_000


def test_our_schema_file_is_within_the_standard_set() -> None:
    """The example allows what a reader finds in the guide, and fewer Flink options."""
    own: Any = jobfile.allowed(ROOT / "environments" / "schema.yaml")
    standard = jobfile.Allowed()
    assert (own.workspace, own.namespaces, own.jobs) == (standard.workspace, standard.namespaces, standard.jobs)
    assert "*" not in own.flink_options
