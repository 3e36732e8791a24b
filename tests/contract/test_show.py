"""`flinkform show`: every noun of a whole control plane, one of its things, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flinkform.cli import show
from flinkform.cli.main import main
from tests.contract.served import served
from tests.contract.test_kept import KEPT, Plane

SECRET = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane with two members, a variable and a draft in one of its two namespaces."""
    with served(tmp_path_factory.mktemp("home")) as running, pytest.MonkeyPatch.context() as shell:
        shell.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", running.key.id)
        shell.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", running.key.secret)
        shell.setenv("FLINKFORM_ENDPOINT", running.endpoint)
        made = Plane(running)
        for name, given in (
            ("member", {"member": "user:1", "role": "ADMIN"}),
            ("member", {"member": "user:2", "role": "VIEWER"}),
            ("variable", {"name": "password", "value": SECRET}),
            ("draft", {"name": "totals", "labels": {"team": "bids", "tier": "1"}}),
        ):
            made.world(KEPT[name]).apply(made.least(KEPT[name], **given))
        yield made
        made.client.close()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Return the JSON that a command prints."""
    assert main(["show", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("noun", show.NOUNS)
def test_every_noun(noun: str, plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """Each noun is listed, for people and for scripts, and no secret stands in either."""
    del plane
    assert isinstance(said(capsys, noun)[show.NOUNS[noun].plural], list)
    assert main(["show", noun]) == 0
    out = capsys.readouterr().out
    assert out.strip()
    assert SECRET not in out


def test_one_thing(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """A thing is shown by its key, its name or the end of its noun; what there is not is told with what there is."""
    del plane
    assert said(capsys, "members", "user:1")["role"] == "ADMIN"
    assert main(["show", "drafts", "totals"]) == 0
    out = capsys.readouterr().out
    assert "labels          team=bids, tier=1" in out
    assert said(capsys, "targets", "default-queue")["namespace"] == "main-default"
    assert main(["show", "members", "user:3"]) == 1
    assert "none of the members is called user:3; expected one of user:1, user:2" in capsys.readouterr().err


def test_filters(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are filtered by what the data source filters by, labels by one of several."""
    del plane
    assert [one["member"] for one in said(capsys, "members", "--where", "role=ADMIN")["members"]] == ["user:1"]
    for team, count in (("bids", 1), ("fraud", 0)):
        assert len(said(capsys, "drafts", "--where", f"labels.team={team}")["drafts"]) == count


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("members", "--where", "team=a"), "--where team=a: expected one of member=, role="),
        (("members", "--where", "role=OWNER"), "--where role=OWNER: expected one of"),
        (("drafts", "--where", "labels=a"), "--where labels=a: expected one of name=, "),
        (("members", "--namespace", "none"), "no namespace is called none; expected one of main-default"),
        (("members", "--workspace", "none"), "no workspace none; --workspace: expected one of main ("),
    ],
)
def test_refused(words: tuple[str, ...], error: str, plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be asked is refused with what can."""
    del plane
    assert main(["show", *words]) == 1
    assert error in capsys.readouterr().err


def test_an_unknown_noun_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The nouns that there are are named."""
    with pytest.raises(SystemExit) as end:
        main(["show", "queues"])
    assert end.value.code == 2
    assert "session-clusters" in capsys.readouterr().err
