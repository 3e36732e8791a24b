"""The calls of the protocol, as bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from flinkform.errors import Denied
from flinkform.provider import record
from flinkform.provider.lists import Lists
from flinkform.provider.protocol import grpc, protobuf
from flinkform.provider.service import PREFIX, Service
from flinkform.provider.session import Session
from flinkform.provider.values import NULL, Form, Values
from flinkform.resources import RESOURCES, variable
from flinkform.resources.job import RESOURCE
from tests.unit.provider.clock import Time
from tests.unit.provider.cloud import Cloud

FORM = Form(RESOURCE.attributes)
NAME = protobuf.string(1, "flink_job")
BLANK: dict[str, Any] = {a.name: None for a in RESOURCE.attributes}
CONFIG = BLANK | {"workspace": "w", "namespace": "n", "name": "a", "sql": "SELECT 1"}


class Core:
    """Calls a service as terraform does, and reads the answers by field number."""

    def __init__(self, connect: Callable[[Values, Event], Session]) -> None:
        self.service = Service(connect)
        self.waited = 0

    def __call__(self, name: str, *fields: bytes) -> dict[int, Any]:
        answer = self.service.methods[PREFIX + name.encode()](b"".join(fields))
        if isinstance(answer, grpc.Later):
            self.waited += 1
            answer = answer.work()
        assert isinstance(answer, bytes)
        return protobuf.read(answer)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def core(cloud: Cloud) -> Core:
    def connect(_block: Values, _stop: Event) -> Session:
        time = Time()
        return Session(client=cloud, lists=Lists(cloud), stop=time, clock=time)

    core = Core(connect)
    core("ConfigureProvider")
    return core


def field(number: int, values: Values | None) -> bytes:
    return protobuf.message(number, FORM.dump(values))


def text(diagnostic: bytes) -> str:
    told = protobuf.read(diagnostic)
    return b"\n".join(bytes(told[n]) for n in (2, 3) if n in told).decode()


def made(core: Core) -> tuple[bytes, bytes]:
    """Plan and apply a job; return its state and private state, as bytes."""
    planned = core("PlanResourceChange", NAME, protobuf.message(2, NULL), field(3, CONFIG), field(4, CONFIG))
    done = core(
        "ApplyResourceChange", NAME, protobuf.message(2, NULL), protobuf.message(3, planned[1]), field(4, CONFIG)
    )
    return done[1], done[2]


def test_unchanged_bytes(core: Core) -> None:
    """What did not change goes back as the very bytes it came in."""
    state, private = made(core)
    read = core("ReadResource", NAME, protobuf.message(2, state), protobuf.bytes_(3, private))
    assert (read[1], read[3]) == (state, private)
    values = FORM.load(state)
    planned = core("PlanResourceChange", NAME, protobuf.message(2, state), field(3, values), field(4, CONFIG))
    assert planned == {1: state}


def test_cold_and_warm(core: Core) -> None:
    """Only the first read of a list waits for the API; the others are answered on the loop."""
    state, _ = made(core)
    core("ConfigureProvider")
    core.waited = 0
    for _ in range(3):
        core("ReadResource", NAME, protobuf.message(2, state))
    assert core.waited == 1


def test_configured_again(core: Core, cloud: Cloud) -> None:
    """Nothing is remembered from one configuration to the next."""
    state, _ = made(core)
    core("ReadResource", NAME, protobuf.message(2, state))
    cloud.kill("a")
    core("ConfigureProvider")
    read = core("ReadResource", NAME, protobuf.message(2, state))
    assert (FORM.load(read[1]) or {})["state"] == "failed"


def test_replace_paths(core: Core) -> None:
    """What forces a replacement is named by path."""
    state, _ = made(core)
    config = CONFIG | {"execution_mode": "BATCH"}
    wanted = (FORM.load(state) or {}) | config
    planned = core("PlanResourceChange", NAME, protobuf.message(2, state), field(3, wanted), field(4, config))
    assert planned[2] == protobuf.message(1, protobuf.string(1, "execution_mode"))


def test_failure_keeps_state(core: Core, cloud: Cloud) -> None:
    """An apply that fails half-way answers with the error and with the state it left."""
    cloud.broken["a"] = "boom"
    planned = core("PlanResourceChange", NAME, protobuf.message(2, NULL), field(3, CONFIG), field(4, CONFIG))
    done = core(
        "ApplyResourceChange", NAME, protobuf.message(2, NULL), protobuf.message(3, planned[1]), field(4, CONFIG)
    )
    assert "boom" in text(done[3])
    assert (FORM.load(done[1]) or {})["deployment_id"] == "d-1"


def test_bug(core: Core, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected failure is called a bug, with the place and without the text, which may hold a secret."""
    state, _ = made(core)
    core("ConfigureProvider")

    def broken(*_: Any) -> Any:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(cloud, "_ListDeployments", broken)
    told = text(core("ReadResource", NAME, protobuf.message(2, state))[2])
    assert told.startswith("this is a bug in flinkform: RuntimeError")
    assert "test_service.py" in told
    assert "hunter2" not in told


def test_denied() -> None:
    """A provider block that cannot be used is a diagnostic of ConfigureProvider, and later calls say so too."""

    def connect(_block: Values, _stop: Event) -> Session:
        raise Denied("no access key found")

    core = Core(connect)
    assert "no access key found" in text(core("ConfigureProvider")[1])
    assert "before it was configured" in text(core("ReadResource", NAME, field(2, CONFIG))[2])


def test_validation_paths(core: Core) -> None:
    """A fault points at its attribute; a key of a map is a key."""
    told = core("ValidateResourceConfig", NAME, field(2, CONFIG | {"logging": {"root": "LOUD"}}))
    steps = [bytes(step) for _, step in protobuf.fields(bytes(protobuf.read(told[1])[4]))]
    assert steps == [protobuf.string(1, "logging"), protobuf.string(2, "root")]


def test_import(core: Core) -> None:
    """An import knows the key and the defaults of what the API does not keep; a wrong id shows the right form."""
    told = core("ImportResourceState", NAME, protobuf.string(2, "w/n/d-1"))
    state = FORM.load(bytes(protobuf.read(told[1])[2])) or {}
    assert [state[name] for name in ("id", "workspace", "deployment_id")] == ["w/n/d-1", "w", "d-1"]
    assert state["savepoint_on_destroy"] is True
    for wrong in ("d-1", "w//d-1", "w/n/d/1"):
        said = text(core("ImportResourceState", NAME, protobuf.string(2, wrong))[2])
        assert "<workspace>/<namespace>/<deployment_id>" in said


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
def test_upgraded_state(core: Core, resource: Any) -> None:
    """For every type: a whole state is echoed, a ragged one is filled and trimmed, one from the future refused."""

    def upgrade(version: int, values: dict[str, Any]) -> dict[int, Any]:
        raw = protobuf.message(3, protobuf.bytes_(1, json.dumps(values).encode()))
        return core("UpgradeResourceState", protobuf.string(1, resource.type_name), protobuf.uint(2, version), raw)

    whole = record.completed(resource.attributes, {})
    assert bytes(protobuf.read(upgrade(0, whole)[1])[2]) == json.dumps(whole).encode()
    ragged = json.loads(bytes(protobuf.read(upgrade(0, {"id": "x", "gone": 1})[1])[2]))
    assert ragged == whole | {"id": "x"}
    assert "of version 0 at most, got 3" in text(upgrade(3, whole)[2])


def test_upgraded_state_of_before(core: Core) -> None:
    """What an object inside did not say yet has its default, so that it plans no change."""
    old = {"upgrade": {"mode": "latest", "fallback": False}, "timeouts": {"create": "5m"}}
    raw = protobuf.message(3, protobuf.bytes_(1, json.dumps(old).encode()))
    whole = json.loads(bytes(protobuf.read(core("UpgradeResourceState", NAME, raw)[1])[2]))
    assert whole["upgrade"] == {"mode": "latest", "fallback": False, "on_incompatible": "fail"}
    assert whole["timeouts"] == {"create": "5m", "update": None, "delete": None}


def moved(core: Core, values: dict[str, Any], **given: Any) -> dict[int, Any]:
    """Ask for what a state of the public provider's deployment is as our job."""
    provider = given.get("provider", "registry.terraform.io/aliyun/alicloud")
    return core(
        "MoveResourceState",
        protobuf.string(1, provider),
        protobuf.string(2, given.get("source", "alicloud_realtime_compute_deployment")),
        protobuf.uint(3, given.get("version", 0)),
        protobuf.message(4, protobuf.bytes_(1, json.dumps(values).encode())),
        protobuf.string(5, given.get("target", "flink_job")),
    )


PUBLIC: dict[str, Any] = {"resource_id": "w", "namespace": "n", "deployment_id": "d-1", "deployment_name": "a"}


def test_move(core: Core) -> None:
    """What the public provider kept of a deployment is our job, defaults of what it does not know included."""
    artifact = [{"kind": "SQLSCRIPT", "jar_artifact": [], "sql_artifact": [{"sql_script": "SELECT 1"}]}]
    odd = {"flink_conf": {}, "labels": None, "streaming_resource_setting": [], "execution_mode": "BOTH"}
    state = FORM.load(bytes(moved(core, PUBLIC | {"artifact": artifact} | odd)[1])) or {}
    told = {name: state[name] for name in ("id", "workspace", "namespace", "deployment_id", "name", "sql")}
    assert told == {
        "id": "w/n/d-1",
        "workspace": "w",
        "namespace": "n",
        "deployment_id": "d-1",
        "name": "a",
        "sql": "SELECT 1",
    }
    assert state["savepoint_on_destroy"] is True
    assert [state[name] for name in ("flink_options", "labels", "parallelism", "execution_mode")] == [None] * 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"source": "alicloud_vpc"},
            "expected one of alicloud_realtime_compute_deployment, alicloud_realtime_compute_",
        ),
        (
            {"provider": "registry.terraform.io/acme/other"},
            "cannot take over the state of alicloud_realtime_compute_de",
        ),
        ({"target": "flink_variable"}, "flink_variable cannot take over the state of"),
        ({"version": 3}, "of version 0, got 3"),
        ({"target": "flink_nothing"}, "expected a type of this provider"),
    ],
)
def test_move_of_something_else(core: Core, given: dict[str, Any], said: str) -> None:
    """What no declaration says how to read is refused with what to do instead."""
    assert said in text(moved(core, PUBLIC, **given)[2])


def test_move_of_too_little(core: Core) -> None:
    """A state that does not say which object it is of is refused, and what it lacks is named as its provider does."""
    told = text(moved(core, {"namespace": "n", "deployment_name": "a"})[2])
    assert "says what its resource_id, deployment_id is" in told
    assert "import block of flink_job" in told


def test_stop() -> None:
    """Stop ends the waits of the session that is configured, and of that one only."""
    stops = []

    def connect(_block: Values, stop: Event) -> Session:
        stops.append(stop)
        cloud = Cloud()
        return Session(client=cloud, lists=Lists(cloud), stop=stop)

    core = Core(connect)
    core("ConfigureProvider")
    core("StopProvider")
    core("ConfigureProvider")
    assert [stop.is_set() for stop in stops] == [True, False]


def test_unknown_call(core: Core) -> None:
    """A call of a newer protocol has no method, so it is answered UNIMPLEMENTED."""
    assert PREFIX + b"ListResource" not in core.service.methods


def test_unknown_type(core: Core) -> None:
    """A type of another provider is an error, no crash."""
    assert "flink_nothing" in text(core("ValidateResourceConfig", protobuf.string(1, "flink_nothing"))[1])


def test_offered(core: Core) -> None:
    """Metadata and schema name the same types, and promise what the provider keeps."""
    schema = core.service.methods[PREFIX + b"GetProviderSchema"](b"")
    metadata = core.service.methods[PREFIX + b"GetMetadata"](b"")
    assert isinstance(schema, bytes)
    assert isinstance(metadata, bytes)
    named = [bytes(protobuf.read(bytes(v))[1]) for n, v in protobuf.fields(metadata) if n in (3, 4)]
    kept = [bytes(protobuf.read(bytes(v))[1]) for n, v in protobuf.fields(schema) if n in (2, 3)]
    assert sorted(named) == sorted(kept)
    assert protobuf.read(schema)[6] == protobuf.read(metadata)[1]


def test_a_core_that_would_keep_secrets(core: Core) -> None:
    """A value that must be kept nowhere is not accepted by a Terraform that knows no such values."""
    form = Form(variable.RESOURCE.attributes)
    name = protobuf.string(1, "flink_variable")
    config = protobuf.message(2, form.dump({"workspace": "w", "namespace": "n", "name": "a", "value": "hunter2"}))
    told = text(core("ValidateResourceConfig", name, config)[1])
    assert "needs Terraform 1.11" in told
    assert "hunter2" not in told
    assert core("ValidateResourceConfig", name, config, protobuf.message(3, protobuf.boolean(2, True))) == {}
