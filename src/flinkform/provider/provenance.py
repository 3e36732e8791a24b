"""Where a job's definition comes from, kept beside it as labels of ours: commit and release, path and content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from flinkform.provider.values import Values
from flinkform.resources.job import OURS, path_of

COMMIT, PATH, BLOB, RELEASE = (f"{OURS}{name}" for name in ("commit", "path", "blob", "release"))
_ALL = (COMMIT, PATH, BLOB, RELEASE)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the provider block says of the stacks it was written for; '' where nobody knows.

    It is no part of a resource: another commit changes no plan, and a job keeps the one that last changed it.
    """

    commit: str = ""
    release: str = ""

    def labels(self, planned: Values) -> dict[str, str]:
        """Return the labels of a definition that is written now; none where it is of no commit."""
        if not self.commit:
            return {}
        found = {COMMIT: self.commit, PATH: _path(planned)}
        if isinstance(sql := planned.get("sql"), str):
            found[BLOB] = blob(sql.encode())
        return found | ({RELEASE: self.release} if self.release else {})


NOWHERE = Provenance()


def apart(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels of ours that stay when a definition is written that is of another commit."""
    return {name: value for name, value in labels.items() if name.startswith(OURS) and name not in _ALL}


def blob(content: bytes) -> str:
    """Return the id that Git gives a file of this content."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _path(planned: Values) -> str:
    suffix = "sql" if planned.get("jar") is None else "jar.yaml"
    return f"{planned.get('namespace')}/{path_of(str(planned.get('name')))}.{suffix}"
