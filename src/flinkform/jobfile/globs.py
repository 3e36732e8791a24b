"""Globs over job paths: `*` stays within a folder, `**` goes through any number of them."""

from __future__ import annotations

import re
from functools import cache

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)


@cache
def compiled(glob: str) -> re.Pattern[str]:
    """Return the expression for *glob*; a path matches with its `.sql` or `.jar.yaml`, or without."""
    return re.compile(
        "".join(_WILD.get(token) or re.escape(token) for token in _TOKEN.findall(glob)) + r"(?:\.sql|\.jar\.yaml)?",
        re.DOTALL,
    )


def matches(glob: str, text: str) -> bool:
    """Say whether all of *text* matches *glob*."""
    return compiled(glob).fullmatch(text) is not None


_WILD = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
