"""Blocks: what their arguments become, what is refused, and how they are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from constructs import Construct

from flinkform.errors import Invalid
from flinkform_constructs import (
    EACH_KEY,
    Block,
    DataSource,
    Element,
    EngineVersions,
    FlinkProvider,
    Job,
    Jobs,
    Namespace,
    Resource,
    Workspace,
    cdk,
    text,
)
from flinkform_constructs.naming import unique_id

Make = Callable[..., Job]
Synth = Callable[..., dict[str, Any]]


def test_arguments_become_attributes_and_unset_ones_stay_out(stack: Any, job: Make, synth: Synth) -> None:
    """What is given is written under its own name; what is left out is left to the provider."""
    job(stack, parallelism=3, labels={"team": "bids"}, upgrade={"mode": "latest"}, logging=None)
    body = synth()["resource"]["flink_job"]["j"]
    assert body == {
        "//": {"metadata": {"path": "s/j", "uniqueId": "j"}},
        "workspace": "w",
        "namespace": "n",
        "name": "j",
        "sql": "SELECT 1",
        "parallelism": 3,
        "labels": {"team": "bids"},
        "upgrade": {"mode": "latest"},
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parallelism": "many"}, r"s/j: parallelism: expected a whole number, got 'many'"),
        ({"parallelism": 0}, r"s/j: parallelism: expected a whole number of at least 1"),
        ({"state": "paused"}, r"s/j: state: expected one of running, suspended, got 'paused'"),
        ({"upgrade": {"mode": "never"}}, r"s/j: upgrade\.mode: expected one of"),
        ({"upgrade": {"modus": "latest"}}, r"s/j: upgrade\.modus: unknown key 'modus'"),
        ({"logging": {"root": "LOUD"}}, r"s/j: logging\.root: expected one of"),
        ({"sql": None}, r"s/j: expected either jar or sql, got neither"),
        ({"jar": {"uri": "file:///x"}}, r"s/j: expected either jar or sql, got both"),
        ({"name": None}, r"s/j: name: expected a value, got none"),
        ({"name": "no/slash"}, r"s/j: name: expected letters"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_path_and_attribute(
    stack: Any, job: Make, given: dict[str, Any], message: str
) -> None:
    """A wrong value fails where it is written, naming construct and attribute, and leaves nothing in the tree."""
    with pytest.raises(Invalid, match=message):
        job(stack, **given)
    assert job(stack).node.path == "s/j"


def test_list_items_are_named_by_their_place(stack: Any) -> None:
    """The third item of a list is called by its index."""
    with pytest.raises(Invalid, match=r"s/w: vswitch_ids\[2\]: expected a string, got 7"):
        Workspace(stack, "w", name="w", vpc_id="v", vswitch_ids=["a", "b", 7], bucket="b")  # type: ignore[list-item]


def test_an_unknown_argument_is_refused(stack: Any) -> None:
    """A misspelt argument fails where it is written."""
    with pytest.raises(Invalid, match="s/j: paralelism: there is no such argument"):
        Job(stack, "j", paralelism=2, workspace="w", namespace="n", name="j", sql="")  # type: ignore[call-arg]


def test_an_id_is_used_once_and_never_empty(stack: Any, job: Make) -> None:
    """Two constructs of one scope cannot share an id."""
    job(stack)
    with pytest.raises(Invalid, match="s: there is already a construct called 'j'"):
        job(stack)
    with pytest.raises(Invalid, match="s: expected an id"):
        job(stack, "")


def test_one_address_cannot_stand_for_two_constructs(stack: Any, job: Make, synth: Synth) -> None:
    """Ids that differ only in what an address cannot hold are found before anything is written."""
    job(stack, "a.b")
    job(stack, "ab")
    with pytest.raises(Invalid, match=r"s/a\.b and s/ab both have the address flink_job\.ab"):
        synth()


def test_a_jsii_resource_at_the_same_address_is_found(stack: Any, job: Make, synth: Synth) -> None:
    """A stock resource of the same type and name is not overwritten silently."""
    cdk.TerraformResource(Construct(stack, "Default"), "j", terraform_resource_type="flink_job")
    job(stack)
    with pytest.raises(Invalid, match=r"two constructs have the address flink_job\.j"):
        synth()


@pytest.mark.parametrize(
    "ids",
    [
        ("a",),
        ("a b",),
        ("x", "y"),
        ("x", "Default", "y"),
        ("x", "Resource"),
        ("ab", "b"),
        ("ü", "z"),
        ("team", "jobs.hourly-1"),
        ("a/b", "c\nd"),
        ("n" * 260,),
        ("n" * 200, "m" * 200),
    ],
)
def test_logical_ids_equal_those_of_the_cdk(ids: tuple[str, ...], stock: Callable[[], cdk.App]) -> None:
    """An element has the logical id a stock resource has at its path, so moving between the two keeps state."""
    ours, theirs = (cdk.TerraformStack(stock(), "s") for _ in range(2))
    below: Any = ours
    for name in ids[:-1]:
        below = Element(below, name)
    scope: Any = theirs
    for name in ids[:-1]:
        scope = Construct(scope, name)
    stock = cdk.TerraformResource(scope, ids[-1], terraform_resource_type="t")
    element = Resource(below, ids[-1], {}, {})
    assert element.friendly_unique_id == stock.friendly_unique_id
    assert element.node.path == stock.node.path


def test_default_alone_gives_no_id() -> None:
    """`Default` counts for nothing, so it cannot stand alone."""
    with pytest.raises(Invalid, match="other than Default"):
        unique_id(["Default"])


def test_meta_arguments(stack: Any, job: Make, synth: Synth) -> None:
    """`depends_on`, `count`, `for_each`, `provider` and `lifecycle` say what they say in Terraform."""
    west = FlinkProvider(stack, "west", alias="west", region="us-west-1")
    plain = cdk.TerraformResource(stack, "plain", terraform_resource_type="terraform_data")
    looked = cdk.TerraformDataSource(stack, "looked", terraform_resource_type="x")
    first = job(stack, "first", provider=west, depends_on=[plain, looked], count=2)
    versions = EngineVersions(stack, "v", workspace="w")
    job(
        stack,
        "second",
        name=text("job-", EACH_KEY),
        for_each={"a": 1, "b": 2},
        depends_on=[first, versions, first.state],
        lifecycle={"prevent_destroy": True, "replace_triggered_by": [first], "ignore_changes": ["labels"]},
    )
    job(stack, "third", for_each=["x", "y${"])
    jobs = synth()["resource"]["flink_job"]
    assert jobs["first"]["provider"] == "flink.west"
    assert jobs["first"]["depends_on"] == ["terraform_data.plain", "data.x.looked"]
    assert jobs["first"]["count"] == 2
    assert jobs["second"]["for_each"] == {"a": 1, "b": 2}
    assert jobs["second"]["name"] == "job-${each.key}"
    assert jobs["second"]["depends_on"] == ["flink_job.first", "data.flink_engine_versions.v", "flink_job.first"]
    assert jobs["second"]["lifecycle"] == {
        "prevent_destroy": True,
        "replace_triggered_by": ["flink_job.first"],
        "ignore_changes": ["labels"],
    }
    assert jobs["third"]["for_each"] == '${toset(["x", "y$${"])}'


def test_count_and_for_each_exclude_one_another(stack: Any, job: Make) -> None:
    """Terraform takes one of the two."""
    with pytest.raises(Invalid, match="s/j: expected count or for_each, got both"):
        job(stack, count=1, for_each={"a": 1})


def test_depending_on_a_group_is_refused(stack: Any, job: Make, synth: Synth) -> None:
    """What has no address in this stack cannot be depended on."""
    group = Element(stack, "group")
    job(stack, depends_on=[group])
    with pytest.raises(Invalid, match="s/group has no address of its own"):
        synth()


def test_depending_on_another_stack_is_refused(app: Any, stack: Any, job: Make, synth: Synth) -> None:
    """Terraform's depends_on ends at the stack; whole stacks are ordered instead."""
    other = cdk.TerraformStack(app, "other")
    FlinkProvider(other)
    job(other, "k", depends_on=[job(stack)])
    with pytest.raises(Invalid, match=r"flink_job\.k cannot depend on flink_job\.j, which is in another stack"):
        synth()


def test_a_stock_resource_depends_on_an_element(stack: Any, job: Make, synth: Synth) -> None:
    """`depends_on` of a jsii resource takes elements."""
    cdk.TerraformResource(stack, "after", terraform_resource_type="terraform_data", depends_on=[job(stack)])
    assert synth()["resource"]["terraform_data"]["after"]["depends_on"] == ["flink_job.j"]


def test_overrides_merge_as_stock_ones_do(stack: Any, synth: Synth) -> None:
    """Objects merge, lists are appended, `None` removes: on an element as on a stock resource."""
    stock = cdk.TerraformResource(stack, "a", terraform_resource_type="t")
    ours = Resource(stack, "b", {}, {})
    for block in (stock, ours):
        for path, value in (
            ("map", {"x": 1, "y": {"z": [1]}}),
            ("map.y.w", "${literal"),
            ("list", [{"a": 1}]),
            ("plain.deep", 2),
            ("plain", {"other": True}),
            ("gone", None),
            ("map.x", None),
        ):
            block.add_override(path, value)
    blocks = synth()["resource"]
    stock_body, our_body = blocks["t"]["a"], blocks[""]["b"]
    del stock_body["//"], our_body["//"]
    stock_body["map"]["y"]["w"] = "$${literal"
    assert our_body == stock_body


def test_overrides_append_to_lists_and_remove_values(stack: Any, synth: Synth) -> None:
    """An override works on what the arguments said."""
    space = Workspace(stack, "w", name="w", vpc_id="v", vswitch_ids=["a"], bucket="b", cpu=4)
    space.add_override("vswitch_ids", ["b"])
    space.add_override("cpu", None)
    body = synth()["resource"]["flink_workspace"]["w"]
    assert body["vswitch_ids"] == ["a", "b"]
    assert "cpu" not in body


def test_the_logical_id_can_be_overridden_until_something_refers_to_it(stack: Any, job: Make, synth: Synth) -> None:
    """A reference names the address, so the address is fixed from then on."""
    early, late = job(stack, "early"), job(stack, "late")
    early.override_logical_id("kept")
    assert early.state == "${flink_job.kept.state}"
    assert late.state == "${flink_job.late.state}"
    with pytest.raises(Invalid, match=r"refers to flink_job\.late already"):
        late.override_logical_id("other")
    assert set(synth()["resource"]["flink_job"]) == {"kept", "late"}


def test_import_and_move(stack: Any, job: Make, synth: Synth) -> None:
    """Existing things are adopted by Terraform's import and moved blocks, noted as the CDK notes them."""
    west = FlinkProvider(stack, "west", alias="west")
    block = job(stack)
    block.import_from("w/n/1", west)
    block.move_from("flink_job.old")
    job(stack, "k").import_from("w/n/2")
    document = synth()
    assert document["import"] == [
        {"id": "w/n/1", "provider": "flink.west", "to": "flink_job.j"},
        {"id": "w/n/2", "to": "flink_job.k"},
    ]
    assert document["moved"] == [{"from": "flink_job.old", "to": "flink_job.j"}]
    metadata = document["//"]["metadata"]
    assert metadata["imports"] == {"flink_job": ["j", "k"]}
    assert metadata["moved"] == {"flink_job": ["j"]}


def test_data_sources(stack: Any, job: Make, synth: Synth) -> None:
    """Data sources read, and their answers are referred to under `data.`."""
    versions = EngineVersions(stack, "v", workspace="w")
    found = Jobs(stack, "all", workspace="w", namespace="n")
    job(stack, engine_version=versions.default, description=found.jobs.item(0).attribute("name"))
    document = synth()
    assert document["data"]["flink_engine_versions"]["v"]["workspace"] == "w"
    body = document["resource"]["flink_job"]["j"]
    assert body["engine_version"] == "${data.flink_engine_versions.v.default}"
    assert body["description"] == "${data.flink_jobs.all.jobs[0].name}"
    assert isinstance(versions, DataSource)
    assert isinstance(versions, Block)


def test_the_tree_can_be_walked(stack: Any, job: Make) -> None:
    """`node` answers what people ask of a construct's node."""
    group = Element(stack, "group")
    first, second = job(group, "first"), job(group, "second")
    assert group.node.children == [first, second]
    assert group.node.find_all() == [group, first, second]
    assert group.node.find_child("first") is first
    assert group.node.try_find_child("third") is None
    assert (first.node.id, first.node.path, first.node.scope) == ("first", "s/group/first", group)
    with pytest.raises(Invalid, match="s/group: there is no construct called 'third'"):
        group.node.find_child("third")


def test_the_cdks_matchers_see_elements(job: Make, stock: Callable[[], cdk.App]) -> None:
    """`Testing.synth` and its matchers work on a stack with elements as on any other."""
    stack = cdk.TerraformStack(stock(), "t")
    space = Namespace(stack, "n", workspace_id="i", name="bids", cpu=2)
    job(stack, parallelism=3, namespace=space.name)
    written = cdk.Testing.synth(stack)
    assert cdk.Testing.to_have_resource(written, "flink_namespace")
    assert cdk.Testing.to_have_resource_with_properties(written, "flink_job", {"parallelism": 3})
    assert not cdk.Testing.to_have_resource_with_properties(written, "flink_job", {"parallelism": 4})
    assert json.loads(written)["resource"]["flink_job"]["j"]["namespace"] == "${flink_namespace.n.name}"
