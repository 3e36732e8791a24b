"""A call written by the client is the call the server reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform.errors import Invalid, Refused
from flinkform.openapi.operation import Field, Operation, names, operation
from flinkform.openapi.request import Request, build, parse
from flinkform.openapi.route import match

words = st.text(st.characters(codec="utf-8"), max_size=12)
segments = words.filter(lambda text: text not in ("", ".", ".."))
headers = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": words,
    "int": st.integers(),
    "bool": st.booleans(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
}


def spread(field: Field) -> st.SearchStrategy[Any]:
    """Values that can be spread over numbered names: texts, or objects of texts."""
    if field.item == "str":
        return st.lists(words, min_size=1, max_size=3)
    return st.lists(st.fixed_dictionaries({"Key": words, "Value": words}), min_size=1, max_size=3)


def values(found: Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of an operation: all required ones, some others."""
    needed: dict[str, st.SearchStrategy[Any]] = {}
    others: dict[str, st.SearchStrategy[Any]] = {}
    for field in found.fields.values():
        kind = spread(field) if field.flat else BY_TYPE.get(field.type, json.filter(lambda value: value is not None))
        if field.name in found.path_params:
            kind = segments
        elif field.name in found.headers:
            kind = headers
        (needed if field.required else others)[field.name] = kind
    return st.fixed_dictionaries(needed, optional=others)


def arrive(request: Request) -> tuple[Operation, dict[str, Any], Any]:
    """Return what a server reads from *request*."""
    path, _, query = request.target.partition("?")
    found, params = match(request.method, path, action=request.headers["x-acs-action"])
    return found, *parse(found, params, query=query, headers=request.headers, body=request.body)


@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    """Whatever the names and values, the server reads what the client was given."""
    found = operation(data.draw(st.sampled_from(names())))
    params = data.draw(values(found))
    body = data.draw(st.dictionaries(words, json, max_size=3)) if found.body else None
    assert arrive(build(found, params, body)) == (found, params, body)


@pytest.mark.parametrize("name", names())
def test_round_trip_of_each(name: str) -> None:
    """Every operation can be written and read, with all its parameters."""
    found = operation(name)
    sample = {"str": "a:b/ü", "int": 3, "bool": False, "float": 0.5}
    params = {f.name: sample.get(f.type, ["x"] if f.item == "str" else [{"Key": "k"}]) for f in found.fields.values()}
    params |= dict.fromkeys(found.headers, "w-1")
    body = {"a": [1, None, "é"]} if found.body else None
    assert arrive(build(found, params, body)) == (found, params, body)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_names_that_urls_lose(name: str) -> None:
    """A name that would vanish from a URL is refused before it is sent."""
    with pytest.raises(Invalid, match="namespace"):
        build(operation("ListDeployments"), {"workspace": "w", "namespace": name})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"workspace": "w", "namespace": "n", "pageindex": 1}, "no parameter pageindex"),
        ({"namespace": "n"}, "needs the parameter workspace"),
        ({"workspace": None, "namespace": "n"}, "needs the parameter workspace"),
        ({"workspace": "w\r\nx: y", "namespace": "n"}, "printable"),
    ],
)
def test_wrong_parameters(params: dict[str, Any], message: str) -> None:
    """An unknown or missing parameter is named before anything is sent."""
    with pytest.raises(Invalid, match=message):
        build(operation("ListDeployments"), params)


def test_bodies_only_where_they_belong() -> None:
    """A body for a read or for a console operation is a mistake; a hot update takes one that no SDK knows."""
    where = {"workspace": "w", "namespace": "n", "jobId": "j"}
    for name in ("GetJob", "DeleteJob"):
        with pytest.raises(Invalid, match="takes no body"):
            build(operation(name), where, {})
    with pytest.raises(Invalid, match="takes no body"):
        build(operation("DescribeSupportedRegions"), {}, {})
    assert build(operation("HotUpdateJob"), where, {"a": 1}).body == b'{"a":1}'


def read(name: str, query: str = "", body: bytes = b"", **headers: str) -> tuple[dict[str, Any], Any]:
    """Read a request of the operation *name* as a server would."""
    found = operation(name)
    return parse(found, dict.fromkeys(found.path_params, "p"), query=query, headers=headers, body=body)


def test_spellings_of_the_sdks() -> None:
    """Booleans as Python writes them, spaces as `+`, a form and a query at once, empty numbers."""
    given, _ = read("ModifyNamespaceSpecV2", "Ha=True", b"InstanceId=a+b&Namespace=n&Region=r&Unknown=1")
    assert given == {"Ha": True, "InstanceId": "a b", "Namespace": "n", "Region": "r"}
    given, _ = read("ListDeployments", "pageIndex=&name=", workspace="w")
    assert given == {"namespace": "p", "workspace": "w", "name": ""}


def test_numbered_names_come_in_any_order() -> None:
    """Spread lists are put together by number; numbers that are none, and huge ones, are nothing."""
    query = "RegionId=r&ResourceType=t&ResourceId.2=b&ResourceId.1=a&ResourceId.x=c&ResourceId.99999999999=d"
    given, _ = read("TagResources", f"{query}&Tag.1.Key=k&Tag.1.Value=v&Tag.1=odd")
    assert given["ResourceId"] == ["a", "b"]
    assert given["Tag"] in ([{"Key": "k", "Value": "v"}], ["odd"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("pageIndex=one", "InvalidParameter"),
        ("&".join("a=1" for _ in range(3000)), "InvalidParameter"),
    ],
)
def test_malformed_queries(query: str, code: str) -> None:
    """What cannot be read is refused by name, never a crash."""
    with pytest.raises(Refused) as caught:
        read("ListDeployments", query, workspace="w")
    assert caught.value.code == code


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_malformed_bodies(body: bytes) -> None:
    """A body that is no JSON object is refused."""
    with pytest.raises(Refused, match="JSON object"):
        read("CreateDeployment", body=body, workspace="w")


def test_missing_parameters_are_all_named() -> None:
    """The answer to an incomplete request says everything that is missing."""
    with pytest.raises(Refused, match="InstanceId, Namespace, Region") as caught:
        read("DeleteNamespace")
    assert caught.value.code == "MissingParameter"
    with pytest.raises(Refused, match="workspace"):
        read("GetJob")
