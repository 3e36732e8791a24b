"""Terraform's http backend: states, versions, locks, and who may touch them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import httpx
import pytest

from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from tests.unit.controlplane.api.world import Api, Client

PATH = "/state/dev/auction"
OWN = "/flinkform/v1/states"
LOCK = {"ID": "lock-1", "Who": "ann@host", "Operation": "OperationTypeApply", "Created": "2026-11-23T00:00:00Z"}


def ask(api: Api, method: str, path: str = PATH, body: Any = None, **headers: str) -> httpx.Response:
    """Send a request as Terraform does, with the root key."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    auth = "Basic " + base64.b64encode(f"{api.key.id}:{api.key.secret}".encode()).decode()
    return api.client.request(method, path, content=content, headers={"authorization": auth, **headers})


def state(serial: int = 1, **fields: Any) -> dict[str, Any]:
    return {"version": 4, "serial": serial, "lineage": "l-1", "resources": [], **fields}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "LOCK", "UNLOCK"])
@pytest.mark.parametrize(
    "authorization", [None, "Basic", "Basic !", "Basic eDp5", "Basic eA==", "Bearer x", "wrong secret"]
)
def test_without_a_key_there_is_no_state(empty: Api, method: str, authorization: str | None) -> None:
    """Nobody reads, writes or locks a state without an access key's id and secret."""
    if authorization == "wrong secret":
        authorization = "Basic " + base64.b64encode(f"{empty.key.id}:x".encode()).decode()
    headers = {} if authorization is None else {"authorization": authorization}
    answer = empty.client.request(method, PATH, headers=headers, content=json.dumps(LOCK).encode())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert ask(empty, "GET").status_code == 404
    assert ask(empty, "LOCK", body=LOCK).status_code == 200


def test_state_comes_back_byte_for_byte(empty: Api) -> None:
    """What was written last is what is read, to the byte, with its hash."""
    assert ask(empty, "GET").status_code == 404
    content = b'{ "version": 4,\n  "serial": 7, "lineage": "l-1", "x": "\xc3\xa9" }\n'
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    assert ask(empty, "POST", body=content, **{"content-md5": digest}).status_code == 200
    answer = ask(empty, "GET")
    assert (answer.content, answer.headers["content-md5"]) == (content, digest)


def test_states_are_kept_apart(empty: Api) -> None:
    """Environment and stack both belong to a state's address."""
    ask(empty, "POST", body=state(1))
    ask(empty, "POST", "/state/prod/auction", state(2))
    assert ask(empty, "GET").json()["serial"] == 1
    assert ask(empty, "GET", "/state/prod/auction").json()["serial"] == 2
    assert ask(empty, "GET", "/state/dev/other").status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"{}", b'{"version": 4, "serial": "x"}', b'{"version": "4", "serial": 1}']
)
def test_what_is_no_state_is_refused(empty: Api, body: bytes) -> None:
    """Only a Terraform state is kept."""
    assert ask(empty, "POST", body=body).status_code == 400
    assert ask(empty, "GET").status_code == 404


@pytest.mark.parametrize("digest", ["AAAAAAAAAAAAAAAAAAAAAA==", "no base64"])
def test_damaged_state_is_refused(empty: Api, digest: str) -> None:
    """A body that is not what its hash says is not kept."""
    answer = ask(empty, "POST", body=state(), **{"content-md5": digest})
    assert answer.status_code == 400
    assert "Content-MD5" in answer.json()["message"]


def test_lock_keeps_others_out(empty: Api) -> None:
    """While one holds the lock, others get its document for every lock, write and delete; reads go on."""
    ask(empty, "POST", body=state(1))
    assert ask(empty, "LOCK", body=LOCK).status_code == 200
    assert ask(empty, "LOCK", body=LOCK).status_code == 200
    for method, path, body in (
        ("LOCK", PATH, LOCK | {"ID": "lock-2"}),
        ("UNLOCK", PATH, {"ID": "lock-2"}),
        ("POST", PATH, state(2)),
        ("POST", f"{PATH}?ID=lock-2", state(2)),
        ("DELETE", PATH, None),
    ):
        answer = ask(empty, method, path, body)
        assert (answer.status_code, answer.json()) == (423, LOCK)
    assert ask(empty, "GET").json()["serial"] == 1
    assert ask(empty, "POST", f"{PATH}?ID=lock-1", state(2)).status_code == 200
    assert ask(empty, "UNLOCK", body=LOCK).status_code == 200
    assert ask(empty, "LOCK", body=LOCK | {"ID": "lock-2"}).status_code == 200


def test_a_write_whose_lock_was_broken_is_refused(empty: Api) -> None:
    """Who lost the lock meanwhile does not write over somebody else's state."""
    ask(empty, "LOCK", body=LOCK)
    assert ask(empty, "POST", f"{OWN}/dev/auction/unlock").status_code == 200
    answer = ask(empty, "POST", f"{PATH}?ID=lock-1", state())
    assert answer.status_code == 409
    assert "no longer locked" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"ID": ""}', b'{"ID": 1}', b"x" * 70_000])
@pytest.mark.parametrize("method", ["LOCK", "UNLOCK"])
def test_a_lock_has_an_id(empty: Api, method: str, body: bytes) -> None:
    """A lock document without an id, or far too long, is refused."""
    assert ask(empty, method, body=body).status_code in (400, 413)


def test_force_unlock_sends_nothing(empty: Api) -> None:
    """Terraform's force-unlock has no body, and means the lock there is; harmless where there is none."""
    ask(empty, "LOCK", body=LOCK)
    assert ask(empty, "UNLOCK").status_code == 200
    assert ask(empty, "UNLOCK").status_code == 200
    assert ask(empty, "LOCK", body=LOCK | {"ID": "lock-2"}).status_code == 200
    assert ask(empty, "LOCK").status_code == 400


def test_delete_forgets_the_state(empty: Api) -> None:
    """A deleted state is not there any more."""
    ask(empty, "POST", body=state())
    assert ask(empty, "DELETE").status_code == 200
    assert ask(empty, "GET").status_code == 404


def test_long_state_is_refused(services: Services, empty: Api) -> None:
    """A state beyond the limit is refused, and the old one stays."""
    ask(empty, "POST", body=state(1))
    body = b" " * (services.settings.state_limit + 1)
    assert ask(empty, "POST", body=body).status_code == 413
    assert ask(empty, "GET").json()["serial"] == 1


def test_list_and_restore(empty: Api) -> None:
    """An old version becomes the newest again, under a serial that no plan takes for old."""
    ask(empty, "POST", body=state(1, outputs={"a": 1}))
    ask(empty, "POST", body=state(2))
    ask(empty, "LOCK", "/state/dev/auction", LOCK)
    listed = ask(empty, "GET", OWN).json()["states"]
    assert [(one["address"], one["version"], one["serial"], one["lock"]["who"]) for one in listed] == [
        ("dev/auction", 2, 2, "ann@host")
    ]
    assert ask(empty, "POST", f"{OWN}/dev/auction/restore?version=1").status_code == 409
    ask(empty, "UNLOCK", body=LOCK)
    made = ask(empty, "POST", f"{OWN}/dev/auction/restore?version=1").json()
    assert (made["version"], made["serial"]) == (3, 3)
    now = ask(empty, "GET").json()
    assert (now["serial"], now["outputs"], now["lineage"]) == (3, {"a": 1}, "l-1")
    kept = ask(empty, "GET", f"{OWN}/dev/auction").json()
    assert [one["version"] for one in kept["versions"]] == [3, 2, 1]
    assert ask(empty, "POST", f"{OWN}/dev/auction/restore?version=9").status_code == 404
    assert ask(empty, "POST", f"{OWN}/dev/auction/restore?version=x").status_code == 400
    assert ask(empty, "GET", f"{OWN}/dev/none").status_code == 404


def test_a_lock_without_a_state_is_listed(empty: Api) -> None:
    """What a first apply that was killed leaves behind can be seen, and so be broken."""
    ask(empty, "LOCK", body=LOCK)
    (listed,) = ask(empty, "GET", OWN).json()["states"]
    assert (listed["address"], listed["version"], listed["lock"]["id"]) == ("dev/auction", 0, "lock-1")
    one = ask(empty, "GET", f"{OWN}/dev/auction").json()
    assert (one["versions"], one["lock"]["id"]) == ([], "lock-1")


def test_unlock_breaks_the_lock_it_means(empty: Api) -> None:
    """A lock is broken by hand, and with an id only that one."""
    ask(empty, "LOCK", body=LOCK)
    assert ask(empty, "POST", f"{OWN}/dev/auction/unlock?id=other").status_code == 409
    assert ask(empty, "POST", f"{OWN}/dev/auction/unlock?id=lock-1").json()["lock"]["who"] == "ann@host"
    assert ask(empty, "POST", f"{OWN}/dev/auction/unlock").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", OWN),
        ("GET", f"{OWN}/dev/auction"),
        ("POST", f"{OWN}/dev/auction/restore?version=1"),
        ("POST", f"{OWN}/dev/auction/unlock"),
        ("GET", "/flinkform/v1/status"),
        ("GET", "/flinkform/v1/jobs/x/log"),
    ],
)
def test_own_pages_want_a_key(empty: Api, method: str, path: str) -> None:
    """Flinkform's own pages tell nothing to who has no key."""
    assert empty.client.request(method, path).status_code == 401


def test_state_survives_a_restart(services: Services, empty: Api) -> None:
    """States and locks are in the database, not in the process."""
    ask(empty, "POST", body=state(3))
    ask(empty, "LOCK", body=LOCK)
    client = Client(build(services))
    again = Api(services, client, empty.key)
    assert ask(again, "GET").json()["serial"] == 3
    assert ask(again, "LOCK", body=LOCK | {"ID": "lock-2"}).status_code == 423
    client.close()
