"""Instances, namespaces, regions: what the console's operations promise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controlplane.api.world import Api

SPEC = {"Cpu": 4, "MemoryGB": 16}
ASKED: dict[str, Any] = {
    "InstanceName": "auction",
    "ChargeType": "POST",
    "VpcId": "vpc-1",
    "VSwitchIds": ["vsw-1", "vsw-2"],
    "Storage": {"Oss": {"Bucket": "bucket"}},
    "ResourceSpec": {"Cpu": 10, "MemoryGB": 40},
    "Tag": [{"Key": "team", "Value": "bids"}],
}


def test_instance_answers_as_it_was_asked_for(empty: Api) -> None:
    """What CreateInstance was told is what DescribeInstances shows, beside ids and a state that moves."""
    instance_id = empty.call("CreateInstance", **ASKED)["OrderInfo"]["InstanceId"]
    assert instance_id.startswith("f-cn-")
    found = empty.call("DescribeInstances", InstanceId=instance_id)
    assert (found["TotalCount"], found["TotalPage"], found["PageIndex"], found["PageSize"]) == (1, 1, 1, 10)
    shown = found["Instances"][0]
    for name in ("InstanceName", "ChargeType", "VpcId", "VSwitchIds", "Storage", "ResourceSpec"):
        assert shown[name] == ASKED[name]
    assert shown["Tags"] == ASKED["Tag"]
    assert shown["ClusterStatus"] == "CREATING"
    assert shown["ResourceId"] != instance_id
    empty.settle()
    assert empty.call("DescribeInstances")["Instances"][0]["ClusterStatus"] == "RUNNING"


def test_default_namespace_comes_with_the_instance(empty: Api) -> None:
    """A new instance has a namespace `<name>-default`, as large as it was told."""
    made = empty.call("CreateInstance", **ASKED, DefaultNamespaceResourceSpec=SPEC)
    found = empty.call("DescribeNamespaces", InstanceId=made["OrderInfo"]["InstanceId"])["Namespaces"]
    assert [(one["Namespace"], one["ResourceSpec"]) for one in found] == [("auction-default", SPEC)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"InstanceName": "1st"}, "InstanceName"),
        ({"ChargeType": "FREE"}, "ChargeType"),
        ({"ResourceSpec": {"Cpu": 4, "MemoryGB": 15}}, "ResourceSpec.MemoryGB: expected 16"),
        ({"ResourceSpec": {"Cpu": 4, "Gpu": 1}}, "ResourceSpec.Gpu: unknown field"),
        ({"ResourceSpec": {"Cpu": "4"}}, "ResourceSpec.Cpu: expected a whole number"),
        ({"VSwitchIds": "vsw-1"}, "VSwitchIds: expected a list"),
    ],
)
def test_bad_instance_is_refused_by_field(empty: Api, change: dict[str, Any], said: str) -> None:
    """A value that breaks a rule is refused with its field's name, and nothing is made."""
    code, message = empty.fails("CreateInstance", **(ASKED | change))
    assert code == "InvalidParameter"
    assert said in message
    assert empty.call("DescribeInstances")["TotalCount"] == 0


def test_instances_are_filtered(empty: Api) -> None:
    """Every filter of DescribeInstances filters, and pages are cut after it."""
    for name in ("one", "two", "three"):
        empty.call("CreateInstance", **(ASKED | {"InstanceName": name, "Tag": [{"Key": "n", "Value": name}]}))

    def names(**wanted: Any) -> list[str]:
        return [one["InstanceName"] for one in empty.call("DescribeInstances", **wanted)["Instances"]]

    assert sorted(names()) == ["one", "three", "two"]
    assert names(InstanceName="two") == ["two"]
    assert names(NamespaceName="three-default") == ["three"]
    assert names(Tags=[{"Key": "n", "Value": "one"}]) == ["one"]
    assert names(ChargeType="PRE") == []
    assert names(Elastic=True) == []
    assert names(Region="eu-central-1") == []
    assert len(names(PageIndex=2, PageSize=2)) == 1


def test_instance_is_modified(api: Api) -> None:
    """ModifyInstanceSpec moves a RUNNING instance through MODIFYING to its new size, and no other one."""
    api.call("ModifyInstanceSpec", ResourceSpec={"Cpu": 20, "MemoryGB": 80})
    shown = api.call("DescribeInstances")["Instances"][0]
    assert (shown["ClusterStatus"], shown["ResourceSpec"]["Cpu"]) == ("MODIFYING", 20)
    assert api.fails("ModifyInstanceSpec", ResourceSpec={"Cpu": 30, "MemoryGB": 120})[0] == "OperationConflict"


def test_instance_is_deleted_with_its_namespaces(api: Api) -> None:
    """DeleteInstance lets an empty instance go; afterwards it is not there, in the console's own words."""
    api.call("DeleteInstance")
    api.settle()
    assert api.call("DescribeInstances")["Instances"] == []
    assert api.fails("DeleteInstance")[0] == "EntityNotExist"


def test_instance_with_deployments_stays(api: Api) -> None:
    """An instance whose namespaces hold deployments is not deleted."""
    api.make()
    assert api.fails("DeleteInstance")[0] == "OperationConflict"


def test_instance_of_another_region_is_not_there(api: Api) -> None:
    """An instance can only be reached through its own region."""
    assert api.fails("DeleteInstance", Region="eu-central-1")[0] == "EntityNotExist"


def test_namespace_lives_and_goes(api: Api) -> None:
    """A namespace is CREATING, SUCCESS, MODIFYING, SUCCESS, and gone."""
    api.call("CreateNamespace", Namespace="bids", ResourceSpec=SPEC)

    def shown() -> dict[str, Any] | None:
        return next(iter(api.call("DescribeNamespaces", Namespace="bids")["Namespaces"]), None)

    assert shown()["Status"] == "CREATING"
    api.settle()
    assert shown()["Status"] == "SUCCESS"
    api.call("ModifyNamespaceSpecV2", Namespace="bids", Ha=False, GuaranteedResourceSpec={"Cpu": 8, "MemoryGB": 32})
    assert (shown()["Status"], shown()["ResourceSpec"]) == ("MODIFYING", {"Cpu": 8, "MemoryGB": 32})
    api.settle()
    api.call("DeleteNamespace", Namespace="bids")
    api.settle()
    assert shown() is None


def test_namespace_needs_a_running_instance(empty: Api) -> None:
    """A namespace is refused while its instance is still being made."""
    made = empty.call("CreateInstance", **ASKED)
    code, message = empty.fails("CreateNamespace", Namespace="bids", InstanceId=made["OrderInfo"]["InstanceId"])
    assert code == "OperationConflict"
    assert "got CREATING" in message


def test_namespace_name_is_taken_once(api: Api) -> None:
    """Two namespaces of one instance cannot share a name."""
    assert api.fails("CreateNamespace", Namespace="main-default")[0] == "OperationConflict"


def test_namespace_with_deployments_stays(api: Api) -> None:
    """DeleteNamespace says how many deployments are in the way."""
    api.make("one")
    api.make("two")
    code, message = api.fails("DeleteNamespace", Namespace="main-default")
    assert code == "OperationConflict"
    assert "2 deployments" in message


def test_there_is_one_queue(api: Api) -> None:
    """Every namespace has the deployment target `default-queue`, as large as itself."""
    found = api.call("ListDeploymentTargets")
    assert found["totalSize"] == 1
    assert found["data"] == [
        {"name": "default-queue", "namespace": "main-default", "quota": {"limit": {"cpu": 10.0, "memory": "40Gi"}}}
    ]


def test_regions_and_zones(empty: Api) -> None:
    """The control plane is one zone of the region its settings name."""
    assert empty.call("DescribeSupportedRegions")["Regions"][0]["Region"] == "cn-hangzhou"
    assert empty.call("DescribeSupportedZones", Region="eu-central-1")["ZoneIds"] == ["eu-central-1-a"]
