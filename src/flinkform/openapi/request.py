"""A call as an HTTP request: written by the client, read by the server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from flinkform.errors import Invalid, Refused
from flinkform.openapi.operation import Field, Operation

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"
PAIRS = 2000
"""Parameters in a query or a form that are read at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that is not signed yet. *path* is encoded, *query* is not; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote, safe='~')}" if self.query else self.path


def build(operation: Operation, params: Mapping[str, Any], body: Any = None) -> Request:
    """Return the request that calls *operation*; *params* holds all but a JSON *body*, `None` is left out.

    Raises `Invalid` for a parameter that the operation does not have or lacks.
    """
    given = {name: value for name, value in params.items() if value is not None}
    _check(operation, given)
    form = dict(_pairs(operation.form, given))
    headers = {"accept": "application/json", "x-acs-action": operation.name, "x-acs-version": operation.version}
    headers |= {name.lower(): _header(name, given[name]) for name in operation.headers if name in given}
    content = b""
    if form:
        content, headers["content-type"] = urlencode(form, quote_via=quote, safe="~").encode(), FORM
    elif body is not None:
        content, headers["content-type"] = _json_body(operation, body), JSON
    return Request(
        method=operation.method,
        path=_path(operation, given),
        query=dict(_pairs(operation.query, given)),
        headers=headers,
        body=content,
    )


def _check(operation: Operation, given: Mapping[str, Any]) -> None:
    known = operation.fields
    for name in given:
        if name not in known:
            raise Invalid(f"{operation.name} has no parameter {name}, expected one of {', '.join(sorted(known))}")
    for field in known.values():
        if field.required and field.name not in given:
            raise Invalid(f"{operation.name} needs the parameter {field.name}")


def _path(operation: Operation, given: Mapping[str, Any]) -> str:
    path = operation.path
    for name in operation.path_params:
        value = str(given[name])
        if value in ("", ".", ".."):  # URL libraries on the way fold these away
            raise Invalid(f"expected a name for {name}, got {value!r}")
        path = path.replace(f"{{{name}}}", quote(value, safe="~"), 1)
    return path


def _header(name: str, value: Any) -> str:
    text = str(value)
    if not text.isascii() or not text.isprintable():
        raise Invalid(f"expected printable ASCII for {name}, got {text!r}")
    return text


def _pairs(fields: Iterable[Field], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if field.name in given:
            value = given[field.name]
            if field.flat:
                yield from _spread(field.name, value)
            else:
                yield field.name, _text(value) if field.scalar else _json(value)


def _spread(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _spread(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value, 1):
            yield from _spread(f"{name}.{index}", item)
    elif value is not None:
        yield name, _text(value)


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json_body(operation: Operation, body: Any) -> bytes:
    if operation.rpc or operation.method in ("GET", "DELETE"):
        raise Invalid(f"{operation.name} takes no body")
    return _json(body).encode()


def parse(
    operation: Operation, path_params: Mapping[str, str], *, query: str, headers: Mapping[str, str], body: bytes
) -> tuple[dict[str, Any], Any]:
    """Return what `build` was given: the parameters with their types, and the JSON body.

    Header names are lower case. Parameters of RPC operations are taken from query and form alike; unknown ones are
    dropped. Raises `Refused` for a value of the wrong type, a required one that is missing, or a malformed body.
    """
    sent = _decoded(query)
    if operation.rpc:
        sent |= _decoded(body.decode("utf-8", "replace"))
    params: dict[str, Any] = dict(path_params)
    params |= {name: headers[name.lower()] for name in operation.headers if headers.get(name.lower())}
    for field in (*operation.query, *operation.form):
        value = _gathered(field, sent) if field.flat else _typed(operation, field, sent.get(field.name))
        if value is not None:
            params[field.name] = value
    missing = [field.name for field in operation.fields.values() if field.required and field.name not in params]
    if missing:
        raise _refused(operation, f"{', '.join(missing)} must be sent", code="MissingParameter")
    return params, None if operation.rpc else _read_body(operation, body)


def _decoded(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=PAIRS))
    except ValueError:
        raise Refused(
            f"expected at most {PAIRS} parameters", operation="", code="InvalidParameter", status=400, request_id=""
        ) from None


def _typed(operation: Operation, field: Field, text: str | None) -> Any:
    """Return *text* as its type. Python's SDK writes booleans as `True`; an empty text says nothing but for str."""
    if text is None or (not text and field.type != "str"):
        return None
    try:
        return _value(field.type, text)
    except (ValueError, RecursionError):
        raise _refused(operation, f"expected {field.type} for {field.name}", code="InvalidParameter") from None


def _value(kind: str, text: str) -> Any:
    if kind == "str":
        return text
    if kind == "bool":
        return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _fail()
    return int(text) if kind == "int" else float(text) if kind == "float" else json.loads(text)


def _fail() -> Any:
    raise ValueError


def _gathered(field: Field, sent: Mapping[str, str]) -> list[Any] | None:
    """Return the list that was spread over `Tag.1.Key`, `Tag.1.Value`, `Tag.2.Key`, in the order of its numbers."""
    found: dict[int, Any] = {}
    for name, text in sent.items():
        head, _, rest = name.partition(".")
        number, _, key = rest.partition(".")
        if head == field.name and number.isascii() and number.isdigit() and len(number) < 6:
            if key:
                item = found.setdefault(int(number), {})
                if isinstance(item, dict):
                    item[key] = text
            else:
                found[int(number)] = text
    return [found[number] for number in sorted(found)] or None


def _read_body(operation: Operation, body: bytes) -> Any:
    if not body:
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _refused(operation, "expected a JSON object as body", code="InvalidParameter") from None
    if not isinstance(found, dict):
        raise _refused(operation, "expected a JSON object as body", code="InvalidParameter")
    return found


def _refused(operation: Operation, message: str, *, code: str) -> Refused:
    return Refused(message, operation=operation.name, code=code, status=400, request_id="")
