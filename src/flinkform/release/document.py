"""A release: a plan bound to a commit, an environment and its states, kept as a file that people sign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flinkform.errors import Invalid
from flinkform.release.git import Repository
from flinkform.release.review import Review
from flinkform.release.select import ENVIRONMENTS, JOBS, composing

FORMAT = "flinkform.release/1"
_LIMIT = 16 << 20
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Release:
    """What was planned and is to be applied; nothing in it is a secret, values are there as hashes."""

    commit: str
    environment: str
    since: str
    artefact: str
    made: str
    expires: str
    author: str
    stacks: tuple[Mapping[str, Any], ...]
    """Name, lineage and serial of each state that it is for."""
    items: tuple[Mapping[str, str], ...]
    """Stack, address, name, path, action, cost, verdict and the hash of each change."""

    @property
    def content(self) -> bytes:
        """The bytes that are signed: the same for the same release, whoever writes the file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":")).encode()

    @property
    def id(self) -> str:
        return f"r-{hashlib.sha256(self.content).hexdigest()[:_SHORT]}"

    def changes(self) -> dict[tuple[str, str], str]:
        """Return the hash of each change by stack and address."""
        return {(one["stack"], one["address"]): one["digest"] for one in self.items}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A release with the signatures that a file of it has."""

    release: Release
    signature: str = ""
    approvals: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Replace the file at *path* at once."""
        whole = {
            "format": FORMAT,
            "id": self.release.id,
            "release": asdict(self.release),
            "signature": self.signature,
            "approvals": list(self.approvals),
        }
        draft = path.with_name(f"{path.name}.new")
        draft.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)

    def approved(self, signature: str) -> Sealed:
        """Return the file with one more approval."""
        return replace(self, approvals=(*self.approvals, signature))


def read(path: Path) -> Sealed:
    """Return the release in the file at *path*; Invalid where it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
        whole = json.loads(data)
        if len(data) > _LIMIT or whole.get("format") != FORMAT:
            raise Invalid(f"expected {path} to be a {FORMAT}, got {str(whole.get('format'))[:40]!r}")
        about = whole["release"]
        parts = {name: about[name] for name in Release.__dataclass_fields__}
        found = Release(**{**parts, "stacks": tuple(parts["stacks"]), "items": tuple(parts["items"])})
        return Sealed(found, str(whole["signature"]), tuple(map(str, whole["approvals"])))
    except OSError as error:
        raise Invalid(f"cannot read {path}: {(error.strerror or '').lower()}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{path} is no release: {error}", advice="make one with `flinkform release`") from error


def bound(review: Review, repository: Repository, *, author: str, hours: float, now: datetime) -> Release:
    """Return the release of a plan. Invalid: something in it is refused, or it is of no commit."""
    if not review.commit:
        raise Invalid("a release is of a commit, this plan is of a checkout", advice="name one with --at HEAD")
    if refused := [item.name for item in review.items if item.refused]:
        raise Invalid(f"{', '.join(refused)} cannot be planned, so there is nothing to release")
    return Release(
        commit=review.commit,
        environment=review.environment,
        since=review.since,
        artefact=artefact(repository, review.commit),
        made=_iso(now),
        expires=_iso(now + timedelta(hours=hours)),
        author=author,
        stacks=tuple({"name": name, **_state(review.serials, name)} for name in review.stacks),
        items=tuple(
            {
                "stack": one.stack,
                "address": one.address,
                "name": one.name,
                "path": one.path,
                "action": one.action,
                "cost": one.cost,
                "verdict": one.verdict,
                "was": one.was,
                "digest": one.digest,
            }
            for one in review.items
        ),
    )


def artefact(repository: Repository, commit: str) -> str:
    """Return the hash of everything in a commit that is the same in all environments: jobs, and what composes."""
    entries = repository.tree(commit)
    digest = hashlib.sha256()
    for path, entry in sorted(entries.items()):
        if path.startswith(f"{JOBS}/") or (not path.startswith(f"{ENVIRONMENTS}/") and composing(path)):
            digest.update(f"{entry.mode} {entry.object} {len(path)} {path}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _state(serials: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    kept = serials.get(name, {})
    return {"lineage": str(kept.get("lineage", "")), "serial": int(kept.get("serial", 0))}


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")


def differing(expected: Sequence[str], got: Sequence[str]) -> str:
    """Return what two lists of names have otherwise, in words."""
    more, less = sorted(set(got) - set(expected)), sorted(set(expected) - set(got))
    parts = [f"{', '.join(more)} would change too"] if more else []
    parts += [f"{', '.join(less)} would not change"] if less else []
    return "; ".join(parts) or "values are others"
