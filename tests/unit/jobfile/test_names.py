"""The rule that makes a job's name from its path."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flinkform.errors import Invalid
from flinkform.jobfile import job_name, job_path

AWKWARD = "aB0_-./ é\u0301\U0001f600%{$'\"\\\n"
SEGMENT = st.text(alphabet=st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"])), min_size=1)
PATHS = st.lists(SEGMENT.map(lambda s: s.replace("/", "-")), min_size=1, max_size=4).map("/".join)


def named(path: str) -> str:
    try:
        return job_name(path)
    except Invalid:
        assume(False)
        raise


@given(PATHS)
def test_a_path_can_be_read_back(path: str) -> None:
    """The rule is injective: it has an inverse."""
    assert job_path(named(path)) == path


@given(
    st.text(alphabet="a-._0/\u00e9", min_size=1, max_size=12), st.text(alphabet="a-._0/\u00e9", min_size=1, max_size=12)
)
def test_two_paths_never_give_one_name(one: str, other: str) -> None:
    """Paths of the characters that the rule itself uses do not collide."""
    sound = [p for p in (one, other) if all(p.split("/"))]
    assume(len(sound) == 2)
    assert (named(one) == named(other)) == (one == other)


@given(PATHS)
def test_every_name_is_one_the_api_takes(path: str) -> None:
    """Names match the pattern of the API."""
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}", named(path))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("bids_per_minute", "bids_per_minute"),
        ("daily/top-sellers", "daily.top-sellers"),
        ("windows/v1.2/bids", "windows.v1..2.bids"),
        ("a--b", "a--2d--b"),
        ("caf\u00e9", "caf--e9-"),
        ("two words", "two--20-words"),
        ("_draft", "0---_draft"),
        ("a/.b", "a.--2e-b"),
        ("a./b", "a...b"),
        ("a..b", "a....b"),
    ],
)
def test_names_are_what_they_have_always_been(path: str, name: str) -> None:
    """The rule is frozen: these names are ids somewhere."""
    assert (job_name(path), job_path(name)) == (name, path)


def test_a_name_that_would_be_too_long_is_refused() -> None:
    """A path whose name the API would refuse says so, with its length."""
    assert job_name("a" * 255) == "a" * 255
    with pytest.raises(Invalid, match="at most 255 characters, got 256"):
        job_name("a" * 256)
