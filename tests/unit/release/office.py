"""A repository whose people have keys, and releases of it that they sign."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flinkform.release import document, gate, signature
from flinkform.release.document import Release, Sealed
from flinkform.release.gate import Rules
from flinkform.release.git import Repository
from flinkform.release.review import Item, Review
from flinkform.release.signature import APPROVAL, RELEASE, Signer
from tests.unit.release.conftest import SQL, Site

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ITEM = Item("pay", "flink_job.x", "flink_job", "pay/x", "update", path="pay/x.sql", digest="d1")
OWNERS = "* @root\n/jobs/pay/ @pay\n"
ENVIRONMENT = "release:\n  approvals: 1\n  expires: 2h\n  canary: [pay/x]\n  window: 1m30s\n  branch: main\n"


@dataclass
class Office:
    """A repository whose people have keys, and a release of it that Ada has signed."""

    site: Site
    keys: Path

    def key(self, name: str) -> str:
        """Make a key, and return its public half."""
        file = self.keys / name
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)]
        subprocess.run(words, check=True)
        return file.with_name(f"{name}.pub").read_text().strip()

    def sign(self, who: str, content: bytes, purpose: str) -> str:
        self.site.git("config", "gpg.format", "ssh")
        self.site.git("config", "user.signingkey", str(self.keys / who))
        return signature.sign(self.site.repository, content, purpose)

    def gpg(self, mark: str, home: Path, content: bytes, purpose: str) -> str:
        """Sign with the OpenPGP key of that fingerprint."""
        self.site.git("config", "gpg.format", "openpgp")
        self.site.git("config", "user.signingkey", mark)
        shell = {**self.site.shell, "GNUPGHOME": str(home)}
        return signature.sign(Repository(self.site.root, "", shell), content, purpose)

    @property
    def head(self) -> str:
        return self.site.repository.resolve("HEAD")

    @property
    def rules(self) -> Rules:
        return gate.rules(self.site.repository, self.head, "prod")

    def release(self) -> Release:
        states = {"pay": {"lineage": "l", "serial": 7}}
        review = Review("prod", self.head, "", ("pay",), (ITEM,), serials=states)
        return document.bound(review, self.site.repository, author="Ada", hours=self.rules.hours, now=NOW)

    def sealed(self, *approvers: str, release: Release | None = None) -> Sealed:
        made = release or self.release()
        found = Sealed(made, self.sign("ada", made.content, RELEASE))
        for who in approvers:
            found = found.approved(self.sign(who, made.content, APPROVAL))
        return found

    def admit(self, sealed: Sealed, *, environment: str = "prod", now: datetime = NOW) -> Signer:
        return gate.admit(sealed, self.rules, self.site.repository, environment=environment, now=now)


def opened(site: Site, keys: Path) -> Office:
    """Return an office: Ada makes releases, Pia owns payments, Rob owns the rest, Old was here once."""
    found = Office(site, keys)
    found.keys.mkdir()
    names = {"ada": "ada@example.com,@pay", "pia": "pia@example.com,@pay", "rob": "rob@example.com,@root", "old": "old"}
    lines = [f"{told} {found.key(who)}" for who, told in names.items()]
    lines[-1] = lines[-1].replace("old ssh", 'old valid-before="20200101" ssh')
    found.key("eve")
    signers = "\n".join(lines) + "\n"
    files = {"jobs/pay/x.sql": SQL, "CODEOWNERS": OWNERS, "environments/signers": signers}
    site.commit({**files, "environments/prod.yaml": ENVIRONMENT})
    return found


@contextmanager
def openpgp(office: Office, home: Path) -> Iterator[str]:
    """Make an OpenPGP key in a keyring at *home*, and yield its fingerprint."""
    home.mkdir(mode=0o700)
    shell = {**office.site.shell, "GNUPGHOME": str(home)}
    new = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "g@example.com", "ed25519", "sign", "never"]
    subprocess.run(new, env=shell, check=True, capture_output=True)
    listed = subprocess.run(["gpg", "--list-keys", "--with-colons"], env=shell, check=True, capture_output=True).stdout
    try:
        yield next(row.split(":")[9] for row in listed.decode().splitlines() if row.startswith("fpr"))
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=shell, check=False)
