"""A review as text: for a terminal, for a script, and as Markdown for a merge request."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from flinkform.release.review import Item, Review

MARKDOWN_LIMIT = 60_000
"""Bytes of Markdown: GitHub takes 65,536 characters in a comment, GitLab a million."""
_SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-", "refused": "!"}
_ROWS = 200
"""Rows of the Markdown table; of more jobs nobody reads one by one."""
_TICKS = re.compile(r"`+")


def document(review: Review) -> dict[str, Any]:
    """Return what `--json` prints; provider-schema/plan.schema.json says what that is."""
    return {
        "format": "flinkform.plan/1",
        "environment": review.environment,
        "commit": review.commit or None,
        "since": review.since or None,
        "stacks": [{"name": name, **review.serials.get(name, {})} for name in review.stacks],
        "items": [_object(item) for item in review.items],
        "compute_units": review.units,
        "notes": list(review.notes),
    }


def _object(item: Item) -> dict[str, Any]:
    found = asdict(item)
    found["compute_units"] = found.pop("units")
    return found


def text(review: Review) -> str:
    """Return a review for a terminal."""
    blocks = ["\n".join(_lines(item)) for item in review.items]
    return "\n\n".join([*blocks, "\n".join((_summary(review), *(f"note: {note}" for note in review.notes)))])


def _lines(item: Item) -> Iterator[str]:
    head = f"{_SIGNS.get(item.action, '~')} {_title(item)}"
    if item.refused:
        first, *more = item.refused.splitlines()
        yield f"{head}: refused: {first}"
        yield from (f"    {line}" for line in more)
    else:
        yield f"{head}: {item.means or item.action}"
    if item.verdict:
        yield f"    state: {item.verdict}" + (f", {item.summary}" if item.summary else "")
    yield from (f"      {o.fate:<8} {o.name}" + (f"; {o.why}" if o.why else "") for o in item.operators)
    if item.units:
        yield f"    compute units: {item.units:+d}"
    yield from (f"    {field.name}: {_change(field.before, field.after)}" for field in item.fields if _told(item))
    yield from (f"    {row}" for row in item.diff if _told(item))


def _told(item: Item) -> bool:
    """Say whether single values are of interest: of what comes or goes as a whole they are not."""
    return item.action in ("update", "replace", "refused")


def _change(before: str, after: str) -> str:
    return f"{before or '(nothing)'} -> {after or '(nothing)'}"


def _title(item: Item) -> str:
    return f"{item.kind} {item.name}" if item.kind != "flink_job" else item.name


def _summary(review: Review) -> str:
    where = f"{review.environment} at {review.commit[:12]}" if review.commit else review.environment
    where += f" since {review.since[:12]}" if review.since else ""
    if not review.items:
        return f"{where}: nothing changes"
    counts = {action: sum(one.action == action for one in review.items) for action in _SIGNS}
    told = ", ".join(f"{number} {_VERBS[action]}" for action, number in counts.items() if number)
    stacks = len({item.stack for item in review.items})
    cost = f"; {review.units:+d} compute units" if review.units else ""
    return f"{where}: {told} in {stacks} stack{'' if stacks == 1 else 's'}{cost}"


_VERBS = {
    "create": "to add",
    "update": "to change",
    "replace": "to replace",
    "delete": "to remove",
    "refused": "refused",
}


def markdown(review: Review, *, limit: int = MARKDOWN_LIMIT) -> str:
    """Return a review for a merge request, of at most *limit* bytes: whole jobs are left out, never halves."""
    head = [f"### Plan: {_inline(_summary(review))}", *(f"> {_inline(note)}" for note in review.notes)]
    rows = [_row(item) for item in review.items[:_ROWS]]
    table = ["| | job | what happens | state | CU |", "|---|---|---|---|---|", *rows] if rows else []
    if len(review.items) > _ROWS:
        table.append(f"| | and {len(review.items) - _ROWS} more | | | |")
    start = "\n\n".join(filter(None, ("\n".join(head), "\n".join(table))))
    start = start if _size(start) <= limit // 2 else "\n".join(head)
    return _filled(start, (_folded(item) for item in review.items), limit)


def _filled(start: str, blocks: Iterable[str], limit: int) -> str:
    """Return *start* and as many whole *blocks* as fit, with a word on those that do not."""
    parts, left, missing = [start], limit - _size(start) - 200, 0
    for block in filter(None, blocks):
        cost = _size(block) + 2
        if missing or cost > left:
            missing += 1
            continue
        left -= cost
        parts.append(block)
    if missing:
        parts.append(f"_The details of {missing} more are not shown here; `flinkform plan --json` has all of them._")
    return "\n\n".join(parts) + "\n"


def _row(item: Item) -> str:
    what = item.means if not item.refused else f"refused: {item.refused.splitlines()[0]}"
    cells = (
        _SIGNS.get(item.action, "~"),
        _title(item),
        what or item.action,
        item.verdict,
        f"{item.units:+d}" * bool(item.units),
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _folded(item: Item) -> str:
    """Return the details of an item, folded; '' where there are none."""
    lines = list(_lines(item))[1:]
    if not lines:
        return ""
    diff = [row for row in item.diff if _told(item)]
    plain = [line[4:] for line in lines[: len(lines) - len(diff)]]
    parts = [_fenced("text", plain) if plain else "", _fenced("diff", diff) if diff else ""]
    body = "\n\n".join(filter(None, parts))
    return f"<details><summary>{_plain(_title(item))}</summary>\n\n{body}\n\n</details>"


def _fenced(kind: str, lines: Iterable[str]) -> str:
    """Return a code block whose fence nothing in it can end."""
    content = "\n".join(lines)
    longest = max((len(found) for found in _TICKS.findall(content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{content}\n{fence}"


def _cell(content: str) -> str:
    return _inline(content).replace("|", "\\|")


def _inline(content: str) -> str:
    """Return text that Markdown and HTML take for text, in one line, and that mentions nobody."""
    return re.sub(r"([\\`*_\[\]#~])", r"\\\1", _plain(content))


def _plain(content: str) -> str:
    return html.escape(_line(content), quote=False).replace("@", "@\u200b")


def _line(content: str) -> str:
    return " ".join(content.split())


def _size(content: str) -> int:
    return len(content.encode())


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `document`."""
    word, number = {"type": "string"}, {"type": "integer"}
    maybe = {"type": ["string", "null"]}
    stack = _shape({"name": word, "lineage": word, "serial": number}, needed=("name",))
    words = (
        "stack",
        "address",
        "kind",
        "name",
        "path",
        "cost",
        "means",
        "verdict",
        "summary",
        "refused",
        "was",
        "digest",
    )
    parts = {
        **dict.fromkeys(words, word),
        "action": {"enum": list(_SIGNS)},
        "operators": _many(_shape({"fate": word, "name": word, "why": word})),
        "compute_units": number,
        "fields": _many(_shape({"name": word, "before": word, "after": word})),
        "diff": _many(word),
    }
    whole = {
        "format": {"const": "flinkform.plan/1"},
        "environment": word,
        "commit": maybe,
        "since": maybe,
        "stacks": _many(stack),
        "items": _many(_shape(parts)),
        "compute_units": number,
        "notes": _many(word),
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "flinkform plan --json"}
    return {**head, **_shape(whole)}


def _shape(parts: dict[str, Any], *, needed: Iterable[str] | None = None) -> dict[str, Any]:
    required = list(parts if needed is None else needed)
    return {"type": "object", "properties": parts, "required": required, "additionalProperties": False}


def _many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def schema_text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(schema(), indent=2) + "\n"
