"""What terraform's error boxes say: its own words for a person, and what each is about for a script."""

from __future__ import annotations

import re
from itertools import pairwise

from flinkform.errors import FlinkformError, Refused
from flinkform.openapi import operation

KEPT = "Error releasing the state lock"
_ADVICE = {
    KEPT: "nothing is left to do by hand: the next `flinkform up` gives this lock back, and keeps this state",
    "already locked": "wait for its holder; if that is dead, `flinkform state list` and `state unlock` end it",
}
"""What to do about some of terraform's errors, better than what it says itself."""
_BOX = re.compile(r"^Error: ", re.MULTILINE)
_ADDRESS = re.compile(r"^  with ([\w.\[\]\"-]+),$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^  on .* line \d+, in .*:\n +\d+: +\"?(\w+)\"?\s*[:=]", re.MULTILINE)
"""The line of the configuration that is shown begins with the attribute, unless it is that of the whole resource."""
_ANSWER = re.compile(r"\(code\s+([^\s,)]+),\s+request\s+([^\s)]+)\)")
_WORD = re.compile(r"\b([A-Z]\w+):")
_LAST = 20
"""Lines that are shown where there is no box."""


def failure(stack: str, word: str, text: str) -> FlinkformError:
    """Return the error about a `terraform` *word* of *stack* that failed, from all it printed; a part is one box."""
    whole = _unframed(text)
    starts = [found.start() for found in _BOX.finditer(whole)]
    parts = [_part(stack, whole[here:there].strip()) for here, there in pairwise([*starts, len(whole)])]
    at = (stack, *dict.fromkeys(_ADDRESS.findall(whole)))
    advice = next((then for told, then in _ADVICE.items() if told in text), "")
    return FlinkformError(f"terraform {word} failed in stack {stack}\n{whole}", at=at, advice=advice, parts=parts)


def _part(stack: str, box: str) -> FlinkformError:
    """Return what one box is about: stack, address, attribute; with what the API answered, where it did."""
    at = (stack, *_ADDRESS.findall(box)[:1], *_ATTRIBUTE.findall(box)[:1])
    message = box.removeprefix("Error: ")
    answer = _ANSWER.search(box)
    name = answer and _asked(box[: answer.start()])
    if not answer or not name:
        return FlinkformError(message, at=at)
    return Refused(message, operation=name, code=answer[1], status=0, request_id=answer[2], at=at)


def _asked(text: str) -> str:
    """Return the operation that *text* names last."""
    known = set(operation.names())
    return next((word for word in reversed(_WORD.findall(text)) if word in known), "")


def _unframed(text: str) -> str:
    """Return terraform's error boxes without their frames, or the last lines where there are none."""
    lines = [re.sub(r"^[│╷╵] ?", "", line) for line in text.splitlines()]
    first = next((i for i, line in enumerate(lines) if line.startswith("Error: ")), max(0, len(lines) - _LAST))
    return "\n".join(line for line in lines[first:] if line.strip())
