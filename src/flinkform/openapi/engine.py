"""How the API names engines: an engine version carries the release of Flink that it runs."""

from __future__ import annotations

import re

_NAME = re.compile(r"vvr-[\w.-]+-flink-(\d+\.\d+)")
_OURS = "vvr-flinkform-flink-"


def name(line: str) -> str:
    """The embedded control plane's name for a line of Flink, such as 2.3."""
    return _OURS + line


def line(name: str) -> str:
    """The line of Flink that an engine version runs; empty for none that is known."""
    match = _NAME.fullmatch(name)
    return match[1] if match else ""
