"""What a job file needs to know of its SQL: the text to the byte, and the options it SETs at its top.

Nothing is taken out of the text: Flink accepts the same SETs there, and positions in its errors stay true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from flinkform.errors import Invalid, Position
from flinkform.jobfile.documents import decoded
from flinkform.jobfile.layers import RUNTIME_MODE
from flinkform.jobfile.weave import LIMIT, Woven

__all__ = ["LIMIT", "Script", "plain", "script"]

# Blanks and comments as Flink's lexer knows them; `/*+` begins a hint. Possessive, so that no text is slow.
_GAP = r"(?>[ \t\n\r\f]|--[^\r\n]*|//[^\r\n]*|/\*(?!\+)(?s:.)*?\*/)*+"
_BETWEEN = re.compile(rf"(?:{_GAP};)*+{_GAP}")
_SET = re.compile(
    rf"""SET(?![\w$]){_GAP}
    (?:'(?P<key>(?:[^']|'')*+)'|(?P<bare_key>[A-Za-z0-9_.\-]++)){_GAP}={_GAP}
    (?:'(?P<value>(?:[^']|'')*+)'|(?P<bare_value>[^;'\s]++)){_GAP}(?:;|\Z)""",
    re.IGNORECASE | re.VERBOSE,
)
_POINTER = b"version https://git-lfs.github.com/spec/"
_MODES = {"streaming": "STREAMING", "batch": "BATCH"}


@dataclass(frozen=True, slots=True)
class Script:
    """A script and what its leading SETs say: Flink options, and the execution mode where they name it."""

    text: str
    options: Mapping[str, str]
    mode: str | None
    sources: Mapping[str, Position]
    """Where each option is SET, by its name."""
    woven: Woven
    """The text with where each part of it was written."""


def plain(data: bytes, file: str) -> str:
    """Return the text in *data*; Invalid where it is none or not UTF-8."""
    if data.startswith(_POINTER):
        advice = "run `git lfs pull`, and keep scripts out of Git LFS"
        raise Invalid("expected a script, got a pointer of Git LFS", position=Position(file, 1, 1), advice=advice)
    return decoded(data, file)


def script(data: bytes, file: str, weave: Callable[[str], Woven] | None = None) -> Script:
    """Return the script in *data*, put together by *weave*.

    Invalid: it is none, not UTF-8, blank, or of an unknown execution mode.
    """
    text = plain(data, file)
    woven = weave(text) if weave else Woven(text, file)
    text = woven.text
    options, sources = _leading(woven)
    mode = options.pop(RUNTIME_MODE, None)
    if mode is not None and mode.lower() not in _MODES:
        where = sources[RUNTIME_MODE]
        raise Invalid(
            f"expected {RUNTIME_MODE} streaming or batch, got {mode!r}", at=("execution_mode",), position=where
        )
    if not text.removeprefix("\ufeff").strip():
        raise Invalid("expected SQL statements, got an empty file", at=("sql",), position=Position(file, 1, 1))
    return Script(text, options, _MODES[mode.lower()] if mode else None, sources, woven)


def _leading(woven: Woven) -> tuple[dict[str, str], dict[str, Position]]:
    options: dict[str, str] = {}
    starts: dict[str, int] = {}
    for found in _sets(woven.text):
        name = _unquoted(found["key"]) if found["bare_key"] is None else found["bare_key"]
        options[name] = _unquoted(found["value"]) if found["bare_value"] is None else found["bare_value"]
        starts[name] = found.start()
    return options, {name: woven.origin(start) for name, start in starts.items()}


def _sets(text: str) -> Iterator[re.Match[str]]:
    """Yield the SET statements before anything else."""
    at = 1 if text.startswith("\ufeff") else 0
    while True:
        gap = _BETWEEN.match(text, at)
        found = _SET.match(text, gap.end() if gap else at)
        if found is None:
            return
        yield found
        at = found.end()


def _unquoted(literal: str) -> str:
    return literal.replace("''", "'")
