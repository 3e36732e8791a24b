"""How workspaces are paid and tagged: what each operation changes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controlplane.api.world import REGION, Api

MONTH = {"Duration": 1, "PricingCycle": "Month"}
SPEC = {"Cpu": 8, "MemoryGB": 32}


def specs(**sizes: int) -> list[dict[str, Any]]:
    return [
        {"Namespace": name.replace("_", "-"), "ResourceSpec": {"Cpu": cpu, "MemoryGB": cpu * 4}}
        for name, cpu in sizes.items()
    ]


def shown(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.call("DescribeInstances")["Instances"][0]
    return found


def convert(api: Api, cpu: int = 8) -> None:
    api.call("ConvertInstance", IsAutoRenew=False, NamespaceResourceSpecs=specs(main_default=cpu), **MONTH)


def test_conversions(api: Api) -> None:
    """Paid as used to paid ahead and back: each is MODIFYING for a while, and has an end only when paid ahead."""
    convert(api)
    assert shown(api)["ClusterStatus"] == "MODIFYING"
    assert api.fails("ConvertPrepayInstance")[0] == "OperationConflict"
    api.settle()
    found = shown(api)
    assert (found["ChargeType"], found["ResourceSpec"]) == ("PRE", SPEC)
    assert found["ResourceExpiredTime"] == api.now + 31 * 86_400_000
    assert api.call("DescribeNamespaces")["Namespaces"][0]["ResourceSpec"] == SPEC
    assert "ChargeType POST, got PRE" in api.fails("ConvertInstance", **_all())[1]
    api.call("ConvertPrepayInstance")
    api.settle()
    assert shown(api)["ChargeType"] == "POST"
    assert "ResourceExpiredTime" not in shown(api)
    assert "ChargeType PRE, got POST" in api.fails("ConvertPrepayInstance")[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"NamespaceResourceSpecs": specs(other=1)}, "main-default, other"),
        ({"NamespaceResourceSpecs": specs(main_default=0)}, "NamespaceResourceSpecs.main-default.Cpu"),
        ({"PricingCycle": "Week"}, "PricingCycle: expected Month or Year"),
        ({"Duration": 0}, "Duration: expected 1 to 36"),
        ({"Duration": 37}, "Duration: expected 1 to 36"),
    ],
)
def test_bad_conversions(api: Api, change: dict[str, Any], said: str) -> None:
    """What does not fit is refused by its field, and nothing changes."""
    assert said in api.fails("ConvertInstance", **(_all() | change))[1]
    assert (shown(api)["ChargeType"], shown(api)["ClusterStatus"]) == ("POST", "RUNNING")


def test_renewal(api: Api) -> None:
    """Time is added to the end; what has no end cannot be renewed."""
    assert "only what is paid ahead" in api.fails("RenewInstance", **MONTH)[1]
    convert(api)
    api.settle()
    before = shown(api)["ResourceExpiredTime"]
    api.call("RenewInstance", Duration=1, PricingCycle="Year")
    assert shown(api)["ResourceExpiredTime"] == before + 366 * 86_400_000
    assert shown(api)["ClusterStatus"] == "RUNNING"


def test_resize_of_what_is_paid_ahead(api: Api) -> None:
    """It cannot become smaller than its namespaces, each of which is named with what it holds."""
    larger = {"Cpu": 20, "MemoryGB": 80}
    assert "ModifyInstanceSpec" in api.fails("ModifyPrepayInstanceSpec", ResourceSpec=larger)[1]
    convert(api)
    api.settle()
    said = api.fails("ModifyPrepayInstanceSpec", ResourceSpec={"Cpu": 4, "MemoryGB": 16})[1]
    assert "at least the 8 cores of its namespaces (main-default 8)" in said
    api.call("ModifyPrepayInstanceSpec", ResourceSpec=larger)
    api.settle()
    assert shown(api)["ResourceSpec"] == larger


def test_switches(api: Api) -> None:
    """A workspace joins other switches; without any it is told that they lack."""
    assert "VSwitchIds" in api.fails("ModifyInstanceVswitch")[1]
    api.call("ModifyInstanceVswitch", VSwitchIds=["vsw-7", "vsw-8"])
    api.settle()
    assert shown(api)["VSwitchIds"] == ["vsw-7", "vsw-8"]


def test_tags(api: Api) -> None:
    """Tags are added, replaced by key, listed by what is asked for, and taken away by key or all at once."""
    here = {"RegionId": REGION, "ResourceType": "vvpinstance"}
    one = here | {"ResourceId": [api.instance]}
    api.call("TagResources", **one, Tag=[{"Key": "team", "Value": "a"}, {"Key": "env", "Value": "dev"}])
    api.call("TagResources", **one, Tag=[{"Key": "team", "Value": "b"}])
    assert shown(api)["Tags"] == [{"Key": "team", "Value": "b"}, {"Key": "env", "Value": "dev"}]

    def listed(**params: Any) -> list[str]:
        found = api.call("ListTagResources", **(here | params))["TagResources"]
        return [f"{tag['TagKey']}={tag['TagValue']}" for tag in found]

    assert listed() == listed(ResourceId=[api.instance]) == ["team=b", "env=dev"]
    assert listed(Tag=[{"Key": "team", "Value": "b"}]) == listed(Tag=[{"Key": "team"}]) == ["team=b", "env=dev"]
    assert listed(Tag=[{"Key": "team", "Value": "a"}]) == []
    api.call("UntagResources", **one)
    assert len(listed()) == 2
    api.call("UntagResources", **one, TagKey=["team"])
    assert listed() == ["env=dev"]
    api.call("UntagResources", **one, All=True)
    assert listed() == []


def test_bad_tags(api: Api) -> None:
    """Another type, another region, a workspace that is not there, too many tags: refused, and nothing changes."""
    one = {"RegionId": REGION, "ResourceType": "vvpinstance", "ResourceId": [api.instance], "Tag": [{"Key": "k"}]}
    assert "expected vvpinstance" in api.fails("TagResources", **(one | {"ResourceType": "ecs"}))[1]
    assert api.fails("TagResources", **(one | {"RegionId": "eu-central-1"}))[0] == "EntityNotExist"
    assert api.fails("TagResources", **(one | {"ResourceId": [api.instance, "f-cn-1"]}))[0] == "EntityNotExist"
    assert "at most 20" in api.fails("TagResources", **(one | {"Tag": [{"Key": f"k{n}"} for n in range(21)]}))[1]
    assert "NextToken" in api.fails("ListTagResources", **(one | {"Tag": None, "NextToken": "x"}))[1]
    assert shown(api)["Tags"] == []


def _all() -> dict[str, Any]:
    return {"IsAutoRenew": False, "NamespaceResourceSpecs": specs(main_default=8), **MONTH}
