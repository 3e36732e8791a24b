"""`flinkform show NOUN [NAME]`: what a control plane keeps of any noun, by the declaration of its data source."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from threading import Event
from typing import Any

from flinkform.cli import named
from flinkform.cli.progress import Progress, counted, table
from flinkform.client.api import Client
from flinkform.errors import Invalid, NotFound
from flinkform.provider import sources
from flinkform.provider.lists import Lists
from flinkform.provider.session import Session
from flinkform.resources import DATA_SOURCES
from flinkform.schema.model import Attribute, DataSource, Origin
from flinkform.schema.types import Bool, MapOf, Number

NOUNS: Mapping[str, DataSource] = {one.name.replace("_", "-"): one for one in DATA_SOURCES if one.plural}
_PLACE = ("workspace", "workspace_id", "namespace")
_WIDEST = 60
"""Characters of a value in a table; `--json` and a thing that is named show all of it."""
Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Print a table, one thing, or everything as JSON; what is secret is told by none of them."""
    source = NOUNS[options.noun]
    wanted = filters(source, options.where)
    client, _ = named.plane(options.region)
    with closing(client), Progress().step(f"asking for {options.noun}") as step:
        stop = Event()
        session = Session(client=client, lists=Lists(client), stop=stop)
        places = _places(client, source, options.workspace, options.namespace)
        rows = [row for place in places for row in _rows(source, {**place, **wanted}, session)]
        step.result = counted(len(rows), "row")
    if options.name:
        one = _one(source, rows, options.name)
        print(json.dumps(one) if options.json else _whole(one))
    else:
        print(json.dumps({source.plural: rows}) if options.json else _table(rows, options.noun))
    return 0


def filters(source: DataSource, words: list[str]) -> Row:
    """Return what `--where` says as the data source takes it. Invalid: what else it may say."""
    known = {a.name: a for a in source.arguments if a.name not in _PLACE}
    found: Row = {}
    for word in words:
        what, equals, value = word.partition("=")
        name, dot, key = what.partition(".")
        attribute = known.get(name)
        if not equals or attribute is None or bool(dot) is not isinstance(attribute.type, MapOf):
            ways = ", ".join(f"{a.name}.KEY=" if isinstance(a.type, MapOf) else f"{a.name}=" for a in known.values())
            raise Invalid(f"--where {word}: expected one of {ways or 'nothing: these have no filter'}")
        if dot:
            found[name] = {**found.get(name, {}), key: value}
        else:
            found[name] = _value(attribute, value, word)
    return found


def _value(attribute: Attribute, text: str, word: str) -> Any:
    value: Any = text
    try:
        if isinstance(attribute.type, Number | Bool):
            value = json.loads(text)
        attribute.type.check(value, ())
    except ValueError:
        raise Invalid(f"--where {word}: expected a number, true or false, got {text!r}") from None
    except Invalid as error:
        raise Invalid(f"--where {word}: {error.message}") from None
    return value


def _places(client: Client, source: DataSource, workspace: str, namespace: str) -> Iterator[Row]:
    """Yield every place that is asked about."""
    needed = {a.name for a in source.arguments if a.origin is Origin.REQUIRED}
    if not needed & {"workspace", "workspace_id"}:
        yield {}
        return
    space = named.space(client, workspace)
    whole = {name: space[key] for name, key in zip(_PLACE, ("resource_id", "instance_id"), strict=False)}
    within = {name: value for name, value in whole.items() if name in needed}
    if "namespace" not in needed:
        yield within
        return
    found = client.pages("DescribeNamespaces", {"InstanceId": space["instance_id"]}, items="Namespaces")
    names = sorted(str(one["Namespace"]) for one in found)
    if namespace and namespace not in names:
        raise NotFound(f"no namespace is called {namespace}", advice=f"expected one of {', '.join(names) or 'none'}")
    yield from ({**within, "namespace": name} for name in names if namespace in ("", name))


def _rows(source: DataSource, config: Row, session: Session) -> Iterator[Row]:
    """Yield what is found in one place, with its namespace in front; what is sensitive is not told."""
    hidden = {a.name for a in source.attributes if a.sensitive}
    place = {name: config[name] for name in ("namespace",) if name in config}
    for row in sources.read(source, config, session)[source.plural]:
        yield place | {name: "(sensitive)" if name in hidden and value else value for name, value in row.items()}


def _one(source: DataSource, rows: list[Row], wanted: str) -> Row:
    own = source.of.own.name if source.of else source.attributes[0].name
    found = [row for row in rows if wanted in (row.get("name"), row.get(own), row.get("id"))]
    if len(found) != 1:
        what = "more than one of the" if found else "none of the"
        names = sorted({str(row.get("name") or row.get(own)) for row in rows})
        advice = "name its namespace, or its id" if found else f"expected one of {', '.join(names) or 'none'}"
        raise NotFound(f"{what} {source.name.replace('_', ' ')} is called {wanted}", advice=advice)
    return found[0]


def _whole(row: Row) -> str:
    wide = max(map(len, row))
    return "\n".join(f"{name.ljust(wide)}  {_text(value)}" for name, value in row.items())


def _table(rows: list[Row], noun: str) -> str:
    """Return *rows* as a table, without their ids, which are made of what else is told, and without empty columns."""
    if not rows:
        return f"no {noun.replace('-', ' ')}"
    shown = [
        {name: _cut(_text(value)) for name, value in row.items() if value not in (None, "", {}, [])} for row in rows
    ]
    return table(shown, tuple(name for name in rows[0] if name != "id" and any(name in one for one in shown)))


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..."
