"""`flinkform apply` says of each release that it refuses why, in words and by a code for scripts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import plan, planning
from flinkform.cli.main import main
from flinkform.release import ledger
from flinkform.release.document import Release, Sealed
from flinkform.release.review import Review
from flinkform.release.signature import APPROVAL, RELEASE
from tests.unit.release.conftest import SQL, Site
from tests.unit.release.office import ITEM, Office, opened, openpgp

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not on this machine")
SERIALS = {"pay": {"lineage": "l", "serial": 7}}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office's checkout, at a control plane that has what the release was made for and plans the same."""
    office = opened(Site(tmp_path / "site", tmp_path / "user"), tmp_path / "keys")
    office.site.commit({"cdktf.json": "{}", "environments/dev.yaml": ""})
    monkeypatch.chdir(office.site.root)
    monkeypatch.setenv("HOME", str(office.site.home))
    monkeypatch.setenv("FLINKFORM_HOME", str(tmp_path / "flinkform"))
    monkeypatch.setenv("FLINKFORM_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("FLINKFORM_ENVIRONMENT", "prod")
    monkeypatch.setattr(plan, "terraform", lambda _: planned_by())
    monkeypatch.setattr(planning, "serials", lambda *_: SERIALS)
    monkeypatch.setattr(planning, "review", lambda *_: Review("prod", office.head, "", ("pay",), (ITEM,)))
    return office


def planned_by() -> Any:
    return planning.Terraform("terraform", {})


def signed(office: Office, release: Release) -> Sealed:
    return replace(office.sealed(release=release), approvals=(office.sign("pia", release.content, APPROVAL),))


def _expired(office: Office) -> Sealed:
    return signed(office, replace(office.release(), expires="2020-01-01T00:00:00+00:00"))


def _valid(office: Office, **other: Any) -> Sealed:
    return signed(office, replace(office.release(), expires="2099-01-01T00:00:00+00:00", **other))


def _unmerged(office: Office) -> Sealed:
    office.site.git("checkout", "-q", "-b", "mine")
    office.site.commit({"jobs/pay/x.sql": SQL * 2})
    return _valid(office)


def _approved(who: str) -> Callable[[Office], Sealed]:
    def made(office: Office) -> Sealed:
        good = _valid(office)
        return replace(good, approvals=(office.sign(who, good.release.content, APPROVAL),))

    return made


def _signed(who: str) -> Callable[[Office], Sealed]:
    def made(office: Office) -> Sealed:
        good = _valid(office)
        return replace(good, signature=office.sign(who, good.release.content, RELEASE))

    return made


def _altered(office: Office) -> Sealed:
    good = _valid(office)
    return replace(good, release=replace(good.release, expires="2100-01-01T00:00:00+00:00"))


def _recorded(outcome: str, stacks: list[str], **about: str) -> Callable[[Office], Sealed]:
    def made(office: Office) -> Sealed:
        good = _valid(office)
        kept = {"release": good.release.id, "outcome": outcome, "stacks": stacks, **about}
        ledger.record(office.site.repository, "prod", kept)
        return good

    return made


CASES: dict[str, tuple[Callable[[Office], Sealed], str]] = {
    "unsigned": (lambda office: replace(_valid(office), signature=""), "the release is not signed"),
    "altered": (_altered, "altered after it was signed"),
    "unknown-key": (_signed("eve"), "nobody named the key SHA256:"),
    "stale-key": (_signed("old"), "no longer good for this"),
    "expired": (_expired, "has expired at 2020"),
    "unmerged": (_unmerged, "is not in refs/heads/main"),
    "unapproved": (lambda office: replace(_valid(office), approvals=()), "jobs/pay/x.sql: expected 1 of @pay, got 0"),
    "unapproved by oneself": (_approved("ada"), "expected 1 of @pay, got 0"),
    "unapproved by owners": (_approved("rob"), "expected 1 of @pay, got 0"),
    "other-environment": (lambda office: _valid(office, environment="dev"), "is for dev, and this is prod"),
    "other-state": (
        lambda office: _valid(office, stacks=({"name": "pay", "lineage": "m", "serial": 7},)),
        "for another state of pay, of lineage m",
    ),
    "moved-on": (
        lambda office: _valid(office, stacks=({"name": "pay", "lineage": "l", "serial": 6},)),
        "expected serial 6, got 7",
    ),
    "other-plan": (
        lambda office: _valid(office, items=({**office.release().items[0], "digest": "d2"},)),
        "the plan is another one by now: values are others",
    ),
    "applied": (_recorded("applied", ["pay"]), "was applied already"),
    "unfinished": (
        _recorded("started", ["pay", "shop"], release="r-0"),
        "r-0 did not come to its end, and this release leaves shop as it is",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_refusal_has_its_words_and_its_code(
    checkout: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    """And says what to do; nothing is recorded."""
    made, message = CASES[case]
    made(checkout).write(tmp_path / "r.json")
    before = [one.about for one in ledger.history(checkout.site.repository, "prod")]
    assert main(["apply", str(tmp_path / "r.json"), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["code"] == case.partition(" ")[0]
    assert message in said["message"]
    assert said["advice"]
    assert [one.about for one in ledger.history(checkout.site.repository, "prod")] == before


@pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not on this machine")
def test_openpgp_keys_are_told_apart_too(
    checkout: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that nobody named, and a release that was altered."""
    with openpgp(checkout, tmp_path / "gnupg") as mark:
        monkeypatch.setenv("GNUPGHOME", str(tmp_path / "gnupg"))
        good = _valid(checkout)

        def code(sealed: Sealed) -> str:
            sealed.write(tmp_path / "r.json")
            assert main(["apply", str(tmp_path / "r.json"), "--json"]) == 1
            return str(json.loads(capsys.readouterr().out)["code"])

        def gpg(content: bytes, purpose: str) -> str:
            return checkout.gpg(mark, tmp_path / "gnupg", content, purpose)

        assert code(replace(good, signature=gpg(good.release.content, RELEASE))) == "unknown-key"
        assert code(replace(good, signature=gpg(b"other", RELEASE))) == "altered"
        named = f"{checkout.rules.signers}g@example.com openpgp {mark}\n"
        checkout.site.commit({"environments/signers": named})
        good = _valid(checkout)
        sealed = replace(good, signature=gpg(good.release.content, RELEASE))
        assert code(replace(sealed, approvals=())) == "unapproved"
        assert code(replace(sealed, approvals=(gpg(good.release.content, APPROVAL),))) == "unapproved"
