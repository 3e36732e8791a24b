"""App: what it writes, when it refuses to, and what the CDK sees meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
import pytest
from constructs import Construct, IValidation

from flinkform import __version__
from flinkform.errors import Invalid
from flinkform.resources import PROVIDER
from flinkform_constructs import App, Element, FlinkProvider, Job, Namespace, Resource, Workspace, cdk, text

Make = Callable[..., Job]
Synth = Callable[..., dict[str, Any]]


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below *folder* by its path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def everything(app: Any) -> None:
    """Declare a bit of all there is, elements and jsii constructs side by side."""
    shared = cdk.TerraformStack(app, "shared")
    FlinkProvider(shared, region="cn-hangzhou", endpoints={"console": "http://127.0.0.1:1"})
    space = Workspace(
        shared, "w", name="w", vpc_id="v", vswitch_ids=["s"], bucket="b", lifecycle={"prevent_destroy": True}
    )
    stack = cdk.TerraformStack(app, "team")
    FlinkProvider(stack)
    plain = cdk.TerraformResource(stack, "plain", terraform_resource_type="terraform_data")
    plain.add_override("input", {"list": [1, 2.5, True, None], "empty": {}})
    space_name = Namespace(stack, "n", workspace_id=space.id, name="prod").name
    team = Construct(stack, "team")
    for index in range(3):
        group = Element(team, f"group-{index}")
        first = Job(
            group,
            "Resource",
            workspace=space.resource_id,
            namespace=space_name,
            name=text("j-", space.name),
            sql="SELECT '${x}' -- ü \U0001f600 \u2028 \x7f",
            labels={"out": plain.get_string_attribute("output")},
            depends_on=[plain],
        )
        first.add_override("timeouts.create", f"{index + 1}m")
        cdk.TerraformOutput(team, f"o{index}", value=first.deployment_id)
    cdk.TerraformLocal(stack, "l", {"ws": space.name.token})


def test_it_writes_what_the_stock_app_writes(tmp_path: Path) -> None:
    """File by file and value by value the output is that of the CDK's own App."""
    for name, kind in (("ours", App), ("stock", cdk.App)):
        app = kind(outdir=str(tmp_path / name))
        everything(app)
        app.synth()
    ours, stock = files(tmp_path / "ours"), files(tmp_path / "stock")
    assert ours.keys() == stock.keys()
    assert {k: json.loads(v) for k, v in ours.items()} == {k: json.loads(v) for k, v in stock.items()}


def test_a_second_synth_writes_the_same_bytes(tmp_path: Path) -> None:
    """Nothing depends on order, time or the machine's mood; an app may also be written twice."""
    found = []
    for name in ("one", "two"):
        app = App(outdir=tmp_path / name)
        everything(app)
        app.synth()
        found.append(files(tmp_path / name))
        app.synth()
        found.append(files(tmp_path / name))
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 3


def test_a_validation_stops_the_app_before_anything_is_written(app: App, stack: Any, job: Make, synth: Synth) -> None:
    """What `node.add_validation` finds is reported by path, all of it, and the last output stays."""

    class Never:
        def validate(self) -> list[str]:
            return ["too many", "too late"]

    made = job(stack)
    synth()
    before = files(app.target)
    made.node.add_validation(Never())
    made.values["parallelism"] = 7
    with pytest.raises(Invalid, match=r"validation failed\n  \[s/j\] too many\n  \[s/j\] too late"):
        synth()
    assert files(app.target) == before


def test_the_cdk_runs_validations_of_elements_too(job: Make, stock: Callable[[], cdk.App]) -> None:
    """Under `Testing.synth` an element's validations count when validations are asked for."""

    @jsii.implements(IValidation)
    class Never:
        def validate(self) -> list[str]:
            return ["never"]

    stack = cdk.TerraformStack(stock(), "t")
    FlinkProvider(stack)
    job(stack).node.add_validation(Never())
    cdk.Testing.synth(stack)
    with pytest.raises(RuntimeError, match=r"\[t/j\] never"):
        cdk.Testing.synth(stack, True)


def test_a_failing_jsii_validation_leaves_the_last_output(app: App, stack: Any, job: Make, synth: Synth) -> None:
    """When the CDK itself refuses, nothing of the new output is seen."""

    @jsii.implements(IValidation)
    class Never:
        def validate(self) -> list[str]:
            return ["never"]

    job(stack)
    synth()
    before = files(app.target)
    job(stack, "k")
    stack.node.add_validation(Never())
    with pytest.raises(RuntimeError, match="never"):
        app.synth()
    assert {k: v for k, v in files(app.target).items() if not k.startswith(".")} == before


def test_a_stack_without_a_provider_is_refused(app: App, job: Make) -> None:
    """Terraform would run flink resources with an empty provider block; `provider=` says another one."""
    stack = cdk.TerraformStack(app, "bare")
    job(stack, "own", provider="flink.other")
    app.synth()
    job(stack)
    with pytest.raises(Invalid, match=r"\[bare\] there are flink resources but no provider; add FlinkProvider"):
        app.synth()


def test_validation_can_be_skipped(tmp_path: Path, job: Make) -> None:
    """`skip_validation` means what it means for stock App."""
    app = App(outdir=tmp_path / "out", skip_validation=True)
    job(cdk.TerraformStack(app, "bare"))
    app.synth()
    assert (tmp_path / "out/stacks/bare/cdk.tf.json").exists()


def test_stock_aspects_visit_elements(app: App, stack: Any, job: Make, synth: Synth) -> None:
    """Aspects on any scope above reach every element once, outer scopes first, and may change its values."""
    seen: list[str] = []

    @jsii.implements(cdk.IAspect)
    class Label:
        def __init__(self, value: str) -> None:
            self.value = value

        def visit(self, node: Any) -> None:
            if isinstance(node, Job):
                seen.append(f"{self.value} {node.node.path}")
                node.values.setdefault("labels", {})[self.value] = "yes"

    team = Construct(stack, "team")
    job(stack)
    job(Element(team, "group"), "k")
    cdk.Aspects.of(app).add(Label("app"))
    cdk.Aspects.of(team).add(Label("team"))
    jobs = synth()["resource"]["flink_job"]
    assert seen == ["app s/j", "app s/team/group/k", "team s/team/group/k"]
    assert jobs["j"]["labels"] == {"app": "yes"}
    assert [b["labels"] for n, b in jobs.items() if n != "j"] == [{"app": "yes", "team": "yes"}]


def test_an_aspect_added_after_a_synth_counts_in_the_next(app: App, stack: Any, job: Make, synth: Synth) -> None:
    """Aspects and elements may come at any time before the synth they are meant for."""
    seen: list[str] = []

    @jsii.implements(cdk.IAspect)
    class Look:
        def visit(self, node: Any) -> None:
            if isinstance(node, Job):
                seen.append(node.node.path)

    job(stack)
    synth()
    cdk.Aspects.of(app).add(Look())
    synth()
    job(stack, "k")
    synth()
    assert seen == ["s/j", "s/k"]


def test_aspects_reach_elements_under_the_cdks_own_test_synth(job: Make, stock: Callable[[], cdk.App]) -> None:
    """`Testing.synth` runs them as well."""

    @jsii.implements(cdk.IAspect)
    class Label:
        def visit(self, node: Any) -> None:
            if isinstance(node, Job):
                node.values["labels"] = {"a": "b"}

    stack = cdk.TerraformStack(stock(), "t")
    job(stack)
    cdk.Aspects.of(stack).add(Label())
    assert cdk.Testing.to_have_resource_with_properties(cdk.Testing.synth(stack), "flink_job", {"labels": {"a": "b"}})


def test_elements_added_too_late_are_not_lost(stack: Any, job: Make, synth: Synth) -> None:
    """An aspect that adds elements while the CDK writes is told so."""

    @jsii.implements(cdk.IAspect)
    class Late:
        def visit(self, node: Any) -> None:
            if isinstance(node, cdk.TerraformResource) and node.terraform_resource_type == "terraform_data":
                job(stack, "late")

    job(stack)
    cdk.TerraformResource(stack, "plain", terraform_resource_type="terraform_data")
    cdk.Aspects.of(stack).add(Late())
    with pytest.raises(Invalid, match="an aspect on a jsii construct added elements; add them before synth"):
        synth()


def test_jsii_constructs_and_elements_live_side_by_side(stack: Any, job: Make, synth: Synth) -> None:
    """A user's own construct may hold both kinds, and each may refer to the other."""

    class Pair(Construct):
        def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002 - the CDK's word
            super().__init__(scope, id)
            self.plain = cdk.TerraformResource(self, "plain", terraform_resource_type="terraform_data")
            self.job = job(self, description=self.plain.get_string_attribute("output"))
            self.plain.add_override("input", self.job.sql)

    Pair(stack, "a")
    Pair(stack, "b")
    resources = synth()["resource"]
    assert len(resources["flink_job"]) == len(resources["terraform_data"]) == 2
    for name, body in resources["terraform_data"].items():
        assert body["input"][2:-1].split(".")[1] in resources["flink_job"]
        assert any(f"terraform_data.{name}.output" in j["description"] for j in resources["flink_job"].values())


def test_many_values_cross_once(stack: Any, job: Make, synth: Synth) -> None:
    """However many blocks hold a token, the CDK is asked for it once."""
    plain = cdk.TerraformResource(stack, "plain", terraform_resource_type="terraform_data")
    token = plain.get_string_attribute("output")
    parcels: list[dict[str, Any]] = []

    @jsii.implements(cdk.IAspect)
    class Look:
        def visit(self, node: Any) -> None:
            if (parcel := getattr(node, "parcel", None)) is not None:
                parcels.append(dict(parcel))

    for index in range(20):
        job(stack, f"j{index}", description=token)
    cdk.Aspects.of(stack).add(Look())
    jobs = synth()["resource"]["flink_job"]
    assert [len(parcel) for parcel in parcels] == [1]
    assert {j["description"] for j in jobs.values()} == {"${terraform_data.plain.output}"}


def test_nothing_is_left_in_the_output_folder(app: App, stack: Any, job: Make, synth: Synth) -> None:
    """The folder in which the output was put together goes with the app, and holds no files before."""
    job(stack)
    synth()
    assert sorted(files(app.target)) == ["manifest.json", "stacks/s/cdk.tf.json"]
    app.discard()
    assert sorted(p.name for p in app.target.iterdir()) == ["manifest.json", "stacks"]


def test_the_output_folder_is_the_one_the_command_line_asks_for(tmp_path: Path, monkeypatch: Any) -> None:
    """`cdktf synth` says where through CDKTF_OUTDIR; an argument says it louder."""
    monkeypatch.setenv("CDKTF_OUTDIR", str(tmp_path / "asked"))
    assert App().target == tmp_path / "asked"
    assert App(outdir=tmp_path / "own").target == tmp_path / "own"
    monkeypatch.delenv("CDKTF_OUTDIR")
    monkeypatch.chdir(tmp_path)
    assert App().target == tmp_path / "cdktf.out"


def test_hcl_is_refused(app: App, stack: Any, job: Make, monkeypatch: Any) -> None:
    """The command line's --hcl is an error, not an empty stack; it sets the variable to `false` otherwise."""
    job(stack)
    monkeypatch.setenv("SYNTH_HCL_OUTPUT", "false")
    app.synth()
    monkeypatch.setenv("SYNTH_HCL_OUTPUT", "true")
    with pytest.raises(Invalid, match="without --hcl"):
        app.synth()


def test_the_provider_block(stack: Any, synth: Synth) -> None:
    """The block holds what was said and nothing else; the version is pinned to this release."""
    secret = cdk.TerraformVariable(stack, "secret", type="string", sensitive=True)
    FlinkProvider(
        stack,
        "west",
        alias="west",
        region="us-west-1",
        profile="ops",
        endpoints={"console": "http://127.0.0.1:1", "ververica": "http://127.0.0.1:2"},
        access_key_id="id",
        access_key_secret=secret.string_value,
    )
    document = synth()
    assert document["provider"]["flink"] == [
        {},
        {
            "alias": "west",
            "region": "us-west-1",
            "profile": "ops",
            "endpoints": {"console": "http://127.0.0.1:1", "ververica": "http://127.0.0.1:2"},
            "access_key_id": "id",
            "access_key_secret": "${var.secret}",
        },
    ]
    assert document["terraform"]["required_providers"] == {"flink": {"source": PROVIDER, "version": __version__}}
    assert "overrides" not in document["//"]["metadata"]


@pytest.mark.parametrize("name", ["access_key_secret", "security_token"])
def test_a_secret_as_text_is_refused_and_not_repeated(stack: Any, name: str) -> None:
    """A secret would end up in a file; the error does not show it."""
    with pytest.raises(Invalid, match=f"s: {name}: expected a reference, got text") as caught:
        FlinkProvider(stack, "west", alias="west", **{name: "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_resource_of_ones_own_type(stack: Any, synth: Synth) -> None:
    """A type that is not declared takes any values: an escape hatch for what this release does not know."""

    class Catalog(Resource):
        TYPE = "flink_catalog"

    Catalog(stack, "c", {"name": "c", "anything": [1]}, {})
    assert synth()["resource"]["flink_catalog"]["c"]["anything"] == [1]
