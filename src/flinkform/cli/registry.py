"""Writes a page a type as Terraform's registry lays them out: `python -m flinkform.cli.registry` (make generate)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flinkform.provider.describe import SETTINGS, answered
from flinkform.resources import DATA_SOURCES, PROVIDER, RESOURCES
from flinkform.schema.model import Attribute, Change, DataSource, Origin, Resource
from flinkform.schema.types import Bool, ListOf, MapOf, Number, Object, String, Type

DOCS = Path("docs")
_FOLDERS = ("resources", "data-sources")
_PARTS = {
    "Required": (Origin.REQUIRED,),
    "Optional": (Origin.OPTIONAL, Origin.EITHER),
    "Read-Only": (Origin.COMPUTED, Origin.FORETOLD),
}
_COSTS = {
    Change.RESTART: "A change restarts a running job from its state.",
    Change.AFRESH: "A change restarts a running job without its state.",
    Change.REPLACE: "A change makes a new one in its place.",
}
_HEAD = """\
---
page_title: "{title}"
description: |-
  {doc}
---

# {heading}

{doc}
"""
_PROVIDER = f"""
## Example Usage

```terraform
terraform {{
  required_providers {{
    flink = {{ source = "{PROVIDER}" }}
  }}
}}

provider "flink" {{
  region = "cn-hangzhou"
}}
```
"""


def pages() -> Mapping[Path, str]:
    """Return the text of every page by its path below `docs/`."""
    found = {Path("index.md"): _index()}
    found |= {Path("resources", f"{one.name}.md"): _resource(one) for one in RESOURCES}
    return found | {Path("data-sources", f"{one.name}.md"): _source(one) for one in DATA_SOURCES}


def main() -> None:
    """Write the pages below the current folder, the repository's root, and remove those of types that are gone."""
    current = pages()
    for folder in _FOLDERS:
        for old in (DOCS / folder).glob("*.md"):
            if old.relative_to(DOCS) not in current:
                old.unlink()
    for path, text in current.items():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        draft = (DOCS / path).with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(DOCS / path)


def _index() -> str:
    doc = "Flink platforms as code: workspaces, what they hold, and the jobs that run in them."
    head = _HEAD.format(title="Provider: Flink", heading="Flink Provider", doc=doc)
    types: tuple[Resource | DataSource, ...] = (*RESOURCES, *DATA_SOURCES)
    return head + _PROVIDER + _schema(SETTINGS) + "\n## Types\n\n" + "".join(map(_link, types))


def _link(one: Resource | DataSource) -> str:
    folder = _FOLDERS[isinstance(one, DataSource)]
    return f"- [{'data.' * isinstance(one, DataSource)}{one.type_name}]({folder}/{one.name}.md): {one.doc}\n"


def _resource(one: Resource) -> str:
    head = _HEAD.format(title=f"{one.type_name} Resource", heading=f"{one.type_name} (Resource)", doc=one.doc)
    label = one.example.partition(f'"{one.type_name}" "')[2].partition('"')[0] or "this"
    key = "/".join(name.upper() for name in one.key)
    shown = f"\n## Import\n\n```shell\nterraform import {one.type_name}.{label} {key}\n```\n"
    return head + _example(one.example) + _schema(one.attributes) + shown + _moved(one)


def _moved(one: Resource) -> str:
    if not one.moved:
        return ""
    types = " and ".join(f"`{source.type}`" for source in one.moved)
    return (
        f"\n## Move\n\nA `moved` block turns {types} into this type: [how](../guides/take-over.md).\n\n"
        f"```terraform\nmoved {{\n  from = {one.moved[0].type}.this\n  to   = {one.type_name}.this\n}}\n```\n"
    )


def _source(one: DataSource) -> str:
    title = f"{one.type_name} Data Source"
    head = _HEAD.format(title=title, heading=f"{one.type_name} (Data Source)", doc=one.doc)
    return head + _example(one.example) + _schema(answered(one))


def _example(text: str) -> str:
    return f"\n## Example Usage\n\n```terraform\n{text.strip()}\n```\n" if text else ""


def _schema(attributes: Iterable[Attribute]) -> str:
    every = tuple(attributes)
    inner = "".join(_nested(one) for one in every if _inside(one.type))
    return "\n## Schema\n" + _lists(every) + inner


def _nested(attribute: Attribute) -> str:
    head = f'\n<a id="nestedatt--{attribute.name}"></a>\n### Nested Schema for `{attribute.name}`\n'
    return head + _lists(_inside(attribute.type))


def _lists(attributes: tuple[Attribute, ...]) -> str:
    text = ""
    for part, origins in _PARTS.items():
        if lines := [_line(one) for one in attributes if one.origin in origins]:
            text += "\n".join(("", f"### {part}", "", *lines, ""))
    return text


def _line(one: Attribute) -> str:
    return f"- `{one.name}` ({', '.join(_words(one))}) {' '.join(_said(one))}"


def _words(one: Attribute) -> Iterator[str]:
    yield _kind(one.type)
    if one.sensitive:
        yield "Sensitive"
    if one.write_only:
        yield "Write-only"


def _said(one: Attribute) -> Iterator[str]:
    yield one.doc
    if isinstance(one.type, String) and one.type.choices:
        yield f"One of {', '.join(f'`{choice}`' for choice in one.type.choices)}."
    if one.default is not None and not one.nested:
        yield f"Left out: `{one.default if isinstance(one.default, str) else json.dumps(one.default)}`."
    if cost := _COSTS.get(one.change) if one.writable else None:
        yield cost
    if _inside(one.type):
        yield f"See [below](#nestedatt--{one.name})."


def _inside(kind: Type) -> tuple[Attribute, ...]:
    if isinstance(kind, ListOf):
        return _inside(kind.item)
    return kind.attributes if isinstance(kind, Object) else ()


def _kind(kind: Type) -> str:
    match kind:
        case Bool():
            return "Boolean"
        case Number():
            return "Number"
        case ListOf(item=item):
            return "Attributes List" if isinstance(item, Object) else f"List of {_kind(item)}"
        case MapOf(item=item):
            return f"Map of {_kind(item)}"
        case Object():
            return "Attributes"
    return "String"


if __name__ == "__main__":
    main()
