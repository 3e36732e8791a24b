"""flinkform.yaml at the root of a repository: what its checks expect, and the pipelines it wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flinkform.errors import Invalid
from flinkform.jobfile.documents import LIMIT, Document, parse
from flinkform.jobfile.faults import Faults
from flinkform.jobfile.reading import Attributes, entries, read, unknown
from flinkform.jobfile.tree import Folder
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, MapOf, String

FILE = "flinkform.yaml"
HOSTS = ("github", "gitlab", "jenkins")
_NAME = String(pattern=r"[A-Za-z0-9][A-Za-z0-9_.\-/]*", hint="a name")
VALIDATE: Attributes = {
    a.name: a
    for a in (
        Attribute(name="names", type=String(), doc="What each folder and file of a job is called, as an expression."),
        Attribute(name="outside", type=ListOf(String()), doc="Globs over CONNECTOR:NAME: what others write."),
        Attribute(name="rules", type=MapOf(String(choices=("error", "warning", "off"))), doc="Severities of rules."),
    )
}
CI: Attributes = {
    a.name: a
    for a in (
        Attribute(name="hosts", type=ListOf(String(choices=HOSTS)), doc="Which pipelines there are."),
        Attribute(name="branch", type=_NAME, doc="The branch that is released."),
        Attribute(name="environments", type=ListOf(_NAME), doc="What is released to, in this order."),
        Attribute(name="python", type=_NAME, doc="The version of Python that runs flinkform."),
    )
}
_SECTIONS: Mapping[str, Attributes] = {"validate": VALIDATE, "ci": CI}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a repository says of itself; what it leaves out is as here."""

    names: str = "[a-z][a-z0-9_-]*"
    outside: tuple[str, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict, hash=False)
    hosts: tuple[str, ...] = HOSTS
    branch: str = "main"
    environments: tuple[str, ...] = ("dev", "prod")
    python: str = "3.12"


def settings(root: Path, *, rules: frozenset[str] = frozenset()) -> Settings:
    """Return what the repository at *root* says; *rules* may have severities. Invalid: at the place of a mistake."""
    if not (root / FILE).is_file():
        return Settings()
    faults, tree = Faults(), Folder(root)
    document = parse(tree.read(FILE, LIMIT), tree.shown(FILE))
    faults.extend(document.faults)
    said: dict[str, dict[str, object]] = {}
    for key, node in entries(document, document.root, faults):
        if key.value in _SECTIONS:
            said[key.value] = read(document, node, _SECTIONS[key.value], faults, (key.value,))
        else:
            faults.append(unknown(document, key, _SECTIONS))
    faults.settle()
    return _settings(document, said, rules)


def _settings(document: Document, said: Mapping[str, Mapping[str, object]], rules: frozenset[str]) -> Settings:
    given = {key: value for part in said.values() for key, value in part.items() if value is not None}
    levels = given.pop("rules", {})
    if isinstance(levels, dict) and (strange := sorted(levels.keys() - rules)) and rules:
        there = document.find(("validate", "rules", strange[0]))
        expected = f"expected one of {', '.join(sorted(rules))}"
        raise Invalid(f"there is no rule {strange[0]!r} to set", position=there, advice=expected)
    try:
        re.compile(str(given.get("names", "")))
    except re.error as error:
        there = document.find(("validate", "names"))
        raise Invalid(f"expected a regular expression: {error}", position=there) from None
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    return Settings(**lists, severities=levels)  # type: ignore[arg-type]
