"""Signatures with the keys that Git signs with: SSH by `ssh-keygen -Y`, OpenPGP by `gpg`."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flinkform.errors import Denied, Invalid, Missing
from flinkform.release.git import Repository

RELEASE, APPROVAL = "flinkform-release", "flinkform-approval"
"""What is signed: a signature of the one is none of the other."""
_SSH = "-----BEGIN SSH SIGNATURE-----"
_KEPT = ("HOME", "PATH", "SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY", "GPG_AGENT_INFO", "XDG_RUNTIME_DIR")
_SECONDS = 120
_STATUS = re.compile(r"^\[GNUPG:\] (\w+) ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed: the names that the file of signers gives the key, or those of an OpenPGP key."""

    names: tuple[str, ...]
    key: str

    def __str__(self) -> str:
        return self.names[0] if self.names else self.key


def sign(repository: Repository, content: bytes, purpose: str) -> str:
    """Return an armoured signature by the key that Git's configuration names (`gpg.format`, `user.signingkey`)."""
    form = repository.setting("gpg.format") or "openpgp"
    key = repository.setting("user.signingkey")
    if form == "ssh":
        return _ssh_signed(repository, content, purpose, key)
    if form != "openpgp":
        raise Invalid(f"expected gpg.format ssh or openpgp, got {form}", advice="git config gpg.format ssh")
    program = repository.setting("gpg.openpgp.program") or repository.setting("gpg.program") or "gpg"
    who = ["--local-user", key] if key else []
    done = _run(repository.shell, [program, "--batch", "--armor", "--detach-sign", *who], _tagged(content, purpose))
    if done.returncode:
        raise Denied(f"gpg did not sign: {_last(done.stderr)}", advice="set user.signingkey, and unlock the key")
    return done.stdout.decode()


def verify(shell: Mapping[str, str], signers: str, content: bytes, signature: str, purpose: str) -> Signer:
    """Return who signed *content*; *signers* is a file of allowed signers, as ssh-keygen knows it.

    Denied says which it is: altered, by a key that nobody named, or by one that is no longer good.
    """
    if signature.lstrip().startswith(_SSH):
        return _ssh_verified(shell, signers, content, signature, purpose)
    return _gpg_verified(shell, signers, _tagged(content, purpose), signature)


def _ssh_signed(repository: Repository, content: bytes, purpose: str, key: str) -> str:
    if not key:
        raise Invalid("no key is set to sign with", advice="git config user.signingkey ~/.ssh/id_ed25519.pub")
    program = repository.setting("gpg.ssh.program") or "ssh-keygen"
    with _literal(key) as file:
        words = [program, "-Y", "sign", "-q", "-n", purpose, "-f", file, *(["-U"] if file != key else [])]
        done = _run(repository.shell, words, content)
    if done.returncode:
        raise Denied(f"ssh-keygen did not sign: {_last(done.stderr)}", advice="see user.signingkey, and the agent")
    return done.stdout.decode()


@contextmanager
def _literal(key: str) -> Iterator[str]:
    """Yield the file of a key; Git also knows a public key in place of its file, whose other half an agent has."""
    text = key.removeprefix("key::")
    if text == key and not key.startswith(("ssh-", "ecdsa-", "sk-")):
        yield str(Path(key).expanduser())
        return
    with tempfile.NamedTemporaryFile("w", prefix="flinkform-key-") as file:
        file.write(text + "\n")
        file.flush()
        yield file.name


def _ssh_verified(shell: Mapping[str, str], signers: str, content: bytes, signature: str, purpose: str) -> Signer:
    with tempfile.TemporaryDirectory(prefix="flinkform-verify-") as name:
        allowed, sealed = Path(name, "signers"), Path(name, "signature")
        allowed.write_text(ssh_only(signers))
        sealed.write_text(signature)
        keygen = ["ssh-keygen", "-Y"]
        plain = _run(shell, [*keygen, "check-novalidate", "-n", purpose, "-s", str(sealed)], content)
        if plain.returncode:
            raise _altered()
        key = _key(plain.stdout.decode(errors="replace"))
        found = _run(shell, [*keygen, "find-principals", "-s", str(sealed), "-f", str(allowed)], b"")
        names = tuple(name for line in found.stdout.decode(errors="replace").split() for name in line.split(","))
        if names:
            words = [*keygen, "verify", "-n", purpose, "-s", str(sealed), "-f", str(allowed), "-I", names[0]]
            if not _run(shell, words, content).returncode:
                return Signer(names, key)
    if "expired" in found.stderr.decode(errors="replace") or found.stdout:
        raise _stale(key, "is for something else")
    raise _unknown(key, "add it to environments/signers in a reviewed commit")


def _gpg_verified(shell: Mapping[str, str], signers: str, content: bytes, signature: str) -> Signer:
    with tempfile.NamedTemporaryFile("w", prefix="flinkform-verify-") as file:
        file.write(signature)
        file.flush()
        done = _run(shell, ["gpg", "--batch", "--status-fd", "1", "--verify", file.name, "-"], content)
    said: dict[str, str] = dict(_STATUS.findall(done.stdout.decode(errors="replace")))
    if "BADSIG" in said:
        raise _altered()
    if old := next((said[word] for word in ("EXPKEYSIG", "REVKEYSIG", "EXPSIG") if word in said), None):
        raise _stale(old.partition(" ")[0], "was revoked")
    if "VALIDSIG" not in said or "GOODSIG" not in said:
        raise _unknown(said.get("NO_PUBKEY", ""), "import it into gpg's keyring")
    mark = said["VALIDSIG"].split()[0]
    for line in signers.splitlines():
        words = line.split()
        if len(words) >= 3 and words[-2] == "openpgp" and mark.endswith(words[-1].upper()):
            return Signer(tuple(words[0].split(",")), mark)
    raise _unknown(mark, "add `NAMES openpgp FINGERPRINT` to environments/signers")


def _altered() -> Denied:
    advice = "make another with `flinkform release`; what is signed cannot be edited"
    return Denied(
        "the signature is not of this content: it was altered after it was signed", advice=advice, code="altered"
    )


def _stale(key: str, otherwise: str) -> Denied:
    told = f"the key {key} is no longer good for this: it has expired, or {otherwise}"
    return Denied(told, advice="sign with a key of now", code="stale-key")


def _unknown(key: str, advice: str) -> Denied:
    return Denied(f"nobody named the key {key}", advice=advice, code="unknown-key")


def ssh_only(signers: str) -> str:
    """Return the lines of a file of signers that ssh-keygen knows."""
    return "".join(f"{line}\n" for line in signers.splitlines() if " openpgp " not in line)


def _key(said: str) -> str:
    found = re.search(r"SHA256:\S+", said)
    return found[0] if found else "of the signature"


def _tagged(content: bytes, purpose: str) -> bytes:
    """Return content that is signed for one purpose, where the signature itself cannot say so."""
    return f"{purpose}\n".encode() + content


def _run(shell: Mapping[str, str], words: list[str], feed: bytes) -> subprocess.CompletedProcess[bytes]:
    kept = {name: shell[name] for name in _KEPT if shell.get(name)} | {"LC_ALL": "C"}
    try:
        return subprocess.run(words, env=kept, input=feed, capture_output=True, check=False, timeout=_SECONDS)
    except FileNotFoundError as error:
        raise Missing(f"{words[0]} was not found", advice="install OpenSSH 8.2 or newer, or GnuPG") from error
    except subprocess.TimeoutExpired as error:
        raise Denied(f"{words[0]} did not answer in {_SECONDS} s", advice="is it waiting for a passphrase?") from error


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
