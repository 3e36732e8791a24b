"""Literal text and references: what reaches Terraform as it is, and what Terraform fills in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flinkform.errors import Invalid
from flinkform_constructs import (
    EACH_KEY,
    App,
    EngineVersions,
    FlinkProvider,
    Job,
    Literal,
    Ref,
    Resource,
    Workspace,
    cdk,
    text,
)
from flinkform_constructs.ref import escape

Make = Callable[..., Job]
Synth = Callable[..., dict[str, Any]]

HARD = [
    "SELECT '${x}', '%{if true}'",
    "$${already} %%{too}",
    "$$${three} %%%{three} $",
    "ends in $",
    "ends in ${",
    '"quotes" \\back\\slashes \\n',
    "line\r\nline\nüñïçødé \U0001f600 \ufeff",
    "${TfToken[TOKEN.0]}",
    "#{TfToken[TOKEN.1]}",
    "$ {x} % {y} {} $%{z} %${z}",
    "\ufeffSELECT '${x}' \ufeff",
    "\ufeff\ufeff",
]


def space(scope: Any) -> Workspace:
    return Workspace(scope, "w", name="w", vpc_id="v", vswitch_ids=["s"], bucket="b")


@pytest.mark.parametrize("sql", HARD)
def test_literal_text_reaches_terraform_unchanged(tmp_path: Path, terraform: str, sql: str) -> None:
    """Terraform itself reads back every byte of a script, whatever it looks like."""
    document = {"output": {"sql": {"value": escape(Literal(sql))}, "key": {"value": {escape(Literal(sql)): 1}}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document))
    command = [terraform, f"-chdir={tmp_path}"]
    subprocess.run([*command, "apply", "-auto-approve", "-no-color"], check=True, capture_output=True)
    shown = json.loads(subprocess.run([*command, "output", "-json"], check=True, capture_output=True).stdout)
    assert shown["sql"]["value"] == sql
    assert shown["key"]["value"] == {sql: 1}


def test_text_is_literal_and_references_are_not(stack: Any, job: Make, synth: Synth) -> None:
    """A string is literal wherever it stands; a `Ref` is an expression wherever it stands."""
    first = space(stack)
    job(
        stack,
        sql="SELECT '${flink_workspace.w.id} %{x}'",
        workspace=first.resource_id,
        labels={"${k}": "${v}", "w": first.id},
        flink_options={"a": text("${", first.name, "}")},
        name="j-" + first.name + "-k",
    )
    job(stack, "marked", sql="\ufeffSELECT 1", labels={"\ufeffk": "v"}, flink_options={"a": "\ufeffv"})
    jobs = synth()["resource"]["flink_job"]
    body, marked = jobs["j"], jobs["marked"]
    mark = '${"\\ufeff"}'
    assert (marked["sql"], marked["labels"]) == (f"{mark}SELECT 1", {f"{mark}k": "v"})
    assert marked["flink_options"] == {"a": f"{mark}v"}
    assert body["sql"] == "SELECT '$${flink_workspace.w.id} %%{x}'"
    assert body["workspace"] == "${flink_workspace.w.resource_id}"
    assert body["labels"] == {"$${k}": "$${v}", "w": "${flink_workspace.w.id}"}
    assert body["flink_options"] == {"a": "$${${flink_workspace.w.name}}"}
    assert body["name"] == "j-${flink_workspace.w.name}-k"


def test_a_reference_fits_every_type(stack: Any, job: Make, synth: Synth) -> None:
    """Terraform judges a reference when it knows its value; what stands beside it is judged now."""
    ref = job(stack, "first").ref("x")
    job(stack, parallelism=ref, state=ref, upgrade=ref, labels=ref, allow_non_restored_state=ref, logging={"root": ref})
    assert synth()["resource"]["flink_job"]["j"]["logging"] == {"root": "${flink_job.first.x}"}
    with pytest.raises(Invalid, match=r"s/k: logging\.a: expected one of"):
        job(stack, "k", logging={"root": ref, "a": "LOUD"})


def test_an_f_string_keeps_its_reference(stack: Any, job: Make, synth: Synth) -> None:
    """In an f-string a reference becomes a token of the CDK, so it is never taken for literal text."""
    first = space(stack)
    job(stack, name=f"j-{first.name}", sql=f"SELECT '${{x}}', '{text('<', first.id, '>')}'")
    cdk.TerraformOutput(stack, "o", value=f"<{first.name}>")
    document = synth()
    body = document["resource"]["flink_job"]["j"]
    assert body["name"] == "j-${flink_workspace.w.name}"
    assert body["sql"] == "SELECT '$${x}', '<${flink_workspace.w.id}>'"
    assert document["output"]["o"]["value"] == "<${flink_workspace.w.name}>"


def test_an_f_string_of_what_no_resource_owns_is_refused() -> None:
    """`each.key` has no token; the message says what to write instead."""
    with pytest.raises(Invalid, match=r"each\.key belongs to no resource.*text\("):
        f"{EACH_KEY}"


def test_references_into_jsii_constructs(stack: Any, job: Make, synth: Synth) -> None:
    """A `Ref` is a string that stock constructs and functions take."""
    made = job(stack)
    cdk.TerraformOutput(stack, "o", value=made.deployment_id)
    cdk.TerraformOutput(stack, "f", value=cdk.Fn.upper(made.name))
    plain = cdk.TerraformResource(stack, "plain", terraform_resource_type="terraform_data")
    plain.add_override("input", {"id": made.deployment_id})
    document = synth()
    assert document["output"]["o"]["value"] == "${flink_job.j.deployment_id}"
    assert "flink_job.j.name" in document["output"]["f"]["value"]
    assert document["resource"]["terraform_data"]["plain"]["input"] == {"id": "${flink_job.j.deployment_id}"}


def test_tokens_of_jsii_constructs_in_values(stack: Any, job: Make, synth: Synth) -> None:
    """Strings, numbers, lists, maps and functions of the CDK work as values of an element."""
    plain = cdk.TerraformResource(stack, "plain", terraform_resource_type="terraform_data")
    other = cdk.TerraformResource(stack, "other", terraform_resource_type="terraform_data")
    job(
        stack,
        parallelism=plain.get_number_attribute("n"),
        description=cdk.Fn.join("-", ["${", plain.get_string_attribute("s")]),
        labels={plain.get_string_attribute("k"): "${v}"},
        flink_options=other.get_string_map_attribute("m"),
        deletion_protection=plain.get_boolean_attribute("b"),
        depends_on=[plain],
    )
    items = plain.get_list_attribute("l")
    Workspace(stack, "w", name="w", vpc_id="v", vswitch_ids=items, bucket="b")
    Resource(
        stack, "r", {"numbers": plain.get_number_list_attribute("n"), "map": plain.get_number_map_attribute("m")}, {}
    )
    document = synth()
    body = document["resource"]["flink_job"]["j"]
    assert body["parallelism"] == "${terraform_data.plain.n}"
    assert "terraform_data.plain.s" in body["description"]
    assert body["labels"] == {"${terraform_data.plain.k}": "$${v}"}
    assert body["flink_options"] == "${terraform_data.other.m}"
    assert body["deletion_protection"] == "${terraform_data.plain.b}"
    assert document["resource"]["flink_workspace"]["w"]["vswitch_ids"] == "${terraform_data.plain.l}"
    assert document["resource"][""]["r"]["numbers"] == "${terraform_data.plain.n}"
    assert document["resource"][""]["r"]["map"] == "${terraform_data.plain.m}"
    assert "TfToken" not in json.dumps(document)
    assert "flinkform" not in document["//"]


@pytest.mark.parametrize("kind", [App, cdk.App])
def test_references_across_stacks(tmp_path: Path, kind: Any, job: Make) -> None:
    """A reference that leaves its stack becomes an output, a remote state and an order, under either App."""
    app = kind(outdir=str(tmp_path))
    users = cdk.TerraformStack(app, "users")
    owner = cdk.TerraformStack(app, "owner")
    FlinkProvider(owner)
    FlinkProvider(users)
    first = space(owner)
    job(users, workspace=first.resource_id, name=text("j-", first.name), labels={"a": f"{first.name}!"})
    job(users, "k", workspace=first.resource_id)
    cdk.TerraformOutput(users, "o", value=first.id.token)
    app.synth()
    there, here = (json.loads((tmp_path / f"stacks/{name}/cdk.tf.json").read_bytes()) for name in ("owner", "users"))
    remote = (
        "${data.terraform_remote_state.cross-stack-reference-input-owner.outputs.cross-stack-output-flink_workspacew"
    )
    assert {output["value"] for output in there["output"].values()} == {
        "${flink_workspace.w.resource_id}",
        "${flink_workspace.w.name}",
        "${flink_workspace.w.id}",
    }
    assert list(there["resource"]["flink_workspace"]) == ["w"]
    assert here["resource"]["flink_job"]["j"]["workspace"] == remote + "resource_id}"
    assert here["resource"]["flink_job"]["k"]["workspace"] == remote + "resource_id}"
    assert here["resource"]["flink_job"]["j"]["name"] == "j-" + remote + "name}"
    assert here["resource"]["flink_job"]["j"]["labels"] == {"a": remote + "name}!"}
    assert here["output"]["o"]["value"] == remote + "id}"
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert manifest["stacks"]["users"]["dependencies"] == ["owner"]


def test_a_data_source_is_referred_to_across_stacks(app: App, stack: Any, job: Make, synth: Synth) -> None:
    """An attribute of a data source leaves its stack as that of a resource does."""
    other = cdk.TerraformStack(app, "other")
    FlinkProvider(other)
    job(other, engine_version=EngineVersions(stack, "v", workspace="w").default)
    synth()
    there = json.loads((app.target / "stacks/s/cdk.tf.json").read_bytes())
    assert [o["value"] for o in there["output"].values()] == ["${data.flink_engine_versions.v.default}"]
    assert list(there["data"]["flink_engine_versions"]) == ["v"]


def test_a_literal_is_never_a_token(stack: Any, job: Make, synth: Synth) -> None:
    """Text from a file that looks like a token of the CDK is text, also beside a real one."""
    job(stack, sql=Literal("SELECT '${TfToken[TOKEN.0]}'"), name=f"{space(stack).name}")
    assert synth()["resource"]["flink_job"]["j"]["sql"] == "SELECT '$${TfToken[TOKEN.0]}'"


def test_references_step_into_lists_and_maps() -> None:
    """`item` and `attribute` write Terraform's own steps."""
    ref = Ref("data.x.y.rows")
    assert ref.item(0).attribute("name") == "${data.x.y.rows[0].name}"
    assert ref.item('a"b') == '${data.x.y.rows["a\\"b"]}'
