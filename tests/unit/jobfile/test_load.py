"""A folder of job files as jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform.errors import Invalid, NotFound, Position
from flinkform.jobfile import Job, load, load_job
from tests.unit.jobfile.conftest import SQL, Site

JOBS = Path("jobs")


def values(job: Job) -> dict[str, Any]:
    return {name: value for name, value in job.values.items() if name != "sql"}


def refused() -> str:
    with pytest.raises(Invalid) as caught:
        load(JOBS)
    return str(caught.value)


def test_a_plain_script_is_a_job(site: Site) -> None:
    """An .sql file alone is enough: its path says everything, and nothing is set but the script."""
    site.write("jobs/bids/windows/per_minute.sql")
    (job,) = load(JOBS)
    assert (job.path, job.namespace, job.name) == ("bids/windows/per_minute.sql", "bids", "windows.per_minute")
    assert job.values == {"sql": SQL}
    assert job.sources == {"sql": Position("jobs/bids/windows/per_minute.sql", 1, 1)}


def test_jobs_come_in_the_order_of_their_paths(site: Site) -> None:
    """The order does not depend on the disk, and a namespace's jobs stand together."""
    for path in ("b/x", "a/z", "a-b/y", "a/b/c", "a/a"):
        site.write(f"jobs/{path}.sql")
    assert [job.path for job in load(JOBS)] == ["a-b/y.sql", "a/a.sql", "a/b/c.sql", "a/z.sql", "b/x.sql"]


def test_defaults_lie_from_root_to_leaf(site: Site) -> None:
    """Every folder adds to what is above it, the sidecar lies over them, and SETs over all."""
    site.write("jobs/_defaults.yaml", "parallelism: 1\nlabels: {site: auction, team: none}\n")
    site.write("jobs/bids/_defaults.yaml", "parallelism: 2\nlabels: {team: bids}\nflink_options: {a: 1, b: 1, c: 1}\n")
    site.write("jobs/bids/deep/_defaults.yaml", "flink_options: {b: 2}\n")
    site.write("jobs/bids/deep/x.yaml", "parallelism: null\nstate: suspended\nflink_options: {c: 3}\n")
    site.write("jobs/bids/deep/x.sql", "SET 'd' = '4';\nSET 'a' = '5';\n" + SQL)
    site.write("jobs/bids/y.sql")
    deep, flat = load(JOBS)
    assert values(deep) == {
        "labels": {"site": "auction", "team": "bids"},
        "flink_options": {"a": "5", "b": "2", "c": "3", "d": "4"},
        "state": "suspended",
    }
    assert values(flat)["parallelism"] == 2
    assert deep.sources["labels"].file == "jobs/bids/_defaults.yaml"
    assert deep.sources["state"] == Position("jobs/bids/deep/x.yaml", 2, 8)
    assert deep.sources["flink_options"] == Position("jobs/bids/deep/x.sql", 1, 1)


def test_jobs_do_not_share_their_maps(site: Site) -> None:
    """What a caller does to one job's map happens to no other."""
    site.write("jobs/_defaults.yaml", "labels: {a: x}\n")
    site.write("jobs/n/a.sql")
    site.write("jobs/n/b.sql")
    one, other = load(JOBS)
    one.values["labels"]["a"] = "changed"
    assert other.values["labels"] == {"a": "x"}


def test_jobs_are_values(site: Site) -> None:
    """Two readings of the same files are equal, may be members of sets, and cannot be changed."""
    site.write("jobs/n/a.sql")
    (one,), (other,) = load(JOBS), load(JOBS)
    assert one == other
    assert len({one, other}) == 1
    with pytest.raises(TypeError):
        one.values["sql"] = ""  # type: ignore[index]


def test_leading_sets_make_a_batch_job(site: Site) -> None:
    """A SET of the runtime mode becomes the execution mode, over what the folder says; the text stays whole."""
    text = "SET 'execution.runtime-mode' = 'batch';\nSET 'a' = '1';\n" + SQL
    site.write("jobs/_defaults.yaml", "execution_mode: STREAMING\n")
    site.write("jobs/n/a.sql", text)
    (job,) = load(JOBS)
    assert job.values == {"sql": text, "execution_mode": "BATCH", "flink_options": {"a": "1"}}
    assert job.sources["execution_mode"] == Position("jobs/n/a.sql", 1, 1)


@pytest.mark.parametrize(
    ("sidecar", "error"),
    [
        (
            "parallelism: 1\nexecution_mode: STREAMING\n",
            "2:17: the script SETs execution.runtime-mode to batch, this says STREAMING",
        ),
        ("flink_options:\n  b: 1\n  a: 2\n", "3:6: the script SETs a to '1', this says '2'"),
    ],
)
def test_a_sidecar_may_not_contradict_its_script(site: Site, sidecar: str, error: str) -> None:
    """Flink would go by the script, so a sidecar that says otherwise is refused."""
    site.write("jobs/n/a.sql", "SET 'execution.runtime-mode' = 'batch';\nSET 'a' = '1';\n" + SQL)
    site.write("jobs/n/a.yaml", sidecar)
    assert refused() == f"jobs/n/a.yaml:{error}; remove one of them"


def test_a_sidecar_may_repeat_its_script(site: Site) -> None:
    """The same value twice is no contradiction."""
    site.write("jobs/n/a.sql", "SET 'a' = '1';\n" + SQL)
    site.write("jobs/n/a.yaml", "flink_options: {a: 1}\nexecution_mode: STREAMING\n")
    assert values(load(JOBS)[0]) == {"flink_options": {"a": "1"}, "execution_mode": "STREAMING"}


class Memory:
    """A tree in memory: what anything but a disk looks like to `load`."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def files(self) -> list[str]:
        return list(self._files)

    def read(self, path: str, limit: int) -> bytes:
        return self._files[path][: limit + 1]

    def shown(self, path: str) -> str:
        return f"git:{path}"


@given(st.text(min_size=1).map(lambda t: f"${{a.b}}%{{b}}\r\n;'{t}'\ufeff"))
def test_the_bytes_of_a_script_survive(text: str) -> None:
    """What Terraform, YAML or an editor would read into a script stays text."""
    (job,) = load(Memory({"n/a.sql": text.encode()}))
    assert job.values["sql"].encode() == text.encode()


def test_jobs_may_come_from_anywhere() -> None:
    """A tree that is no folder gives the same jobs, with places of its own."""
    files = {"n/a.sql": SQL.encode(), "n/a.yaml": b"parallelism: x"}
    with pytest.raises(Invalid, match=r"git:n/a\.yaml:1:14: expected a whole number"):
        load(Memory(files))


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (
            {"jobs/a.sql": SQL},
            "jobs/a.sql:1:1: expected the file in a folder, whose name is the job's namespace; move it into one",
        ),
        (
            {"jobs/1st/a.sql": SQL},
            "jobs/1st/a.sql:1:1: expected a letter, then at most 127 letters, digits, '-', '_' or '.', got '1st'",
        ),
        ({"jobs/n/a.yaml": ""}, "jobs/n/a.yaml:1:1: this file belongs to no job; expected a.sql beside it"),
        ({"jobs/n/a.sql": SQL, "jobs/n/a.yml": ""}, "jobs/n/a.yml:1:1: expected the suffix .yaml, got .yml"),
        ({"jobs/n/a.SQL": SQL}, "jobs/n/a.SQL:1:1: expected the suffix .sql, got .SQL"),
        (
            {"jobs/n/_defaults.sql": SQL},
            "jobs/n/_defaults.sql:1:1: expected another name: a job called _defaults has no sidecar",
        ),
        (
            {"jobs/n/a.sql": SQL, "jobs/n/A.sql": SQL},
            "jobs/n/a.sql:1:1: the same name as jobs/n/A.sql but for upper and lower case; rename one of them",
        ),
        (
            {"jobs/n/a.sql": SQL, "jobs/N/b.sql": SQL},
            "jobs/n:1:1: the same name as jobs/N but for upper and lower case; rename one of them",
        ),
        (
            {"jobs/n/caf\u00e9.sql": SQL, "jobs/n/cafe\u0301.sql": SQL},
            "jobs/n/caf\u00e9.sql:1:1: the same name as jobs/n/cafe\u0301.sql but for",
        ),
        ({"jobs/n/a.sql": SQL, "jobs/n/_defaults.yaml": "x: 1"}, "jobs/n/_defaults.yaml:1:1: unknown key 'x'; "),
        (
            {f"jobs/n/{'a' * 200}/{'b' * 100}.sql": SQL},
            f"jobs/n/{'a' * 200}/{'b' * 100}.sql:1:1: expected a path that ",
        ),
    ],
)
def test_what_is_wrong_with_a_tree_is_refused_at_its_place(site: Site, files: dict[str, str], error: str) -> None:
    """Files that would be ignored, lost or mistaken for another are errors that name the file."""
    for path, text in files.items():
        site.write(path, text)
    assert refused().startswith(error)


def test_a_script_of_more_than_a_megabyte_is_refused(site: Site) -> None:
    """A script has at most 1 MiB, to the byte."""
    site.write("jobs/n/a.sql", "x" * 1024 * 1024)
    assert len(load(JOBS)[0].values["sql"]) == 1024 * 1024
    site.write("jobs/n/a.sql", "x" * (1024 * 1024 + 1))
    assert refused() == "jobs/n/a.sql:1:1: expected at most 1,048,576 bytes, got more"


def test_a_yaml_file_is_bounded_too(site: Site) -> None:
    """A sidecar has at most 256 KiB."""
    site.write("jobs/n/a.sql")
    site.write("jobs/n/a.yaml", "#" * (256 * 1024 + 1))
    assert refused() == "jobs/n/a.yaml:1:1: expected at most 262,144 bytes, got more"


def test_links_that_leave_the_tree_are_refused(site: Site) -> None:
    """A link to a file elsewhere is no way to read it."""
    secret = site.write("secret.sql")
    site.write("jobs/n/b.sql")
    (site.jobs / "n" / "a.sql").symlink_to(secret)
    assert refused() == "jobs/n/a.sql:1:1: expected a file of this folder, got a link that leaves it"


@pytest.mark.parametrize("target", ["../n", "/", ".", "../../environments"])
def test_links_to_folders_are_refused(site: Site, target: str) -> None:
    """A folder stands in one place: links to folders could go round in circles."""
    site.write("jobs/n/b.sql")
    site.write("environments/dev.yaml", "")
    (site.jobs / "n" / "more").symlink_to(target)
    assert refused().startswith("jobs/n/more:1:1: expected a file")


def test_links_inside_the_tree_are_followed(site: Site) -> None:
    """A link to another file of the tree is a job of its own."""
    site.write("jobs/n/a.sql")
    (site.jobs / "n" / "b.sql").symlink_to("a.sql")
    assert [job.name for job in load(JOBS)] == ["a", "b"]


def test_a_link_to_nothing_is_refused(site: Site) -> None:
    """A link whose file is gone is named."""
    site.write("jobs/n/b.sql")
    (site.jobs / "n" / "a.sql").symlink_to("gone.sql")
    assert refused().startswith("jobs/n/a.sql:1:1: expected a file, got something else")


def test_a_pipe_is_refused(site: Site) -> None:
    """A file that nobody ends would be read for ever."""
    site.write("jobs/n/b.sql")
    os.mkfifo(site.jobs / "n" / "a.sql")
    assert refused().startswith("jobs/n/a.sql:1:1: expected a file, got something else")


def test_a_file_name_that_is_no_utf8_is_refused(site: Site) -> None:
    """A name that cannot be written down is shown as far as it can be."""
    site.write("jobs/n/b.sql")
    (site.jobs / "n" / os.fsdecode(b"caf\xe9.sql")).write_text(SQL)
    assert refused() == r"jobs/n/caf\udce9.sql:1:1: expected a file name in UTF-8"


def test_hidden_and_other_files_are_left_alone(site: Site) -> None:
    """Editors' and people's own files do not matter."""
    for path in (".git/x.sql", "n/.a.sql.swp", "n/.b.sql", "n/README.md", "n/rates.csv", "n/a.sql~"):
        site.write(f"jobs/{path}")
    site.write("jobs/n/a.sql")
    assert [job.path for job in load(JOBS)] == ["n/a.sql"]


def test_a_folder_that_is_not_there_is_named(site: Site) -> None:
    """A missing folder is not an empty one."""
    assert load(site.jobs) == ()
    with pytest.raises(NotFound, match="there is no folder elsewhere"):
        load(Path("elsewhere"))


def test_one_job_is_the_same_as_among_all(site: Site) -> None:
    """A job read alone has the values it has in its folder."""
    site.write("jobs/_defaults.yaml", "parallelism: 3\n")
    site.write("jobs/n/a.sql")
    site.write("jobs/n/broken.sql", "")
    assert load_job("n/a.sql", JOBS).values["parallelism"] == 3
    with pytest.raises(NotFound, match=r"there is no job jobs/n/c\.sql"):
        load_job("n/c.sql", JOBS)
