"""Whatever is sent to any operation of the OpenAPI document, the answer is one of the API's, and never a bug."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flinkform.openapi import signature
from flinkform.openapi.extract import document as generated
from flinkform.openapi.operation import names
from flinkform.openapi.request import Request
from tests.unit.controlplane.api.world import HOST, Api, deployment

Schema = dict[str, Any]
EXAMPLES = int(os.environ.get("FLINKFORM_WALK", "4"))
DOCUMENT = generated.document()
PLACES = {
    found["operationId"]: (path, method, found)
    for path, methods in DOCUMENT["paths"].items()
    for method, found in methods.items()
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=20),
    st.sampled_from(["\0", "\ud800", "a/b", "..", "é", "%", "x" * 300, "'; DROP TABLE runs; --"]),
    st.integers(),
    st.sampled_from([2**63, -(2**63) - 1, 10**40, -1, 0]),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
"""What nobody expects in that place."""
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.one_of(st.text(max_size=12), st.from_regex(r"[a-z]{1,8}", fullmatch=True)),
    "integer": st.integers(-3, 200),
    "number": st.floats(allow_nan=False),
    "boolean": st.booleans(),
}
CHUNK = 20
CHUNKS = [names()[at : at + CHUNK] for at in range(0, len(names()), CHUNK)]
"""Operations that share a world."""


def values(schema: Schema, known: dict[str, str], name: str = "", depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a schema, now and then of another one; names that mean something are mostly *known* things."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if name in known:
        usual: st.SearchStrategy[Any] = st.one_of(*[st.just(known[name])] * 6, SCALARS["string"])
    else:
        usual = SCALARS.get(schema.get("type", ""), ODD) if depth > 3 else _usual(schema, known, depth)
    return st.one_of(*[usual] * 8, ODD)


def _usual(schema: Schema, known: dict[str, str], depth: int) -> st.SearchStrategy[Any]:
    kind = schema.get("type", "")
    if kind == "array":
        return st.lists(values(schema["items"], known, depth=depth + 1), max_size=2)
    if kind == "object":
        fields = {one: values(of, known, one, depth + 1) for one, of in schema.get("properties", {}).items()}
        needed = set(schema.get("required", ()))
        optional = {one: of for one, of in fields.items() if one not in needed}
        if fields:
            return st.fixed_dictionaries({one: fields[one] for one in needed}, optional=optional)
        return st.dictionaries(st.text(max_size=5), ODD, max_size=3)
    return SCALARS.get(kind, ODD)


@pytest.fixture
def known(api: Api, rest: str) -> dict[str, str]:
    """A world in which much can be done, and the names of what is in it."""
    assert rest
    made = api.make("bids", labels={"team": "x"})
    job = api.started(made)
    saved = api.call("CreateSavepoint", {"deploymentId": made})["data"]["savepointId"]
    api.savepoint_is(saved, "COMPLETED", location="file:///s/1")
    document = deployment()
    return {
        "workspace": api.workspace,
        "namespace": api.namespace,
        "Namespace": api.namespace,
        "InstanceId": api.instance,
        "deploymentId": made,
        "jobId": job,
        "savepointId": saved,
        "deploymentName": "bids",
        "name": "bids",
        "kind": "SQLSCRIPT",
        "sqlScript": str(document["artifact"]["sqlArtifact"]["sqlScript"]),
        "executionMode": "STREAMING",
        "stopStrategy": "NONE",
        "labelKey": "team",
        "labelValue": "x",
        "Region": "cn-hangzhou",
        "member": "user:1",
        "role": "EDITOR",
    }


def requests(name: str, known: dict[str, str]) -> st.SearchStrategy[Request]:
    """Requests of one operation."""
    path, method, found = PLACES[name]
    places: dict[str, dict[str, st.SearchStrategy[Any]]] = {"path": {}, "query": {}, "header": {}}
    for one in found["parameters"]:
        places[one["in"]][one["name"]] = values(one["schema"], known, one["name"])
    form, body = st.just({}), st.none()
    for kind, content in found.get("requestBody", {}).get("content", {}).items():
        schema = values(content["schema"], known)
        form, body = (schema, body) if "form" in kind else (form, schema)
    query = st.fixed_dictionaries({}, optional=places["query"])
    path_values = st.fixed_dictionaries(places["path"])
    return st.builds(_request(name, path, method), path_values, query, form, body, st.booleans())


def _request(name: str, path: str, method: str) -> Callable[..., Request]:
    def build(places: Any, query: Any, form: Any, body: Any, json_like: bool) -> Request:
        target = path.partition("?")[0]
        for one, value in places.items():
            target = target.replace(f"{{{one}}}", quote(_text(value), safe="~", errors="replace") or "x")
        headers = {"accept": "application/json", "x-acs-action": name}
        content = b""
        if form and isinstance(form, dict):
            pairs = {_text(one): _text(value) for one, value in form.items()}
            content = urlencode(pairs, errors="replace").encode()
            headers["content-type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            text = json.dumps(body) if json_like or isinstance(body, dict) else repr(body)
            content = text.encode("utf-8", "replace")
            headers["content-type"] = "application/json"
        pairs = {one: _text(value).encode("utf-8", "replace").decode() for one, value in query.items()}
        return Request(method=method.upper(), path=target, query=pairs, headers=headers, body=content)

    return build


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def send(api: Api, request: Request, number: int) -> tuple[int, dict[str, Any]]:
    headers = dict(request.headers) | {"workspace": api.workspace}
    whole = Request(method=request.method, path=request.path, query=request.query, headers=headers, body=request.body)
    now = api.services.clock()
    signed = signature.sign(whole, api.key, host=HOST, now=now, nonce=f"fuzz-{number}")
    answer = api.client.request(whole.method, whole.target, content=whole.body, headers=signed)
    found: dict[str, Any] = answer.json()
    return answer.status_code, found


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"{chunk[0]}-{chunk[-1]}")
def test_no_bug(chunk: tuple[str, ...], api: Api, known: dict[str, str]) -> None:
    """Every answer is JSON of one of the two channels; no request is a bug, or breaks the ones after it."""
    numbers = itertools.count()
    for name in chunk:
        fuzz(name, api, known, numbers)


def fuzz(name: str, api: Api, known: dict[str, str], numbers: Iterator[int]) -> None:
    """Send requests of one operation."""

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=[*HealthCheck], derandomize=EXAMPLES < 10)
    @given(request=requests(name, known))
    def one(request: Request) -> None:
        status, found = send(api, request, next(numbers))
        assert status < 500, (status, found, request)
        told = found.keys() & {"success", "Success", "Code"}
        assert told, found

    one()


def test_the_document_is_fresh() -> None:
    """It is checked in as it would be generated now, and has every operation."""
    assert generated.text() == (generated.PLACE).read_text(encoding="utf-8")
    assert set(PLACES) == set(names())


def test_a_newline_in_a_path(api: Api) -> None:
    """A path that no pattern of a web framework matches is answered in the API's words, too."""
    path = f"/api/v2/namespaces/{api.namespace}/deployments/a%0Ab"
    status, found = send(api, Request(method="GET", path=path, query={}, headers={}), 1)
    assert (status, found["errorCode"]) == (200, "990301")


def test_bottomless_bodies_are_refused(api: Api) -> None:
    """A body of a thousand levels is refused in words."""
    path = f"/api/v2/namespaces/{api.namespace}/deployments"
    for depth in (100, 500, 900, 5000):
        body = b'{"flinkConf":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
        request = Request(method="POST", path=path, query={}, headers={"content-type": "application/json"}, body=body)
        status, found = send(api, request, depth)
        assert (status, found["Code"]) == (400, "InvalidParameter"), found
