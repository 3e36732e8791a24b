"""State that the public provider of Alibaba Cloud wrote, taken over by a `moved` block of the real terraform."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from flinkform.provider.lists import Lists
from flinkform.provider.protocol import grpc, plugin, protobuf
from flinkform.provider.service import PREFIX, Service
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import PROVIDER
from tests.acceptance.terraform import EMPTY, PROGRAM, Terraform, told
from tests.unit.provider.clock import Time
from tests.unit.provider.cloud import Cloud

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs terraform")
left = pytest.mark.skipif(
    Path(PROGRAM).name.startswith("tofu"), reason="OpenTofu asks the provider that is left, which is not here"
)

ALICLOUD = "registry.terraform.io/aliyun/alicloud"
JOB = """
resource "flink_job" "a" {
  workspace   = "w"
  namespace   = "n"
  name        = "a"
  sql         = "SELECT 1"
}
"""
WORKSPACE = """
resource "flink_workspace" "a" {
  name        = "auction"
  cpu         = 8
  vpc_id      = "vpc-1"
  vswitch_ids = ["vsw-1"]
  bucket      = "b"
}
"""


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


DEPLOYMENT: dict[str, Any] = {
    "id": "w:n:d",
    "resource_id": "w",
    "namespace": "n",
    "deployment_id": "d",
    "deployment_name": "a",
    "artifact": [{"kind": "SQLSCRIPT", "sql_artifact": [{"sql_script": "SELECT 1"}], "jar_artifact": []}],
    "execution_mode": "STREAMING",
    "labels": {},
    "flink_conf": {},
}
INSTANCE: dict[str, Any] = {
    "vvp_instance_name": "auction",
    "vpc_id": "vpc-1",
    "vswitch_ids": ["vsw-1"],
    "payment_type": "PayAsYouGo",
    "storage": [{"oss": [{"bucket": "b"}]}],
    "resource_spec": [{"cpu": 8, "memory_gb": 32}],
}


class Other:
    """The public provider as far as Terraform asks it: it has to be installed, and says what types it has."""

    types = ("vvp_instance", "deployment", "job")

    def __init__(self) -> None:
        schema = protobuf.message(2, b"")
        kinds = (
            protobuf.string(1, f"alicloud_realtime_compute_{one}") + protobuf.message(2, schema) for one in self.types
        )
        whole = protobuf.message(1, schema) + b"".join(protobuf.message(2, kind) for kind in kinds)
        self.methods: dict[bytes, Callable[[bytes], grpc.Answer]] = {
            PREFIX + b"GetProviderSchema": lambda _: whole,
            PREFIX + b"ValidateProviderConfig": lambda _: b"",
            PREFIX + b"ConfigureProvider": lambda _: b"",
            PREFIX + b"StopProvider": lambda _: b"",
        }


@pytest.fixture
def terraform(cloud: Cloud, tmp_path: Path) -> Iterator[Terraform]:
    """A folder for which both providers are there."""

    def connect(_block: Values, _stop: threading.Event) -> Session:
        time = Time()
        return Session(client=cloud, lists=Lists(cloud), stop=time, clock=time)

    with (
        plugin.reattach(Service(connect).methods, PROVIDER) as ours,
        plugin.reattach(Other().methods, ALICLOUD) as other,
    ):
        both = {**json.loads(ours.environment), **json.loads(other.environment)}
        yield Terraform(tmp_path, {"TF_REATTACH_PROVIDERS": json.dumps(both)})


@left
@pytest.mark.parametrize("kind", ["deployment", "job"])
def test_a_job(terraform: Terraform, cloud: Cloud, kind: str) -> None:
    """A deployment that runs, or its run, becomes our job; nothing is stopped, made or changed."""
    kept = terraform.apply(JOB)["flink_job.a"]
    cloud.changes()
    attributes = DEPLOYMENT | {"deployment_id": kept["deployment_id"]}
    if kind == "job":
        attributes = {name: attributes[name] for name in ("resource_id", "namespace", "deployment_id")}
    moved = take_over(terraform, f"alicloud_realtime_compute_{kind}", attributes, JOB, "flink_job.a")
    assert moved == kept
    assert cloud.changes() == []


@left
def test_the_guide(terraform: Terraform, cloud: Cloud) -> None:
    """What stands in `docs/guides/take-over.md` is planned as it says: the job has moved, and nothing else happens."""
    guide = (Path(__file__).parents[2] / "docs/guides/take-over.md").read_text()
    (block, *_) = re.findall(r"^```terraform\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    (terraform.folder / "bids.sql").write_text("SELECT 1")
    kept = terraform.apply(block.partition("\nmoved ")[0])["flink_job.bids"]
    cloud.changes()
    names = {"deployment_id": kept["deployment_id"], "resource_id": kept["workspace"], "namespace": kept["namespace"]}
    moved = take_over(terraform, "alicloud_realtime_compute_deployment", DEPLOYMENT | names, block, "flink_job.bids")
    assert moved == kept
    assert cloud.changes() == []
    assert "# alicloud_realtime_compute_deployment.bids has moved to flink_job.bids" in guide


def test_a_part_of_a_stack_in_which_jobs_move(terraform: Terraform, cloud: Cloud) -> None:
    """Terraform plans a part only together with every move that is pending, so a release's first wave has them."""
    both = JOB + JOB.replace('"a"', '"b"')
    kept = terraform.apply(both)["flink_job.a"]
    cloud.changes()
    renamed = both.replace('"a"', '"c"') + "moved {\n  from = flink_job.a\n  to = flink_job.c\n}\n"
    terraform.write(renamed.replace("SELECT 1", "SELECT 2"))
    refused = told(terraform.run("plan", "-input=false", "-target=flink_job.b", ok=(1,)).stdout)
    assert "Moved resource instances excluded by targeting" in refused
    targets = [f"-target=flink_job.{name}" for name in "bca"]
    assert set(terraform.plan(*targets)) == {"flink_job.b", "flink_job.c"}
    after = terraform.apply(renamed, expect={"flink_job.c": ["update"]})["flink_job.c"]
    assert after == kept | {"name": "c"}


@left
def test_a_workspace(terraform: Terraform, cloud: Cloud) -> None:
    """An instance becomes our workspace, and stays what it was."""
    kept = terraform.apply(WORKSPACE)["flink_workspace.a"]
    cloud.changes()
    name = "alicloud_realtime_compute_vvp_instance"
    moved = take_over(terraform, name, INSTANCE | {"id": kept["id"]}, WORKSPACE, "flink_workspace.a")
    assert moved == kept
    assert cloud.changes() == []


def test_a_state_that_says_too_little(terraform: Terraform) -> None:
    """A state without what tells the object is not taken over, and the error names what it lacks."""
    lacking = DEPLOYMENT | {"deployment_id": None}
    said = told(_plan(terraform, "alicloud_realtime_compute_deployment", lacking, JOB, "flink_job.a", ok=1))
    assert "says what its deployment_id is" in said


def take_over(
    terraform: Terraform, name: str, attributes: Mapping[str, Any], configuration: str, address: str
) -> dict[str, Any]:
    """Return what Terraform keeps of an object after it was moved, which has to cost no change."""
    shown = _plan(terraform, name, attributes, configuration, address, ok=EMPTY)
    assert f"{name}.{_label(address)} has moved to {address}" in told(shown), shown
    assert "0 to add, 0 to change, 0 to destroy" in shown
    terraform.run("apply", "-input=false", "plan")
    assert terraform.plan() == {}
    return terraform.state()[address]


def _label(address: str) -> str:
    return address.partition(".")[2]


def _plan(
    terraform: Terraform, name: str, attributes: Mapping[str, Any], configuration: str, address: str, *, ok: int
) -> str:
    one = {
        "mode": "managed",
        "type": name,
        "name": _label(address),
        "provider": f'provider["{ALICLOUD}"]',
        "instances": [{"schema_version": 0, "attributes": dict(attributes), "private": ""}],
    }
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 9, "lineage": "l", "resources": [one]}
    (terraform.folder / "terraform.tfstate").write_text(json.dumps(state))
    moved = f"moved {{\n  from = {name}.{_label(address)}\n  to   = {address}\n}}\n"
    terraform.write(configuration if moved in configuration else f"{configuration}\n{moved}")
    return terraform.run("plan", "-input=false", "-out=plan", ok=(ok,)).stdout
