"""Where the project, its home and its credentials are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import project
from flinkform.cli.shell import variables
from flinkform.errors import Invalid, Missing, Unavailable


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """An infrastructure repository with nothing started in it."""
    (tmp_path / "cdktf.json").write_text("{}")
    (tmp_path / "jobs" / "bids").mkdir(parents=True)
    return tmp_path


def test_the_project_is_found_from_below(checkout: Path) -> None:
    """A command works in any folder of the checkout; the home is beside cdktf.json."""
    found = project.find({}, start=checkout / "jobs" / "bids")
    assert (found.root, found.home, found.environment) == (checkout, checkout / ".flinkform", "dev")


def test_flinkform_home_wins(checkout: Path, tmp_path: Path) -> None:
    """FLINKFORM_HOME says where everything of run time goes."""
    assert project.find({"FLINKFORM_HOME": str(tmp_path / "else")}, start=checkout).home == tmp_path / "else"


def test_outside_a_project_is_an_error(tmp_path: Path) -> None:
    """The folder that was looked in is named."""
    with pytest.raises(Missing, match=f"no cdktf.json in {tmp_path}"):
        project.find({}, start=tmp_path)


def test_a_home_alone_is_no_project(tmp_path: Path) -> None:
    """What reads job files needs the repository too; the rest is content with FLINKFORM_HOME."""
    shell = {"FLINKFORM_HOME": str(tmp_path / "home")}
    assert project.find(shell, start=tmp_path).home == tmp_path / "home"
    with pytest.raises(Missing, match=f"no cdktf.json in {tmp_path} or above"):
        project.checkout(shell, start=tmp_path)


def test_the_shells_keys_win_over_the_homes(checkout: Path) -> None:
    """Both or none: half a pair of keys is no pair."""
    home = checkout / ".flinkform"
    home.mkdir()
    (home / "credentials.json").write_text(json.dumps({"access_key_id": "mine", "access_key_secret": "kept"}))
    shell = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "theirs"}
    assert project.find(shell, start=checkout).credentials() == ("mine", "kept")
    shell["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "given"
    assert project.find(shell, start=checkout).credentials() == ("theirs", "given")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"access_key_id": "x"}', "\0"])
def test_a_damaged_key_is_named(checkout: Path, text: str) -> None:
    """The file, and how to get another."""
    file = checkout / ".flinkform" / "credentials.json"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(Invalid, match=f"{file} holds no access key; delete it"):
        project.find({}, start=checkout).credentials()


def test_an_empty_environment_is_none(checkout: Path) -> None:
    """A variable that is set to nothing is one that is not set."""
    assert project.find({"FLINKFORM_ENVIRONMENT": ""}, start=checkout).environment == "dev"


def test_before_the_first_up_there_is_nothing_to_speak_to(checkout: Path) -> None:
    """The advice says what to type."""
    with pytest.raises(Unavailable, match="run `flinkform up`"):
        project.find({}, start=checkout).login()


@pytest.mark.parametrize(
    ("shell", "endpoint"),
    [
        ({"FLINKFORM_ENDPOINT": "http://new/"}, ""),
        ({"FLINKFORM_ENDPOINT": "http://old", "FLINKFORM_OWN_ENDPOINT": "http://old"}, ""),
        ({"FLINKFORM_ENDPOINT": "http://other", "FLINKFORM_OWN_ENDPOINT": "http://old"}, "http://other"),
        ({"FLINKFORM_ENDPOINT": "http://other", "FLINKFORM_OWN_ENDPOINT": ""}, "http://other"),
    ],
)
def test_its_own_endpoint_is_no_other_one(tmp_path: Path, shell: dict[str, str], endpoint: str) -> None:
    """What `flinkform env` exported is as if it was not set, though the home listens elsewhere by now."""
    (tmp_path / "endpoint").write_text("http://new")
    found = project.find(shell | {"FLINKFORM_HOME": str(tmp_path)}, start=tmp_path)
    assert found.shell.get("FLINKFORM_ENDPOINT", "") == endpoint
    assert found.endpoint() == (endpoint or "http://new")
    told = variables(found)
    assert told["FLINKFORM_OWN_ENDPOINT"] == ("" if endpoint else told["FLINKFORM_ENDPOINT"])
