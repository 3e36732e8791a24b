"""Official clients of other languages and older ones list, create, start and stop; `make clients` fetches them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints
from flinkform.controlplane import keyring
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store import audit
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.tokens import Kind
from flinkform.openapi.signature import Key
from tests.contract.served import Served, served, until

pytestmark = pytest.mark.skipif(
    os.environ.get("FLINKFORM_CLIENTS") != "1", reason="fetches 60 MB of clients of other languages: make clients"
)

HERE = Path(__file__).parent.parent / "clients"
CACHE = Path(os.environ.get("FLINKFORM_TEST_CACHE") or Path.home() / ".cache" / "flinkform-tests") / "clients"
SDKS = {
    "1.7": ("alibabacloud-ververica20220718==1.7.0", "alibabacloud-foasconsole20211028==1.0.4"),
    "1.10": ("alibabacloud-ververica20220718==1.10.0", "alibabacloud-foasconsole20211028==2.2.0"),
}
OLD = {"1.7": ("alibabacloud-tea-openapi==0.3.12",), "1.10": ()}
BODIES = {
    "deployment": {
        "name": "bids",
        "executionMode": "STREAMING",
        "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "-- é\nINSERT INTO b SELECT * FROM a"}},
        "flinkConf": {"a": 1, "b": "x y+*~"},
    },
    "start": {"restoreStrategy": {"kind": "NONE"}},
    "stop": {"stopStrategy": "NONE"},
}


@dataclass(frozen=True)
class World:
    """A control plane with one workspace, asked by our own client."""

    plane: Served
    client: Client
    workspace: str

    def get(self, operation: str, **params: str) -> Any:
        return self.client.call(operation, {"workspace": self.workspace, "namespace": "main-default", **params})["data"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("home")) as plane:
        credentials = Credentials(key_id=plane.key.id, secret=plane.key.secret)
        client = Client(credentials, Endpoints(console=plane.endpoint, ververica=plane.endpoint), region="cn-hangzhou")
        client.call(
            "CreateInstance",
            {
                "InstanceName": "main",
                "ChargeType": "POST",
                "VpcId": "vpc-1",
                "VSwitchIds": ["vsw-1"],
                "Storage": {"Oss": {"Bucket": "bucket"}},
                "ResourceSpec": {"Cpu": 10, "MemoryGB": 40},
            },
        )
        until(lambda: client.call("DescribeInstances")["Instances"][0]["ClusterStatus"] == "RUNNING", "the instance")
        found = client.call("DescribeInstances")["Instances"][0]
        asked = {"InstanceId": found["InstanceId"]}
        until(lambda: client.call("DescribeNamespaces", asked)["Namespaces"][0]["Status"] == "SUCCESS", "the namespace")
        yield World(plane, client, found["ResourceId"])
        client.close()


def tool(name: str) -> str:
    """Return the path of a program, or skip."""
    return shutil.which(name) or pytest.skip(f"{name} is not on PATH")


def fetched(folder: str, command: list[str], wanted: str, *files: str, **variables: str) -> Path:
    """Return a folder of the cache, once *command* has made what is *wanted* in it from *files* of ours."""
    place = CACHE / folder
    place.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (place / file).exists() or (place / file).read_bytes() != (HERE / folder / file).read_bytes():
            shutil.copyfile(HERE / folder / file, place / file)
            shutil.rmtree(place / wanted, ignore_errors=True)
            (place / wanted).unlink(missing_ok=True)
    if not (place / wanted).exists():
        subprocess.run(command, cwd=place, check=True, timeout=600, env=os.environ | variables)
    return place


def node(program: str) -> list[str]:
    modules = fetched("node", [tool("npm"), "install", "--no-audit", "--no-fund"], "node_modules", "package.json")
    shutil.copyfile(HERE / "node" / program, modules / program)
    return [tool("node"), str(modules / program)]


def java(library: str) -> list[str]:
    copy = [tool("mvn"), "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
    place = fetched("java", copy, "lib", "pom.xml")
    classpath = f"{place / 'lib'}/*"
    program = HERE / "java" / "Clients.java"
    subprocess.run([tool("javac"), "-cp", classpath, "-d", str(place / "classes"), str(program)], check=True)
    return [tool("java"), "-cp", f"{classpath}:{place / 'classes'}", "Clients", library]


def go() -> list[str]:
    build = [tool("go"), "build", "-o", "client", "."]
    place = fetched("go", build, "client", "main.go", "go.mod", "go.sum", GOFLAGS="-mod=readonly")
    return [str(place / "client")]


def sdk(release: str) -> Path:
    """Return the folder of an older release of the Python SDKs."""
    target = CACHE / f"python-{release}"
    if not (target / "alibabacloud_ververica20220718").exists():
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(target), *SDKS[release], *OLD[release]]
        subprocess.run(install, check=True, timeout=600)
    return target


def python(release: str, manner: str) -> list[str]:
    target = sdk(release)
    text = f"import sys, runpy; sys.path.insert(0, {str(target)!r}); runpy.run_path(sys.argv[1], run_name='__main__')"
    # Without site-packages (-S): none of the newest SDK may be found.
    start = f"import sys; sys.argv = sys.argv[1:]; {text.replace('sys.argv[1]', 'sys.argv[0]')}"
    return [sys.executable, "-S", "-W", "ignore", "-c", start, str(HERE / "python" / "older.py"), manner]


CLIENTS = {
    "node openapi-client": lambda: node("openapi.js"),
    "node pop-core": lambda: node("pop.js"),
    "java tea-openapi": lambda: java("tea"),
    "java sdk-core": lambda: java("core"),
    "go darabonba-openapi": go,
    "python 1.7 sync": lambda: python("1.7", "sync"),
    "python 1.7 async": lambda: python("1.7", "async"),
    "python 1.10 sync": lambda: python("1.10", "sync"),
    "python 1.10 async": lambda: python("1.10", "async"),
}


def run(world: World, command: list[str], key: Key, name: str) -> subprocess.CompletedProcess[str]:
    bodies = {**BODIES, "deployment": {**BODIES["deployment"], "name": name}}
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    variables = {name: value for name, value in os.environ.items() if name.lower() not in proxies} | {
        "ENDPOINT": f"127.0.0.1:{world.plane.port}",
        "KEY": key.id,
        "SECRET": key.secret,
        "TOKEN": key.token,
        "WORKSPACE": world.workspace,
        "NAMESPACE": "main-default",
        "BODIES": json.dumps(bodies),
    }
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=variables, check=False)


@pytest.mark.parametrize("lent", [False, True], ids=["key", "sts"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_life(world: World, client: str, lent: bool) -> None:
    """A deployment is made, listed, started and stopped; what is left behind is what the client was told."""
    command = CLIENTS[client]()
    name = f"{client.replace(' ', '-').replace('.', '')}-{lent:d}"
    key = world.plane.key
    signing = Key(key.id, key.secret)
    store = Store.at(world.plane.home)
    if lent:
        _, signing = keyring.issue(store, Settings(home=world.plane.home), key.id, Kind.STS, seconds=600)
    done = run(world, command, signing, name)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["instances"] == ["main"]
    assert said["stopped"] is True
    left = world.get("GetDeployment", deploymentId=said["deployment"])
    assert left["name"].startswith(name)
    assert left["name"] in said["deployments"]
    assert left["artifact"] == BODIES["deployment"]["artifact"]  # type: ignore[index]
    assert left["flinkConf"]["b"] == "x y+*~"
    until(lambda: _state(world, said["job"]) == "CANCELLED", "the job to end")
    with store.read() as db:
        rows = [row.entry for row in audit.rows(db)]
    store.close()
    mine = [row["operation"] for row in rows if row["through"] == (signing.id if lent else "")][-3:]
    assert mine == ["CreateDeployment", "StartJob", "StopJob"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_secret(world: World, client: str) -> None:
    """A wrong secret gets nothing, and the client says why in its own way."""
    done = run(world, CLIENTS[client](), Key(world.plane.key.id, "wrong"), "never")
    assert done.returncode != 0
    # Each tells the code, or the text and leaves the code out.
    assert re.search("SignatureDoesNotMatch|signature does not match", done.stdout + done.stderr)


@pytest.mark.parametrize("release", SDKS)
def test_every_operation_of_an_older_release(release: str) -> None:
    """Whatever the newest release of the Python SDKs is tested with goes through an older one, if that has it."""
    files = sorted(str(one) for one in Path(__file__).parent.glob("test_sdk*.py") if one.name != "test_sdk_state.py")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *files]
    shell = os.environ | {"PYTHONPATH": str(sdk(release)), "FLINKFORM_SDK": release}
    done = subprocess.run(command, env=shell, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def _state(world: World, job: str) -> str:
    return str(world.get("GetJob", jobId=job)["status"]["currentJobStatus"])
