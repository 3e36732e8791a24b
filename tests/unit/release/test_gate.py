"""A release is applied as it was signed and approved, to the state it was made for, and in no other case."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flinkform.errors import Conflict, Denied, FlinkformError, Invalid
from flinkform.release import document, gate, ledger, signature
from flinkform.release.document import Sealed
from flinkform.release.git import Repository
from flinkform.release.review import Review
from flinkform.release.signature import APPROVAL, RELEASE
from tests.unit.release.conftest import SQL, Site
from tests.unit.release.office import ITEM, NOW, Office, opened, openpgp

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not on this machine")


@pytest.fixture
def office(site: Site, tmp_path: Path) -> Office:
    return opened(site, tmp_path / "keys")


def test_the_rules_are_those_of_the_commit(office: Office) -> None:
    """Whatever the checkout around has by now."""
    (office.site.root / "environments/prod.yaml").write_text("")
    found = office.rules
    assert (found.approvals, found.hours, found.canary, found.window, found.branch) == (
        1,
        2.0,
        ("pay/x",),
        90.0,
        "main",
    )


def test_a_signed_and_approved_release_is_admitted(office: Office) -> None:
    """By the names of who made it."""
    assert office.admit(office.sealed("pia")).names == ("ada@example.com", "@pay")


def test_a_file_of_a_release_is_the_release(office: Office, tmp_path: Path) -> None:
    """Its signatures too; what is none is refused as that."""
    sealed = office.sealed("pia")
    sealed.write(tmp_path / "r.json")
    assert document.read(tmp_path / "r.json") == sealed
    (tmp_path / "r.json").write_text('{"format": "flinkform.release/1"}')
    with pytest.raises(Invalid, match="is no release"):
        document.read(tmp_path / "r.json")


def refused(office: Office, case: str) -> Sealed:
    """A release with one thing wrong."""
    good = office.sealed("pia")
    release = good.release
    other = {"altered": {"items": ({**release.items[0], "digest": "d2"},)}, "prolonged": {"expires": "2030-01-01"}}
    signer = {"unknown": "eve", "old key": "old"}
    approver = {"approved by a stranger": "eve", "approved by oneself": "ada", "approved by no owner": "rob"}
    if case in other:
        return replace(good, release=replace(release, **other[case]))  # type: ignore[arg-type]
    if case in signer:
        return replace(good, signature=office.sign(signer[case], release.content, RELEASE))
    if case in approver:
        return replace(good, approvals=(office.sign(approver[case], release.content, APPROVAL),))
    rest = {"unsigned": replace(good, signature=""), "another purpose": replace(good, signature=good.approvals[0])}
    return rest.get(case) or replace(good, approvals=())


CASES = {
    "unsigned": "the release is not signed",
    "altered": "altered after it was signed",
    "prolonged": "altered after it was signed",
    "unknown": "nobody named the key SHA256:",
    "old key": "no longer good for this",
    "another purpose": "altered after it was signed",
    "unapproved": r"jobs/pay/x.sql: expected 1 of @pay, got 0",
    "approved by a stranger": "nobody named the key",
    "approved by oneself": r"expected 1 of @pay, got 0",
    "approved by no owner": r"expected 1 of @pay, got 0",
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said(office: Office, case: str) -> None:
    """Each in its own words, as something denied."""
    with pytest.raises(Denied, match=CASES[case]):
        office.admit(refused(office, case))


def test_time_place_and_branch_are_checked(office: Office) -> None:
    """Expired, for another environment, of a commit that was not merged."""
    with pytest.raises(Denied, match="expired at 2026-11-23T14:00:00"):
        office.admit(office.sealed("pia"), now=NOW + timedelta(hours=2))
    with pytest.raises(Conflict, match="is for prod, and this is staging"):
        office.admit(office.sealed("pia"), environment="staging")
    office.site.git("checkout", "-q", "-b", "mine")
    office.site.commit({"jobs/pay/x.sql": SQL * 2})
    with pytest.raises(Denied, match="is not in refs/heads/main"):
        office.admit(office.sealed("pia"))


def test_another_state_or_another_plan_is_refused(office: Office) -> None:
    """By lineage, by serial, and by what would change."""
    release = office.release()
    gate.unchanged(release, {"pay": {"lineage": "l", "serial": 7}})
    with pytest.raises(Conflict, match="another state of pay"):
        gate.unchanged(release, {"pay": {"lineage": "m", "serial": 7}})
    with pytest.raises(Conflict, match="expected serial 7, got 8"):
        gate.unchanged(release, {"pay": {"lineage": "l", "serial": 8}})
    gate.same(release, {("pay", "flink_job.x"): "d1"})
    with pytest.raises(Conflict, match="values are others"):
        gate.same(release, {("pay", "flink_job.x"): "d2"})
    with pytest.raises(Conflict, match=r"pay/flink_job.y would change too"):
        gate.same(release, {("pay", "flink_job.x"): "d1", ("pay", "flink_job.y"): "d"})


def test_what_is_refused_or_not_committed_is_no_release(office: Office) -> None:
    """There is nothing that could be signed."""
    kept = Review("prod", "", "", (), (ITEM,))
    for review, message in (
        (kept, "is of a commit"),
        (
            replace(kept, commit=office.head, items=(replace(ITEM, action="refused", refused="no"),)),
            "pay/x cannot be planned",
        ),
    ):
        with pytest.raises(Invalid, match=message):
            document.bound(review, office.site.repository, author="", hours=1, now=NOW)


def test_an_artefact_is_the_same_in_every_environment(office: Office) -> None:
    """Another environment file does not change it, another script does."""
    site, first = office.site, office.head
    second = site.commit({"environments/prod.yaml": "", "README.md": "x"})
    third = site.commit({"jobs/pay/x.sql": SQL * 3})
    found = [document.artefact(site.repository, commit) for commit in (first, second, third)]
    assert found[0] == found[1] != found[2]


def test_the_ledger_grows_by_commits_that_no_branch_shows(office: Office) -> None:
    """The newest first; two that write at once do not lose one another's."""
    repository = office.site.repository
    for number in range(3):
        ledger.record(repository, "prod", {"release": f"r-{number}", "outcome": "applied"})
    entries = list(ledger.history(repository, "prod"))
    assert [one.about["release"] for one in entries] == ["r-2", "r-1", "r-0"]
    assert list(ledger.history(repository, "dev")) == []
    assert office.site.git("branch", "--format=%(refname)").decode().split() == ["refs/heads/main"]
    office.site.git("update-ref", ledger.ref("prod"), entries[1].number)
    ledger.record(repository, "prod", {"release": "r-3"})
    assert json.dumps([one.about["release"] for one in ledger.history(repository, "prod")]) == '["r-3", "r-1", "r-0"]'


@pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not on this machine")
def test_openpgp_keys_sign_too(office: Office, tmp_path: Path) -> None:
    """As Git uses them; the file of signers names their fingerprints."""
    home = tmp_path / "gnupg"
    with openpgp(office, home) as mark:
        shell = {**office.site.shell, "GNUPGHOME": str(home)}
        made = office.gpg(mark, home, b"content", RELEASE)
        signers = f"{office.rules.signers}g@example.com,@root openpgp {mark}\n"
        assert signature.verify(shell, signers, b"content", made, RELEASE).names == ("g@example.com", "@root")
        for content, purpose in ((b"other", RELEASE), (b"content", APPROVAL)):
            with pytest.raises(Denied, match="altered"):
                signature.verify(shell, signers, content, made, purpose)
        with pytest.raises(FlinkformError, match="nobody named the key"):
            signature.verify(shell, "", b"content", made, RELEASE)


def test_what_was_begun_goes_on_with_what_is_left(office: Office) -> None:
    """A serial that moved on is its own doing; half made is made anew, and nothing is removed that shall stay."""
    release = office.release()
    gate.unchanged(release, {"pay": {"lineage": "l", "serial": 9}}, again=True)
    with pytest.raises(Conflict, match="another state"):
        gate.unchanged(release, {"pay": {"lineage": "other", "serial": 9}}, again=True)
    gate.within(release, (), again=True)
    for action in ("update", "replace", "create"):
        gate.within(release, (replace(ITEM, action=action),), again=True)
    with pytest.raises(Conflict, match="by replace"):
        gate.within(release, (replace(ITEM, action="replace"),), again=False)
    for item in (
        replace(ITEM, action="delete"),
        replace(ITEM, address="flink_job.y"),
        replace(ITEM, action="refused", refused="no"),
    ):
        with pytest.raises(Conflict, match="another one by now"):
            gate.within(release, (item,), again=True)


def test_what_did_not_end_is_not_left_behind(office: Office) -> None:
    """The next release finishes it or covers all of its stacks; one that ended asks for nothing."""
    site, release = office.site, office.release()
    assert ledger.unfinished(site.repository, "prod") is None
    gate.follows(release, {"release": "r-1", "stacks": ["pay"]})
    with pytest.raises(Conflict, match="r-1 did not come to its end, and this release leaves shop as it is"):
        gate.follows(release, {"release": "r-1", "stacks": ["pay", "shop"]})
    for outcome in (ledger.STARTED, ledger.FAILED):
        ledger.record(site.repository, "prod", {"release": "r-1", "outcome": outcome})
        assert (ledger.unfinished(site.repository, "prod") or {})["release"] == "r-1"
    ledger.record(site.repository, "prod", {"release": "r-1", "outcome": ledger.APPLIED})
    assert ledger.unfinished(site.repository, "prod") is None


def test_a_release_begins_only_where_origin_has_no_other(office: Office, tmp_path: Path) -> None:
    """What somebody else recorded there meanwhile is told, and nothing is recorded here."""
    site, origin = office.site, tmp_path / "origin.git"
    site.git("clone", "-q", "--bare", str(site.root), str(origin))
    site.git("remote", "add", "origin", str(origin))
    ledger.begin(site.repository, "prod", {"release": "r-1"})
    other = Repository.around(origin, site.shell)
    assert [one.about["release"] for one in ledger.history(other, "prod")] == ["r-1"]
    ledger.record(other, "prod", {"release": "r-2"})
    with pytest.raises(Conflict, match="another release of prod was recorded at origin meanwhile"):
        ledger.begin(site.repository, "prod", {"release": "r-3"})
    ledger.fetch(site.repository, "prod")
    assert [one.about["release"] for one in ledger.history(site.repository, "prod")] == ["r-2", "r-1"]
