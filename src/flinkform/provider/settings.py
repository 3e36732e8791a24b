"""What the provider is told by its environment: the one place that reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping

_PREFIXES = ("ALIBABA_CLOUD_", "FLINKFORM_")
_NAMES = ("HOME",)


def environment() -> Mapping[str, str]:
    """Return the variables that credentials, region and endpoints may come from."""
    return {name: value for name, value in os.environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
