"""From values to job files and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform.jobfile.documents import parse, scalar
from flinkform.jobfile.write import files, text


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), min_size=1, max_size=4))
def test_text_reads_back(values: dict[str, str]) -> None:
    """Whatever stands in a key or a value: YAML reads it as the text that it was."""
    if any("\ud800" <= char <= "\udfff" for pair in values.items() for item in pair for char in item):
        return
    document = parse(text({"map": values}).encode(), "a.yaml")
    assert document.faults == ()
    inner = document.root.value[0][1]
    assert {scalar(key): scalar(value) for key, value in inner.value} == values


def test_files_read_back(tmp_path: Path) -> None:
    """A job's files give its values again, to the byte, without what is the default."""
    values: dict[str, Any] = {
        "sql": "\ufeffSET 'a.b' = 'c';\r\nSELECT '\u00e9 ${x} $${y}'; -- ${z}",
        "description": "off",
        "parallelism": 1,
        "flink_options": {"a.b": "c", "n": "1.10"},
        "deletion_protection": True,
        "upgrade": {"mode": "latest", "fallback": False, "on_incompatible": "fail"},
    }
    for path, data in files("in.a..b", values).items():
        file = tmp_path / "team" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (job,) = jobfile.load(tmp_path)
    assert (job.name, job.namespace, job.path) == ("in.a..b", "team", "team/in/a.b.sql")
    del values["parallelism"]
    assert dict(job.values) == values
    assert b"parallelism" not in (tmp_path / "team/in/a.b.yaml").read_bytes()


@pytest.mark.parametrize("name", ["a.", "per--cent", "..a", "a/b", "-a", "0---_defaults", "a" * 300, "a.0---.b"])
def test_names_that_no_file_gives(name: str) -> None:
    """They are refused by name, and no path that leaves its folder comes of any."""
    with pytest.raises(Invalid) as refused:
        files(name, {"sql": "SELECT 1"})
    assert repr(name) in str(refused.value)


@given(st.text(st.sampled_from("aZ0._-/\u00e9\n "), min_size=1, max_size=20))
def test_no_path_leaves_its_folder(name: str) -> None:
    """A name is refused, or its path stays below the namespace's folder and gives it again."""
    try:
        (path,) = files(name, {"sql": "SELECT 1"})
    except Invalid:
        return
    assert os.path.normpath(path) == path
    assert not path.startswith(("/", "."))
    assert jobfile.job_name(path.removesuffix(".sql")) == name


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "expected a script or a program"),
        ({"sql": " "}, "got an empty file"),
        ({"sql": "a" * (1 << 20) + "aa\ud800"}, "surrogates"),
        ({"jar": {"uri": "oss://b/a.jar"}}, "nobody knows the sha256"),
    ],
)
def test_jobs_that_no_file_holds(values: dict[str, Any], said: str) -> None:
    """They are refused by name, with what to do."""
    with pytest.raises(Invalid, match=said) as refused:
        files("a", values)
    assert str(refused.value).startswith("a: ")


def test_a_program() -> None:
    """A program in a jar is a file of its own, pinned."""
    jar = {"uri": "oss://b/a.jar", "source": None, "sha256": "0" * 64, "args": ["--x", "1"]}
    assert files("a", {"jar": jar, "sql": None}) == {
        "a.jar.yaml": b'jar:\n  args: ["--x", "1"]\n  sha256: "' + b"0" * 64 + b'"\n  uri: "oss://b/a.jar"\n'
    }


def test_a_script_with_a_line_of_ours_is_no_file() -> None:
    """It would include something where it is written; the error says what to do."""
    with pytest.raises(Invalid, match=r"a: expected no line of flinkform's own, got '-- flinkform: include x.inc'"):
        files("a", {"sql": "-- flinkform: include x.inc\nSELECT 1"})
