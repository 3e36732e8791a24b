"""Calls of the client against a server that answers what it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from flinkform.client import wire
from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints
from flinkform.client.retry import Retry
from flinkform.errors import Conflict, Denied, FlinkformError, Invalid, NotFound, Refused, Throttled, Unavailable
from flinkform.openapi import envelope
from flinkform.openapi.operation import names, operation

from .conftest import SECRET, Clock, Server

Connect = Callable[..., Client]
WHERE = {"workspace": "w", "namespace": "n"}
JOB = WHERE | {"jobId": "j"}


def test_whole_answer(server: Server, connect: Connect) -> None:
    """A call returns the envelope as it came, and is counted."""
    client = connect()
    server.script.append({"success": True, "requestId": "r-1", "data": {"name": "é"}, "totalSize": 1})
    answer = client.call("CreateDeployment", WHERE, {"name": "é"})
    assert answer == {"success": True, "requestId": "r-1", "data": {"name": "é"}, "totalSize": 1}
    assert server.seen == [("CreateDeployment", WHERE, {"name": "é"})]
    assert client.calls == {"CreateDeployment": 1}


@pytest.mark.parametrize("name", names())
def test_every_operation_is_signed(server: Server, connect: Connect, name: str) -> None:
    """The server's verifier, which the official SDKs pass, takes what this client sends."""
    found = operation(name)
    sample = {"str": "a:b/ü *~+", "int": 3, "bool": False, "float": 0.5}
    params = {f.name: sample.get(f.type, ["x"] if f.item == "str" else [{"Key": "k"}]) for f in found.fields.values()}
    params |= dict.fromkeys(found.headers, "w-1")
    body = {"a": "ü"} if found.body else None
    connect().call(name, params, body)
    assert server.seen == [(name, params, body)]


def test_region_is_filled_in(server: Server, connect: Connect) -> None:
    """Operations that want a region get the client's own, unless the caller names another."""
    client = connect()
    client.call("DeleteInstance", {"InstanceId": "f-1"})
    client.call("DeleteInstance", {"InstanceId": "f-1", "Region": "elsewhere"})
    assert [params["Region"] for _, params, _ in server.seen] == ["cn-hangzhou", "elsewhere"]


def test_connections_are_kept(server: Server, connect: Connect) -> None:
    """Calls one after another share one connection, whichever product they are for."""
    client = connect()
    for _ in range(5):
        client.call("GetJob", JOB)
    assert server.connections == 1


def test_a_closed_connection_is_not_used(server: Server, connect: Connect) -> None:
    """A server that hung up meanwhile costs no failure, not even to a call that must not be repeated."""
    client = connect()
    server.hangs_up = True
    client.call("GetJob", JOB)
    assert server.closed.wait(10)
    client.call("CreateDeployment", WHERE, {})
    assert (server.connections, client.calls["CreateDeployment"]) == (2, 1)


def test_an_old_connection_is_not_used(server: Server, connect: Connect, clock: Clock) -> None:
    """A connection that idled as long as servers keep theirs is replaced before it can fail."""
    client = connect()
    client.call("GetJob", JOB)
    clock.now += wire.IDLE
    client.call("GetJob", JOB)
    assert server.connections == 2


def test_threads_share_a_client(server: Server, connect: Connect) -> None:
    """Calls from many threads all arrive and are all counted."""
    client = connect()
    threads = [threading.Thread(target=lambda: [client.call("GetJob", JOB) for _ in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.calls == {"GetJob": 80}
    assert len(server.seen) == 80


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (envelope.failure(code="990301", message="no such job", request_id="r-9"), NotFound, "r-9"),
        (envelope.failure(code="OperationConflict", message="it runs", request_id="r"), Conflict, "it runs"),
        (envelope.failure(code="990000", message="odd", request_id="r"), Refused, "GetJob: odd"),
        ((404, envelope.rejection(code="EntityNotExist", message="m", request_id="r", host="h")), NotFound, "m"),
        ((404, envelope.rejection(code="InvalidAction.NotFound", message="m", request_id="r", host="h")), Refused, "m"),
        ((403, envelope.rejection(code="Forbidden.RAM", message="m", request_id="r", host="h")), Denied, "LTAI1"),
        ((401, envelope.rejection(code="X", message="m", request_id="r", host="h")), Denied, "the environment"),
        (
            (400, envelope.rejection(code="InvalidTimeStamp.Expired", message="m", request_id="r", host="h")),
            Denied,
            "clock",
        ),
        ((200, b"<html>"), Refused, "expected a JSON object"),
        ((302, b""), Refused, "HTTP 302"),
    ],
)
def test_refusals(server: Server, connect: Connect, answer: Any, kind: type[FlinkformError], says: str) -> None:
    """Whatever the channel, the failure has its kind, says why, and is not tried again."""
    server.script.append(answer)
    client = connect()
    with pytest.raises(FlinkformError, match=says) as caught:
        client.call("GetJob", JOB)
    assert type(caught.value) is kind
    assert "GetJob" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert client.calls == {"GetJob": 1}


def test_lost_answers(server: Server, connect: Connect) -> None:
    """A read is asked again when its answer is lost; a create is not, and says that it may have happened."""
    client = connect()
    server.script.extend([None, None])
    client.call("GetJob", JOB)
    assert client.calls == {"GetJob": 3}
    server.script.append(None)
    with pytest.raises(Unavailable, match="may have been carried out"):
        client.call("CreateDeployment", WHERE, {})
    assert client.calls["CreateDeployment"] == 1


def test_failing_server(server: Server, connect: Connect, clock: Clock) -> None:
    """A 5xx is tried again for reads, with doubling pauses, until the tries are used up."""
    client = connect(attempts=4, first=1.0, longest=3.0)
    server.script.extend([(503, {"Code": "ServiceUnavailable", "Message": "busy"})] * 4)
    with pytest.raises(Unavailable, match="busy"):
        client.call("GetJob", JOB)
    assert clock.naps == [1.0, 2.0, 3.0]
    server.script.append((500, b"oops"))
    with pytest.raises(Unavailable):
        client.call("StartJob", WHERE, {})
    assert client.calls == {"GetJob": 4, "StartJob": 1}


def test_throttling(server: Server, connect: Connect, clock: Clock) -> None:
    """A throttled call was surely not carried out: even a create is sent again, after the pause that was asked for."""
    client = connect(first=0.5)
    complaint = {"Code": "Throttling.User", "Message": "slow down", "RequestId": "r"}
    server.script.append((429, complaint, {"x-acs-retry-after": "1500"}))
    server.script.append((400, complaint, {"retry-after": "2"}))
    server.script.append(envelope.failure(code="Throttling", message="slow down", request_id="r"))
    client.call("CreateDeployment", WHERE, {})
    assert client.calls == {"CreateDeployment": 4}
    assert [nap for nap in clock.naps if nap > 0.1] == [2.0, 3.0, 2.0]


def test_throttled_for_good(server: Server, connect: Connect) -> None:
    """The complaint is reported when it lasts, and at once when the pause asked for is out of reason."""
    client = connect(throttled=3)
    server.script.extend([(429, {"Code": "Throttling", "Message": "slow down"})] * 3)
    with pytest.raises(Throttled, match="slow down"):
        client.call("GetJob", JOB)
    server.script.append((429, {"Code": "Throttling", "Message": "tomorrow"}, {"retry-after": "86400"}))
    with pytest.raises(Throttled, match="tomorrow"):
        client.call("GetJob", JOB)
    assert client.calls == {"GetJob": 4}


def test_nobody_there(connect: Connect) -> None:
    """No control plane: the error says where it was looked for and how to start one, even to a create."""
    with socket.socket() as taken:  # bound but not listening, so the port stays refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unavailable, match=f"{url}: connection refused; .*flinkform up"):
            connect(url, attempts=2).call("CreateDeployment", WHERE, {})


def test_wrong_parameters_are_not_sent(server: Server, connect: Connect) -> None:
    """A mistake in the call is found before anything is sent."""
    client = connect()
    with pytest.raises(Invalid, match="no parameter jobID"):
        client.call("GetJob", WHERE | {"jobID": "j"})
    with pytest.raises(Invalid, match="got 'GetJobs'"):
        client.call("GetJobs", JOB)
    assert not server.seen
    assert not client.calls


def test_answers_are_bounded(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without end is not read to its end."""
    monkeypatch.setattr(wire, "LIMIT", 100)
    server.script.append({"data": "x" * 200})
    with pytest.raises(Unavailable, match="more than"):
        connect(attempts=1).call("GetJob", JOB)


def test_plain_proxies_get_whole_urls(server: Server, clock: Clock) -> None:
    """A call through a proxy is signed for the endpoint and addressed to it, with the proxy's own login beside."""
    there = "http://api.test:81"
    through = {there: f"http://user:pa%3Ass@127.0.0.1:{server.port}"}
    key = Credentials(key_id="LTAI1", secret=SECRET)
    client = Client(
        key, Endpoints(console=there, ververica=there, proxies=through), region="r", clock=clock, sleep=clock.sleep
    )
    client.call("GetJob", JOB)
    client.close()
    assert server.proxied == [("http://api.test:81", "api.test:81", "Basic dXNlcjpwYTpzcw==")]


def test_proxies_that_refuse(clock: Clock) -> None:
    """A TLS endpoint is reached through a tunnel; a proxy that refuses one is reported as such."""
    there = "https://api.test"
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked: list[bytes] = []

        def refuse() -> None:
            line, _ = proxy.accept()
            with line:
                asked.append(line.recv(4096))
                line.sendall(b"HTTP/1.1 407 Login\r\ncontent-length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        through = {there: f"http://127.0.0.1:{proxy.getsockname()[1]}"}
        key = Credentials(key_id="LTAI1", secret=SECRET)
        where = Endpoints(console=there, ververica=there, proxies=through)
        client = Client(key, where, region="r", clock=clock, sleep=clock.sleep, retry=Retry(attempts=1))
        with pytest.raises(Unavailable, match=r"cannot connect to https://api\.test: tunnel connection failed: 407"):
            client.call("GetJob", JOB)
        thread.join()
    assert asked[0].startswith(b"CONNECT api.test:443 ")
    assert b"LTAI1" not in asked[0]


PAGED = [
    ("ListDeployments", "pageIndex", "pageSize", 100),
    ("ListAutopilotTuningHistories", "pageNumber", "pageSize", 100),
    ("ListPatrolReports", "page", "size", 100),
    ("ListEditableNamespace", "pageIndex", "pageSize", "100"),
    ("DescribeInstances", "PageIndex", "PageSize", 100),
]


@pytest.mark.parametrize(("name", "index", "size", "hundred"), PAGED)
def test_pages(server: Server, connect: Connect, name: str, index: str, size: str, hundred: Any) -> None:
    """All styles of paging: 250 items come in three calls of 100, in order."""
    found = operation(name)
    items = [{"n": n} for n in range(250)]
    for number in (1, 2, 3):
        part = items[(number - 1) * 100 : number * 100]
        server.script.append(envelope.page(found, part, index=number, size=100, total=250, request_id="r"))
    params = dict.fromkeys(found.path_params, "x") | ({"workspace": "w"} if found.headers else {})
    client = connect()
    assert list(client.pages(name, params)) == items
    assert client.calls == {name: 3}
    assert [seen[index] for _, seen, _ in server.seen] in ([1, 2, 3], ["1", "2", "3"])
    assert {seen[size] for _, seen, _ in server.seen} == {hundred}


def test_pages_without_a_total(server: Server, connect: Connect) -> None:
    """Where no total is told, a short page is the last, and an empty one always is."""
    client = connect()
    server.script.extend([{"data": [{"n": 1}, {"n": 2}]}, {"data": [{"n": 3}]}])
    assert [i["n"] for i in client.pages("ListDeployments", WHERE, size=2)] == [1, 2, 3]
    server.script.extend([{"data": [{"n": 1}], "totalSize": 9}, {"data": [], "totalSize": 9}])
    assert len(list(client.pages("ListDeployments", WHERE))) == 1
    server.script.append({"data": None})
    assert not list(client.pages("ListDeployments", WHERE))
    assert client.calls == {"ListDeployments": 5}


def test_lists_without_pages(server: Server, connect: Connect) -> None:
    """A list that is always whole takes one call."""
    server.script.extend([{"data": [{"n": 1}]}, {"Regions": [{"n": 2}]}])
    client = connect()
    assert list(client.pages("ListSessionClusters", WHERE)) == [{"n": 1}]
    assert list(client.pages("DescribeSupportedRegions")) == [{"n": 2}]
    assert client.calls.total() == 2


def test_pages_by_token(server: Server, connect: Connect) -> None:
    """Tags come by token until there is none, or the same one again."""
    server.script.append({"TagResources": [{"n": 1}], "NextToken": "t"})
    server.script.append({"TagResources": [{"n": 2}], "NextToken": "t"})
    found = connect().pages("ListTagResources", {"ResourceType": "instance"})
    assert [item["n"] for item in found] == [1, 2]
    assert [seen.get("NextToken") for _, seen, _ in server.seen] == [None, "t"]


def test_no_list(server: Server, connect: Connect) -> None:
    """An answer without the list that was asked for is a failure, not an empty list."""
    server.script.append({"data": {"n": 1}, "requestId": "r"})
    with pytest.raises(Refused, match="expected a list at data, got dict"):
        list(connect().pages("ListDeployments", WHERE))
