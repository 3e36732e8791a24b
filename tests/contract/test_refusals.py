"""A wrong secret, a replay, a stale date, a changed byte, a missing permission: refused for all 140 and each proof."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from flinkform.controlplane import keyring
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.dispatch import Asked, Gateway
from flinkform.controlplane.reconcile.absent import Absent
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.tokens import Kind
from flinkform.errors import Refused
from flinkform.openapi.operation import names, operation
from flinkform.openapi.signature import SKEW, Key, read_pairs
from tests.contract.test_signature import BEARER, PACKAGES, Sdk, Seen, Stub, _no_proxy, pytestmark, stub

__all__ = ["_no_proxy", "pytestmark", "stub"]


@dataclass
class Plane:
    """A control plane whose keys, by kind, may do nothing; *ahead* is by how much its clock is wrong."""

    gateway: Gateway
    keys: dict[str, Key]
    ahead: list[float]

    def answer(self, seen: Seen) -> tuple[int, dict[str, Any]]:
        asked = Asked(method=seen.method, target=seen.target, headers=seen.headers, body=seen.body, request_id="R-1")
        return self.gateway.answer(asked)

    def code(self, seen: Seen, *, ahead: float = 0) -> str:
        self.ahead[0] = ahead
        status, answer = self.answer(seen)
        self.ahead[0] = 0
        assert 400 <= status < 500
        return str(answer["Code"])


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    store = Store.open(settings.database_url)
    keyring.root(store, settings)
    made = keyring.create(store, settings, description="may do nothing", policies=[])
    keys = {kind: keyring.issue(store, settings, made.id, Kind(kind), seconds=3600)[1] for kind in ("sts", "bearer")}
    ahead = [0.0]
    services = Services(store=store, runtime=Absent("no Java"), settings=settings, clock=lambda: time.time() + ahead[0])
    yield Plane(Gateway(services), {"key": Key(made.id, made.secret), **keys}, ahead)
    store.close()


def sent(stub: Stub, name: str, key: Key, family: str, *, bearer: bool) -> Seen:
    """What the official client sends for an operation, whatever it is answered."""
    stub.seen.clear()
    with suppress(ClientException):
        Sdk(operation(name).product, stub.port, BEARER if bearer else key, family).call(operation(name), wait=False)
    (seen,) = stub.seen
    return _again(seen, BEARER.token, key.token) if bearer else seen


def hashed(seen: Seen, key: Key) -> Seen:
    """A request under an old signature as the clients for Java and Node send it, which say the hash of the body."""
    theirs = DaraRequest()
    path, _, query = seen.target.partition("?")
    theirs.method, theirs.pathname = seen.method, path
    theirs.query = dict(read_pairs(query))
    digest = hashlib.md5(seen.body, usedforsecurity=False).digest()
    theirs.headers = seen.headers | {"content-md5": base64.b64encode(digest).decode()}
    signed = Utils.get_roasignature(Utils.get_string_to_sign(theirs), key.secret)
    return replace(seen, headers=theirs.headers | {"authorization": f"acs {key.id}:{signed}"})


@pytest.mark.parametrize("product", PACKAGES)
@pytest.mark.parametrize(
    ("kind", "family"), [("key", ""), ("sts", ""), ("bearer", ""), ("key", "v2"), ("sts", "v2"), ("bearer", "v2")]
)
def test_refusals(plane: Plane, stub: Stub, product: str, kind: str, family: str) -> None:
    """Whatever the operation and however it is signed, what is wrong is refused, and what is right but not allowed."""
    key, bearer = plane.keys[kind], kind == "bearer"
    for name in (one for one in names() if operation(one).product == product):
        seen = sent(stub, name, key, family, bearer=bearer)
        _signed(plane, seen, key, bearer=bearer)
        status, answer = plane.answer(seen)
        assert (status, answer["Code"]) == (403, "Forbidden.RAM"), name
        assert answer["AccessDeniedDetail"]["AuthAction"] == f"stream:{name}"
        assert plane.code(seen) == "SignatureNonceUsed"
        for ahead in (SKEW + 1, -SKEW - 5):
            assert plane.code(seen, ahead=ahead) == "InvalidTimeStamp.Expired"


def _signed(plane: Plane, seen: Seen, key: Key, *, bearer: bool) -> None:
    """Another secret and a changed byte of the body are refused; an old bearer sends no hash of it."""
    if bearer:
        other = replace(key, token=f"{key.token[:-1]}{'A' if key.token[-1] != 'A' else 'B'}")
        wrong = _again(seen, key.token, other.token)
        assert plane.code(wrong) == "InvalidBearerToken.NotFound"
        if "x-acs-content-sha256" in seen.headers:
            assert plane.code(replace(seen, body=seen.body + b" ")) == "SignatureDoesNotMatch"
        return
    with pytest.raises(Refused, match="does not match"):
        seen.check(Key(key.id, "another-secret", key.token))
    if seen.headers.get("authorization", "").startswith("acs "):
        seen = hashed(seen, key)
        assert seen.check(key) == key.id
    changed = replace(seen, body=seen.body[:-1] + bytes([seen.body[-1] ^ 1]) if seen.body else b"x")
    assert plane.code(changed) in ("SignatureDoesNotMatch", "IncompleteSignature", "MissingParameter")


def _again(seen: Seen, old: str, new: str) -> Seen:
    headers = {name: value.replace(old, new) for name, value in seen.headers.items()}
    body = seen.body.replace(old.encode(), new.encode())
    return replace(seen, headers=headers, target=seen.target.replace(old, new), body=body)
