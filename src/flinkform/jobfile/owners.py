"""CODEOWNERS as GitHub, GitLab and Bitbucket read it: who may approve a change of a path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
"""Where the file may be; the first that is there counts."""
LIMIT = 3 << 20
_SECTION = re.compile(r"(?P<optional>\^)?\[(?P<name>[^\]]+)\](?:\[(?P<count>\d+)\])?(?P<owners>.*)")
_TOKEN = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\\.|.")
_WILD = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, slots=True)
class Ask:
    """Owners of a path of whom *count* have to approve; *section* is GitLab's, '' where there is none."""

    owners: tuple[str, ...]
    count: int = 1
    section: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    ask: Ask
    optional: bool


def parse(text: str) -> Codeowners:
    """Return what a CODEOWNERS file says. Lines that make no sense say nothing, as at the hosts."""
    return Codeowners(tuple(_rules(text.splitlines())))


@dataclass(frozen=True, slots=True)
class Codeowners:
    """The rules of a file, in its order: in each section the last one that matches counts."""

    rules: tuple[_Rule, ...] = ()

    def asks(self, path: str) -> tuple[Ask, ...]:
        """Return whose approval a change of *path* needs, one ask a section."""
        return tuple(rule.ask for rule in self._last(path) if rule.ask.owners and not rule.optional)

    def owned(self, path: str) -> bool:
        """Say whether any section names an owner of *path*, one whose approval is optional too."""
        return any(rule.ask.owners for rule in self._last(path))

    def _last(self, path: str) -> Iterable[_Rule]:
        """Return the last rule of each section that matches."""
        return {rule.ask.section.casefold(): rule for rule in self.rules if rule.pattern.fullmatch(path)}.values()


def _rules(lines: Iterable[str]) -> Iterator[_Rule]:
    section, count, optional = "", 1, False
    default: tuple[str, ...] = ()
    for line in lines:
        words = _words(line)
        if not words:
            continue
        if head := _SECTION.fullmatch(line.strip()):
            section, optional = head["name"].strip(), bool(head["optional"])
            count, default = max(1, int(head["count"] or 1)), tuple(_words(head["owners"]))
            continue
        ask = Ask(tuple(words[1:]) or default, count, section)
        yield _Rule(_pattern(words[0]), ask, optional)


def _words(line: str) -> list[str]:
    """Return the words of a line; a blank in a path has a backslash before it, and `#` begins a comment."""
    words = [word.replace("\\ ", " ") for word in re.findall(r"(?:\\.|[^\s\\])+", line)]
    end = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:end]


def _pattern(glob: str) -> re.Pattern[str]:
    """Return the expression of a pattern: like .gitignore's, anchored where it has a `/` before its end."""
    anchored = "/" in glob.rstrip("/")
    body = glob.removeprefix("/")
    folder = body.endswith("/")
    text = "".join(
        _WILD.get(token) or re.escape(token.removeprefix("\\")) for token in _TOKEN.findall(body.rstrip("/"))
    )
    start = "" if anchored or glob.startswith("/") else "(?:.*/)?"
    last = body.rstrip("/").rpartition("/")[2]
    # As at the hosts, `docs/*` is not for what lies deeper, `docs` and `docs/` are.
    end = "/.*" if folder else "" if last == "*" and anchored else "(?:/.*)?"
    return re.compile(start + text + end, re.DOTALL)
