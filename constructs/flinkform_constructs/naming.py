"""Logical ids: a port of the CDK's makeUniqueId, so that ours equal those of stock bindings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from flinkform.errors import Invalid

_DISALLOWED = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 255
_LONGEST_HUMAN = 240


def unique_id(parts: Sequence[str]) -> str:
    """Return the logical id of the construct whose ids below its stack are *parts*.

    `Default` counts for nothing; `Resource` counts for the hash but is not shown.
    """
    kept = [part for part in parts if part != "Default"]
    if not kept:
        raise Invalid("a construct needs an id other than Default")
    if len(kept) == 1 and len(only := _DISALLOWED.sub("", kept[0])) <= _LONGEST:
        return only
    # Not a secret: the digest only keeps ids apart, and stock ids use this one.
    digest = hashlib.md5("/".join(kept).encode(), usedforsecurity=False).hexdigest()[:8].upper()
    human: list[str] = []
    for part in kept:
        if not human or not human[-1].endswith(part):
            human.append(part)
    shown = _DISALLOWED.sub("", "_".join(part for part in human if part != "Resource"))
    return f"{shown[:_LONGEST_HUMAN]}_{digest}"
