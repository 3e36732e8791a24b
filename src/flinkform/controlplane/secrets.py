"""What a script names and does not hold: `${secret_values.NAME}` in a string, put in when Flink is handed the job.

Nothing that is kept has it: a plan is compiled with the names in it, and what Flink says goes through a mask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.store import things
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Invalid, Position
from flinkform.flink.sql import Lines, mentions
from flinkform.flink.values import Problem

HIDDEN = "******"
_NAMED = re.compile(r"\$\{\s*secret_values\.([^\s{}']*)\s*\}")
_SHORTEST = 4
"""Characters of a secret: to take a shorter one out of a log would take the log apart."""

Open = Callable[[Thing], Mapping[str, Any]]
"""Unseals what belongs to a thing."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The values that one script names; `mask` takes those out of a text that nobody is shown."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)

    def script(self, text: str) -> str:
        """Return a script with its values, each as it has to stand in a string."""
        return self._filled(text, lambda value: value.replace("'", "''"))

    def plan(self, text: str | None) -> str | None:
        """Return a compiled plan with its values."""
        return text and self._filled(text, lambda value: json.dumps(value, ensure_ascii=False)[1:-1])

    def mask(self, text: str) -> str:
        """Return a text without what is hidden, however it is quoted."""
        for value in self.hidden:
            for shown in {value, value.replace("'", "''"), json.dumps(value)[1:-1]}:
                text = text.replace(shown, HIDDEN)
        return text

    def _filled(self, text: str, quoted: Callable[[str], str]) -> str:
        return _NAMED.sub(lambda named: quoted(self.values[named[1]]) if named[1] in self.values else named[0], text)


def unnamed(options: Mapping[str, Any], at: str) -> None:
    """Invalid: an option names a secret. Options are kept, shown, and given to a JVM as they stand."""
    for name, value in options.items():
        if isinstance(value, str) and _NAMED.search(value):
            advice = "name it in a string of a script, such as an option of a table"
            raise Invalid("expected no secret, which only a script is filled in with", at=(at, name), advice=advice)


def script_of(definition: Mapping[str, Any]) -> str:
    """Return the script of a definition; what has none names nothing."""
    return str(((definition.get("artifact") or {}).get("sqlArtifact") or {}).get("sqlScript") or "")


def problems(db: Connection, workspace: str, namespace: str, script: str) -> Iterator[Problem]:
    """Yield what is wrong with the names of a script, at its place."""
    for named, quoted in _mentions(script):
        one = things.find(db, "variable", workspace, namespace, named[1])
        if not quoted:
            yield _problem(script, named, f"expected {named[0]} in a string of a statement that is no SET")
        elif one is None:
            yield _problem(script, named, f"namespace {namespace} has no variable {named[1][:80]}")


def of(db: Connection, opened: Open, workspace: str, namespace: str, script: str) -> Secrets:
    """Return the values that a script names. Invalid: its place, where a name has none or may not stand."""
    for wrong in problems(db, workspace, namespace, script):
        raise Invalid(wrong.message, position=Position("script", wrong.line, wrong.column))
    found = known(db, opened, workspace, namespace, script)
    short = [name for name, value in found.values.items() if value in found.hidden and len(value) < _SHORTEST]
    if short:
        advice = f"make it longer, or a variable of kind Clear if it is no secret: {short[0]}"
        raise Invalid(f"expected a secret of at least {_SHORTEST} characters, got a shorter one", advice=advice)
    return found


def known(db: Connection, opened: Open, workspace: str, namespace: str, script: str) -> Secrets:
    """Return those values of a script that there are, for a mask: it may have lost some since it was started."""
    names = {named[1] for named, quoted in _mentions(script) if quoted}
    asked = (things.find(db, "variable", workspace, namespace, name) for name in sorted(names))
    rows = {one.id: (one, str(opened(one).get("value", ""))) for one in asked if one is not None}
    hidden = {value for one, value in rows.values() if one.document["kind"] == "Encrypted" and value}
    return Secrets({name: value for name, (_, value) in rows.items()}, tuple(sorted(hidden, key=len, reverse=True)))


def _mentions(script: str) -> Iterator[tuple[re.Match[str], bool]]:
    return mentions(script, _NAMED) if "secret_values" in script else iter(())


def _problem(script: str, named: re.Match[str], message: str) -> Problem:
    line, column = Lines(script).place(named.start())
    return Problem(line, column, line, column + len(named[0]) - 1, message)
