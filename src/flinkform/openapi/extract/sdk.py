"""Read operations and models from the source of an official SDK package: names, paths and types, no prose."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flinkform.errors import Missing

PACKAGES: Mapping[str, str] = {
    "ververica": "alibabacloud_ververica20220718",
    "foasconsole": "alibabacloud_foasconsole20211028",
}
"""The SDK package of each product."""

REQUIRED = "This parameter is required."
"""The comment by which the SDKs mark a field that must be sent."""

Model = dict[str, str]
"""Fields of a model: wire name to type, with `!` after the type of one that must be sent."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """What one package says."""

    operations: list[dict[str, Any]]
    models: dict[str, Model]


def read(product: str) -> Sdk:
    """Return what the installed SDK of *product* says. Raises `Missing` if it is not installed."""
    package = PACKAGES[product]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Missing(f"the package {package} is not installed", advice="install the development dependencies")
    folder = Path(spec.origin).parent
    models = dict(sorted(m for file in (folder / "models").glob("_*.py") for m in _models(file.read_text())))
    client = ast.parse((folder / "client.py").read_text())
    operations = [_operation(f, product, models) for f in ast.walk(client) if _is_call(f)]
    return Sdk(sorted(operations, key=lambda o: str(o["name"])), models)


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.endswith("with_options")


def _models(source: str) -> Iterator[tuple[str, Model]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            yield node.name, _model(node, source.splitlines())


def _model(node: ast.ClassDef, lines: list[str]) -> Model:
    methods = {f.name: f for f in node.body if isinstance(f, ast.FunctionDef)}
    types = {a.arg: _type(a.annotation) for a in methods["__init__"].args.args if a.annotation}
    needed = {name for name, line in _assigned(methods["__init__"]) if _commented(lines, line)}
    return {
        wire: types[name] + ("!" if name in needed else "") for wire, name in sorted(_wire_names(methods["from_map"]))
    }


def _assigned(init: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    for node in init.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            yield node.targets[0].attr, node.lineno


def _commented(lines: list[str], line: int) -> bool:
    """Say whether the comment right above *line* (counted from 1) marks a field that must be sent."""
    line -= 2
    while lines[line].lstrip().startswith("#"):
        if REQUIRED in lines[line]:
            return True
        line -= 1
    return False


def _wire_names(from_map: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield wire name and attribute of each `if m.get("wireName") is not None: self.attribute = ...`."""
    for node in from_map.body:
        if isinstance(node, ast.If):
            yield str(_first(node.test, ast.Call).args[0].value), _target(node)


def _target(node: ast.If) -> str:
    """Return the attribute that is filled, be it by assignment or by appending to it."""
    return next(
        found.attr
        for found in ast.walk(node)
        if isinstance(found, ast.Attribute) and isinstance(found.value, ast.Name) and found.value.id == "self"
    )


def _type(annotation: ast.expr) -> str:
    return ast.unparse(annotation).replace("main_models.", "")


@dataclass(slots=True)
class _Facts:
    """What the statements of one SDK method say."""

    keywords: dict[str, ast.expr] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=lambda: {"query": [], "body": [], "real_headers": []})
    json: set[str] = field(default_factory=set)
    whole_query: bool = False
    whole_body: bool = False
    response: str = ""


def _operation(function: ast.AST, product: str, models: Mapping[str, Model]) -> dict[str, Any]:
    facts = _facts(function)
    name, style = _text(facts, "action"), _text(facts, "style")
    request = models.get(f"{name}Request", {})
    queried = list(request) if facts.whole_query else facts.sent["query"]
    fields = [_parameter(f, request, facts.json, style) for f in sorted(facts.sent["body"])]
    roa = style == "ROA"
    whole = request["body"].rstrip("!") if facts.whole_body else f"{name}Request"
    return {
        "name": name,
        "product": product,
        "version": _text(facts, "version"),
        "style": style,
        "method": _text(facts, "method"),
        "path": _path(facts.keywords["pathname"]),
        "query": [_parameter(f, request, facts.json, style) for f in sorted(queried)],
        "headers": sorted(facts.sent["real_headers"]),
        "form": [] if roa else fields,
        "body": whole if roa and (fields or facts.whole_body) else "",
        "answer": models[models[facts.response]["body"]],
    }


def _parameter(name: str, request: Model, json: set[str], style: str) -> dict[str, Any]:
    """Return a parameter; *flat* is one whose lists and objects travel as `Tag.1.Key`."""
    kind = request[name].rstrip("!")
    out: dict[str, Any] = {"name": name, "type": kind, "required": request[name].endswith("!")}
    if style == "RPC" and name not in json and kind not in {"str", "int", "bool", "float"}:
        out["flat"] = True
    return out


def _facts(function: ast.AST) -> _Facts:
    facts = _Facts()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            _note_sent(facts, node.targets[0])
        elif isinstance(node, ast.Call):
            _note_call(facts, node)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            facts.response = _type(node.returns)
    return facts


def _note_sent(facts: _Facts, target: ast.Subscript) -> None:
    if isinstance(target.value, ast.Name) and isinstance(target.slice, ast.Constant):
        facts.sent[target.value.id].append(str(target.slice.value))


def _note_call(facts: _Facts, call: ast.Call) -> None:
    source = ast.unparse(call)
    if isinstance(call.func, ast.Attribute) and call.func.attr == "Params":
        facts.keywords = {k.arg: k.value for k in call.keywords if k.arg}
    elif "array_to_string_with_specified_style" in source and isinstance(call.args[1], ast.Constant):
        facts.json.add(str(call.args[1].value))
    elif source == "Utils.query(request.to_map())":
        facts.whole_query = True
    elif source == "Utils.parse_to_map(request.body)":
        facts.whole_body = True


def _text(facts: _Facts, keyword: str) -> str:
    return str(_first(facts.keywords[keyword], ast.Constant).value)


def _path(node: ast.expr) -> str:
    """Return the path with its parameters in braces, named as the API's own documents name them."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(p.value) if isinstance(p, ast.Constant) else f"{{{_camel(_argument(p))}}}" for p in parts)


def _argument(node: ast.expr) -> str:
    return str(_first(_first(node, ast.Call).args[0], ast.Name).id)


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def _first(node: ast.AST, kind: type[Any]) -> Any:
    return next(found for found in ast.walk(node) if isinstance(found, kind))
