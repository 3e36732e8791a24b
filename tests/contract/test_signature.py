"""What the official SDKs send is verified, routed and read for every operation, synchronous and asynchronous alike."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import orjson
import pytest
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.request import DaraRequest
from darabonba.runtime import RuntimeOptions
from hypothesis import given
from hypothesis import strategies as st

from flinkform.errors import Refused
from flinkform.openapi import envelope
from flinkform.openapi.legacy import parameters
from flinkform.openapi.operation import Operation, names, operation
from flinkform.openapi.proof import Known, verify
from flinkform.openapi.request import Request, build, parse
from flinkform.openapi.route import match
from flinkform.openapi.signature import Key, sign

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

PACKAGES = {"ververica": "alibabacloud_ververica20220718", "foasconsole": "alibabacloud_foasconsole20211028"}
KEYS = {"LTAIplain": Key("LTAIplain", "plain-secret"), "STS.temp": Key("STS.temp", "sts-secret", "sts-token/+=")}
BEARER = Key("FFT1", "", "FFT1.shown")
AWKWARD = "a/b:c d~e*f+é%2F@!$&'(),;=中"
SCALARS = {"str": "x y*~é&=+/:", "int": 7, "bool": True, "float": 0.5, "Any": "any"}


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def check(self, key: Key | None = None, **changes: Any) -> str:
        """Verify it, after *changes* to its parts, against *key* or the keys that are known."""
        parts = {"method": self.method, "target": self.target, "headers": self.headers, "body": self.body} | changes
        now = changes.pop("now", time.time())
        replayed = changes.pop("replayed", lambda _key, _nonce: False)
        find = (lambda _: key) if key else KEYS.get
        known = Known(find=find, bearer={BEARER.token: BEARER}.get, now=now, replayed=replayed)
        return verify(parts["method"], parts["target"], parts["headers"], parts["body"], known).key_id

    @property
    def action(self) -> str:
        """The operation that it names: in a header, or among its parameters."""
        sent = parameters(self.target, self.headers, self.body)
        return self.headers.get("x-acs-action") or sent.get("Action", "")

    def read(self) -> tuple[Operation, dict[str, Any], Any]:
        path, _, query = self.target.partition("?")
        found, params = match(self.method, path, action=self.action)
        return found, *parse(found, params, query=query, headers=self.headers, body=self.body)


@dataclass
class Stub:
    """A control plane that knows every operation and does nothing."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)

    def answer(self, seen: Seen) -> tuple[int, dict[str, Any]]:
        self.seen.append(seen)
        try:
            seen.check(replayed=self._replayed)
            found, _, _ = seen.read()
        except Refused as e:
            host = seen.headers["host"]
            return e.status, envelope.rejection(code=e.code, message=e.message, request_id="R-1", host=host)
        return 200, envelope.success(found, request_id="R-1", data=empty(found.data))

    def _replayed(self, key: str, nonce: str) -> bool:
        known = key + nonce in self.nonces
        self.nonces.add(key + nonce)
        return known


def empty(kind: str) -> Any:
    """Return the smallest value of a type."""
    return [] if kind.startswith("List") else "" if kind == "str" else {}


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    """Return a listening stub, stopped at the end."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, found = stub.answer(Seen(self.command, self.path, headers, body))
            content = orjson.dumps(found)
            self.send_response(status)
            self.send_header("content-type", "application/json;charset=utf-8")
            self.send_header("content-length", str(len(content)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 (the names http.server wants)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield stub
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The synchronous SDK sends even loopback calls through a proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


class Sdk:
    """The official client of one product, called by the names of operations."""

    def __init__(self, product: str, port: int, key: Key, family: str = "") -> None:
        self.models = importlib.import_module(f"{PACKAGES[product]}.models")
        proof = {"access_key_id": key.id, "access_key_secret": key.secret, "security_token": key.token or None}
        config = Config(
            **({"bearer_token": key.token} if key is BEARER else proof),
            signature_algorithm=family or None,
            endpoint=f"127.0.0.1:{port}",
            protocol="http",
            region_id="cn-hangzhou",
        )
        self.client = importlib.import_module(f"{PACKAGES[product]}.client").Client(config)

    def call(self, found: Operation, *, wait: bool) -> Any:
        """Call *found* with every parameter filled in, through the `_async` method if *wait*."""
        method = getattr(self.client, self._method(found.name, "withoptionsasync" if wait else "withoptions"))
        arguments = {name: self._argument(name, p) for name, p in inspect.signature(method).parameters.items()}
        return asyncio.run(method(**arguments)) if wait else method(**arguments)

    def _method(self, name: str, suffix: str) -> str:
        wanted = name.lower() + suffix
        return next(m for m in dir(self.client) if m.replace("_", "") == wanted)

    def _argument(self, name: str, parameter: inspect.Parameter) -> Any:
        if name == "runtime":
            return RuntimeOptions()
        kind = str(parameter.annotation).replace("main_models.", "")
        if kind.startswith("Dict"):  # the headers of the one operation that has none of its own
            return {}
        if name == "headers":
            filled = getattr(self.models, kind)(workspace="ws-1")
            if hasattr(filled, "accept_language"):
                filled.accept_language = "en"
            return filled
        return AWKWARD if kind == "str" else filled_model(self.models, kind)


def filled_model(models: ModuleType, kind: str, depth: int = 0) -> Any:
    """Return an instance of the SDK's model *kind* with every field set."""
    if kind in SCALARS:
        return SCALARS[kind]
    if found := re.fullmatch(r"List\[(.+)]", kind):
        return [filled_model(models, found[1], depth + 1) for _ in range(2)]
    if found := re.fullmatch(r"Dict\[str, (.+)]", kind):
        return {"k é": filled_model(models, found[1], depth + 1)}
    model = getattr(models, kind)
    if depth > 3:
        return model()
    parameters = inspect.signature(model).parameters.values()
    types = {p.name: str(p.annotation).replace("main_models.", "") for p in parameters}
    return model(**{name: filled_model(models, inner, depth + 1) for name, inner in types.items()})


def drive(stub: Stub, name: str, *, wait: bool, key: Key = KEYS["LTAIplain"], family: str = "") -> tuple[Seen, Any]:
    """Call one operation with the official client; return what arrived and what the client made of the answer."""
    found = operation(name)
    stub.seen.clear()
    answer = Sdk(found.product, stub.port, key, family).call(found, wait=wait)
    assert len(stub.seen) == 1
    return stub.seen[0], answer


@pytest.mark.parametrize("wait", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", names())
def test_every_operation(stub: Stub, name: str, wait: bool) -> None:
    """A call of the official SDK with awkward values is verified, routed and read, and its answer understood."""
    seen, answer = drive(stub, name, wait=wait)
    assert answer.body is not None
    found, params, body = seen.read()
    assert found.name == name == seen.headers["x-acs-action"]
    assert found.version == seen.headers["x-acs-version"]
    assert {params[p] for p in found.path_params} <= {AWKWARD}
    assert set(params) == set(found.fields)
    if name != "HotUpdateJob":  # the one operation whose body the SDK does not know
        assert (body is not None) == bool(found.body)
    again = build(found, params, body)
    assert again.method == seen.method
    rebuilt = Seen(again.method, again.target, {**again.headers}, again.body)
    assert rebuilt.read() == (found, params, body)


@pytest.mark.parametrize("wait", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("key", [KEYS["LTAIplain"], KEYS["STS.temp"], BEARER], ids=["key", "sts", "bearer"])
@pytest.mark.parametrize("family", ["", "v2"], ids=["acs3", "sha1"])
@pytest.mark.parametrize("product", PACKAGES)
def test_every_proof_of_every_operation(stub: Stub, product: str, family: str, key: Key, wait: bool) -> None:
    """The SDK's three kinds of key, by new and old signature, are told whose they are, whatever the operation."""
    for name in names():
        if operation(name).product == product:
            seen, answer = drive(stub, name, wait=wait, key=key, family=family)
            assert answer.body is not None
            assert seen.check() == key.id
            assert seen.read()[0].name == name


@pytest.mark.parametrize("wait", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", ["StopJob", "GetMember", "ListJobs", "DescribeInstances", "CreateInstance"])
def test_anything_changed_under_an_old_signature_is_refused(stub: Stub, name: str, wait: bool) -> None:
    """What HMAC-SHA1 covers cannot be changed either: method, path, parameters, and the headers of ROA."""
    seen, _ = drive(stub, name, wait=wait, family="v2")
    path, mark, query = seen.target.partition("?")
    changed: list[dict[str, Any]] = [
        {"method": "PUT"},
        {"target": f"{path}?{query}&extra=1"},
        {"target": f"{path}x{mark}{query}"} if path != "/" else {"body": seen.body + b"&InstanceName=other"},
        {"now": time.time() + 901},
        {"replayed": lambda _key, _nonce: True},
    ]
    if path != "/":
        changed += [{"headers": seen.headers | {"x-acs-action": "DeleteJob"}}]
        changed += [{"headers": seen.headers | {"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}}]
        changed += [{"headers": without(seen.headers, "x-acs-signature-nonce")}]
    assert seen.check() == "LTAIplain"
    for change in changed:
        with pytest.raises(Refused):
            seen.check(**change)
    with pytest.raises(Refused, match="does not match"):
        seen.check(Key("LTAIplain", "another-secret"))


def test_temporary_keys(stub: Stub) -> None:
    """A token is signed along, and a call with another one is refused."""
    seen, _ = drive(stub, "GetDeployment", wait=False, key=KEYS["STS.temp"])
    assert seen.check() == "STS.temp"
    for headers in (seen.headers | {"x-acs-security-token": "other"}, without(seen.headers, "x-acs-security-token")):
        with pytest.raises(Refused, match="x-acs-security-token"):
            seen.check(headers=headers)


@pytest.mark.parametrize("wait", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", ["StopJob", "GetMember", "DescribeInstances", "CreateInstance", "TagResources"])
def test_anything_changed_is_refused(stub: Stub, name: str, wait: bool) -> None:
    """A request with one part changed after signing does not verify."""
    seen, _ = drive(stub, name, wait=wait)
    path, mark, query = seen.target.partition("?")
    changed = [
        {"method": "PUT"},
        {"target": f"{path}x{mark}{query}"},
        {"target": f"{path}?{query}&extra=1"},
        {"body": seen.body + b" "},
        {"headers": seen.headers | {"workspace": "ws-2"}},
        {"headers": seen.headers | {"x-acs-action": "DeleteJob"}},
        {"headers": seen.headers | {"host": "elsewhere"}},
        {"headers": seen.headers | {"authorization": seen.headers["authorization"][:-1] + "g"}},
        {"headers": without(seen.headers, "x-acs-signature-nonce")},
    ]
    assert seen.check() == "LTAIplain"
    for change in changed:
        with pytest.raises(Refused):
            seen.check(**change)
    with pytest.raises(Refused, match="does not match"):
        seen.check(Key("LTAIplain", "another-secret"))


def test_separators_in_names_stay_names(stub: Stub) -> None:
    """Encoding a path anew never turns a name's slash into a separator."""
    seen, _ = drive(stub, "GetMember", wait=True)
    with pytest.raises(Refused, match="does not match"):
        seen.check(target=seen.target.replace("%2F", "/"))


def test_refusals_reach_the_sdk(stub: Stub) -> None:
    """A wrong secret is reported by the official client as the API itself would report it."""
    for wait in (False, True):
        with pytest.raises(ClientException) as caught:
            drive(stub, "ListDeployments", wait=wait, key=Key("LTAIplain", "wrong"))
        assert (caught.value.code, caught.value.status_code) == ("SignatureDoesNotMatch", 400)
        with pytest.raises(ClientException) as caught:
            drive(stub, "DescribeInstances", wait=wait, key=Key("LTAInobody", "wrong"))
        assert (caught.value.code, caught.value.status_code) == ("InvalidAccessKeyId.NotFound", 404)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@given(
    query=st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9.]{0,8}", fullmatch=True), texts, max_size=4),
    body=st.binary(max_size=64),
    name=texts.filter(lambda text: text not in ("", ".", "..")),
)
def test_signatures_are_the_sdks_own(query: dict[str, str], body: bytes, name: str) -> None:
    """What we sign carries the very signature that the SDK's own signer computes."""
    path = build(operation("GetDeployment"), {"workspace": "w", "namespace": name, "deploymentId": "d"}).path
    request = Request(method="POST", path=path, query=query, headers={"accept": "x"}, body=body)
    headers = sign(request, KEYS["STS.temp"], host="example.test", now=1_700_000_000, nonce="n")
    theirs = DaraRequest()
    theirs.method, theirs.pathname, theirs.query = "POST", path, query
    theirs.headers = without(headers, "authorization")
    payload = headers["x-acs-content-sha256"]
    expected = Utils.get_authorization(theirs, "ACS3-HMAC-SHA256", payload, "STS.temp", "sts-secret")
    assert headers["authorization"] == expected
    seen = Seen("POST", request.target, headers, body)
    assert seen.check(now=1_700_000_000 + 899) == "STS.temp"


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    """Return *headers* without the one called *name*."""
    return {key: value for key, value in headers.items() if key != name}
