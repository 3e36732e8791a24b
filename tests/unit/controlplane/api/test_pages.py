"""The plain pages: health, status, logs, and Flink's own pages."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from tests.unit.controlplane.api.world import Api, Client, Flink


def get(api: Api, path: str) -> httpx.Response:
    auth = "Basic " + base64.b64encode(f"{api.key.id}:{api.key.secret}".encode()).decode()
    return api.client.request("GET", path, headers={"authorization": auth})


@pytest.fixture
def stranger(services: Services) -> Iterator[Client]:
    """A client on another machine."""
    client = Client(build(services), peer="192.0.2.1")
    yield client
    client.close()


@pytest.fixture
def rebound(services: Services) -> Iterator[Client]:
    """A browser on this machine that was led here under a foreign name."""
    client = Client(build(services), host="evil.example:8711")
    yield client
    client.close()


def test_health_asks_nothing(empty: Api, flink: Flink) -> None:
    """The process is up whether Flink is or not."""
    flink.alive = False
    assert empty.client.request("GET", "/healthz").json() == {"status": "ok"}


def test_ready_says_why_not(empty: Api, flink: Flink) -> None:
    """Ready when jobs can run; otherwise 503 with the reason."""
    assert empty.client.request("GET", "/readyz").json() == {"ready": True, "reasons": []}
    flink.alive = False
    answer = empty.client.request("GET", "/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["Flink is starting"]})


def test_status_shows_every_job(api: Api) -> None:
    """Every deployment has a line: what it should be, what it is, where to look."""
    api.call("CreateNamespace", Namespace="other")
    api.settle()
    kept = api.make("kept")
    running = api.make("running")
    run = api.started(running)
    api.namespace = "other"
    stopped = api.make("stopped")
    last = api.started(stopped)
    api.call("StopJob", {"stopStrategy": "NONE"}, jobId=last)
    api.run_is(last, "CANCELLED", ended_at=api.now)
    found = get(api, "/flinkform/v1/status").json()
    assert found["endpoint"] == "http://127.0.0.1:8711"
    lines = {one["deployment_id"]: one for one in found["jobs"]}
    shown = {key: (one["namespace"], one["desired"], one["state"], one["job_id"]) for key, one in lines.items()}
    assert shown == {
        kept: ("main-default", "suspended", "SUSPENDED", ""),
        running: ("main-default", "running", "RUNNING", run),
        stopped: ("other", "suspended", "CANCELLED", last),
    }
    assert lines[running]["url"] == f"http://127.0.0.1:8711/flink/#/job/running/{run.replace('-', '')}/overview"
    assert (lines[running]["name"], lines[kept]["url"]) == ("running", "")
    api.run_is(run, "FAILED", ended_at=api.now, failure={"reason": "no slots", "message": "", "failedAt": 1})
    lines = {one["deployment_id"]: one for one in get(api, "/flinkform/v1/status").json()["jobs"]}
    assert {key: one["trouble"] for key, one in lines.items()} == {kept: "", running: "no slots", stopped: ""}


def test_log_of_the_newest_job(api: Api, flink: Flink) -> None:
    """The end of the newest job's log; why it failed, if it never logged; 404 if it never started."""
    made = api.make()
    path = f"/flinkform/v1/jobs/{made}/log"
    assert get(api, path).status_code == 404
    run = api.started(made)
    flink.said = "one\ntwo\n"
    assert get(api, f"{path}?tail=4").text == "two\n"
    flink.said = ""
    api.run_is(run, "FAILED", failure={"failedAt": 1, "reason": "r", "message": "no such table"})
    assert get(api, path).text == "no such table\n"
    assert get(api, f"{path}?tail=x").status_code == 400


def test_log_is_followed_until_the_job_ends(api: Api, flink: Flink, tmp_path: Path) -> None:
    """What is written while somebody follows is sent; the answer ends with the job."""
    made = api.make()
    run = api.started(made)
    flink.path = tmp_path / "job.log"
    flink.path.write_text("a long line that is cut\none\n")

    async def end() -> None:
        await asyncio.sleep(0)
        with (tmp_path / "job.log").open("a") as log:
            log.write("two\n")
        api.run_is(run, "FINISHED", ended_at=api.now)

    answer = api.client.beside(end, "GET", f"/flinkform/v1/jobs/{made}/log?follow=true&tail=8", api.key)
    assert answer.text == "one\ntwo\n"


def test_flink_pages_pass_through(empty: Api, rest: str) -> None:
    """A GET is passed on with its query; the type of the answer comes back."""
    assert rest
    answer = empty.client.request("GET", "/flink/jobs/a%2Fb?get=x&y=1")
    assert answer.json() == {"path": "/jobs/a%2Fb?get=x&y=1"}
    assert answer.headers["content-type"] == "application/json"
    assert empty.client.request("GET", "/flink").headers["location"] == "/flink/"


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_flink_pages_change_nothing(empty: Api, rest: str, method: str) -> None:
    """Only GET reaches Flink, and no path on which a GET acts."""
    assert rest
    assert empty.client.request(method, "/flink/jobs/x").status_code in (400, 405)
    assert empty.client.request("GET", "/flink/jobs/x/yarn-cancel").status_code == 403


def test_flink_pages_are_for_this_machine(empty: Api, rest: str, stranger: Client, rebound: Client) -> None:
    """Another machine, or a name that is not this machine's, needs a key."""
    assert rest
    auth = "Basic " + base64.b64encode(f"{empty.key.id}:{empty.key.secret}".encode()).decode()
    for client in (stranger, rebound):
        assert client.request("GET", "/flink/overview").status_code == 401
        assert client.request("GET", "/flink/overview", headers={"authorization": auth}).status_code == 200


def test_flink_pages_without_flink(empty: Api) -> None:
    """While Flink does not run its pages say so."""
    answer = empty.client.request("GET", "/flink/overview")
    assert (answer.status_code, answer.json()["message"]) == (503, "Flink does not run")


def test_flink_pages_of_a_deployment(api: Api, rest: str) -> None:
    """The pages of the JVM that a deployment's newest run sits in are below its own path."""
    assert rest
    made = api.make()
    api.started(made)
    assert api.client.request("GET", f"/flink/of/{made}/jobs?x=1").json() == {"path": "/jobs?x=1"}
    assert api.client.request("GET", "/flink/of/nobody/jobs").status_code == 404
