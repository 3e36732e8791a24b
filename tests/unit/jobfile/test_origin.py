"""Where each value of a job comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.errors import Invalid, NotFound, Position
from flinkform.jobfile import load_job, origins
from tests.unit.jobfile.conftest import SQL, Site

JOBS, PROD = Path("jobs"), Path("environments/prod.yaml")


@pytest.fixture
def layered(site: Site) -> Site:
    """A job that every kind of file has a say in."""
    site.write("jobs/_defaults.yaml", "parallelism: 1\nlabels: {a: x, b: y}\n")
    site.write("jobs/n/_defaults.yaml", "parallelism: 2\nstate: suspended\n")
    site.write("jobs/n/a.yaml", "parallelism: 3\nlabels: {b: null}\nflink_options: {o: 1}\n")
    site.write("jobs/n/a.sql", "SET 'o' = '1';\nSET 'execution.runtime-mode' = 'batch';\n" + SQL)
    site.write("environments/prod.yaml", "jobs:\n  - match: ['**']\n    parallelism: 4\n    labels: {c: z}\n")
    return site


def test_every_value_names_the_file_that_counts_and_those_below_it(layered: Site) -> None:
    """Down to the entries of maps; what is taken away is said by whoever does so."""
    assert layered
    found = {
        ".".join(map(str, one.at)): [(said.value, str(said.position)) for said in (one.said, *one.over)]
        for one in origins("n/a.sql", JOBS, environment=PROD)
    }
    assert found == {
        "execution_mode": [("BATCH", "jobs/n/a.sql:2:1")],
        "flink_options.o": [("1", "jobs/n/a.sql:1:1"), ("1", "jobs/n/a.yaml:3:20")],
        "labels.a": [("x", "jobs/_defaults.yaml:2:13")],
        "labels.b": [(None, "jobs/n/a.yaml:2:13"), ("y", "jobs/_defaults.yaml:2:19")],
        "labels.c": [("z", "environments/prod.yaml:4:17")],
        "parallelism": [
            (4, "environments/prod.yaml:3:18"),
            (3, "jobs/n/a.yaml:1:14"),
            (2, "jobs/n/_defaults.yaml:1:14"),
            (1, "jobs/_defaults.yaml:1:14"),
        ],
        "state": [("suspended", "jobs/n/_defaults.yaml:2:8")],
    }


def test_values_are_those_of_the_job(layered: Site) -> None:
    """What counts here is what is applied."""
    assert layered
    job = load_job("n/a.sql", JOBS, environment=PROD)
    flat = {
        (name, key): item
        for name, value in job.values.items()
        for key, item in (value.items() if isinstance(value, dict) else [("", value)])
        if name != "sql"
    }
    found = {
        (one.at[0], one.at[1] if len(one.at) > 1 else ""): one.said.value
        for one in origins("n/a.sql", JOBS, environment=PROD)
        if one.said.value is not None
    }
    assert found == flat


def test_a_map_that_is_taken_away_is_taken_away_entry_by_entry(layered: Site) -> None:
    """The overlay that does so stands over each of them."""
    layered.write("environments/prod.yaml", "jobs:\n  - match: [n/*]\n    labels: null\n")
    found = {one.at: one.said for one in origins("n/a.sql", JOBS, environment=PROD)}
    place = Position("environments/prod.yaml", 3, 13)
    assert [(found["labels", key].value, found["labels", key].position) for key in "ab"] == [(None, place)] * 2


def test_what_is_wrong_is_refused(layered: Site) -> None:
    """A job that is not there, and one whose files are wrong."""
    with pytest.raises(NotFound, match=r"there is no job jobs/n/b\.sql"):
        origins("n/b.sql", JOBS)
    layered.write("jobs/n/a.yaml", "parallelism: x\n")
    with pytest.raises(Invalid, match=r"jobs/n/a\.yaml:1:14: "):
        origins("n/a.sql", JOBS)
