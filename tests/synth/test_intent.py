"""Intents: what jobs refer to comes before them, secrets are in no file, and what is there already is looked up."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flinkform_constructs
from flinkform.errors import Invalid
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform_constructs import Job, Member, Place, Ref, SessionCluster, Tenant, Variable, cdk, generate, text

Synth = Callable[..., dict[str, Any]]
WHERE: dict[str, Any] = {"workspace": "w", "namespace": "n"}
SPACE = {"vpc_id": "v", "vswitch_ids": ["s"], "bucket": "b"}


def secret(scope: Any, **given: Any) -> Variable:
    return Variable(scope, "password", name="password", **{**WHERE, "value": Ref("var.password"), **given})


def test_a_job_refers_to_what_it_needs(stack: Any, synth: Synth) -> None:
    """A script mentions a variable, and a job runs in a cluster, by references that Terraform orders them by."""
    cluster = SessionCluster(stack, "shared", name="shared", **WHERE)
    script = text("CREATE TABLE a (b INT) WITH ('password' = '", secret(stack).mention, "')")
    Job(stack, "j", name="j", sql=script, deployment_target=cluster.target, **WHERE)
    body = synth()["resource"]["flink_job"]["j"]
    assert body["sql"].endswith("'$${secret_values.${flink_variable.password.name}}')")
    assert body["deployment_target"] == "session/${flink_session_cluster.shared.name}"


def test_terraform_orders_them(stack: Any, synth: Synth, terraform: str, tmp_path: Path) -> None:
    """Terraform reads a mention as the text that the control plane fills in."""
    Variable(stack, "v", name="host", value="db", kind="Clear", **WHERE)
    found = text("'", Variable.from_name(stack, "d", name="host", **WHERE).mention, "'")
    cdk.TerraformOutput(stack, "o", value=found)
    written = synth()["output"]["o"]["value"].replace("data.flink_variable.d.name", "local.name")
    (tmp_path / "main.tf.json").write_text(
        json.dumps({"locals": {"name": "host"}, "output": {"o": {"value": written}}})
    )
    command = [terraform, f"-chdir={tmp_path}"]
    subprocess.run([*command, "apply", "-auto-approve", "-no-color"], check=True, capture_output=True)
    shown = subprocess.run([*command, "output", "-raw", "o"], check=True, capture_output=True, text=True)
    assert shown.stdout == "'${secret_values.host}'"


def test_a_secret_is_no_text(stack: Any) -> None:
    """Text is refused as the value of an encrypted variable, which every variable is that does not say otherwise."""
    for given in ({}, {"kind": "Encrypted"}):
        with pytest.raises(Invalid, match="s/password: value: expected a reference, got text") as refused:
            secret(stack, value="hunter2", **given)
        assert "hunter2" not in str(refused.value)
    assert secret(stack, value="db", kind="Clear").values["value"] == "db"


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.type_name)
def test_every_type_is_looked_up(kind: Any, stack: Any, synth: Synth) -> None:
    """A class finds what is there already, by what tells it from others of its place, through its data source."""
    declared = getattr(flinkform_constructs, generate.class_name(kind))
    source = next(one for one in DATA_SOURCES if one.of is kind and not one.plural)
    place = {a.name: "p" for a in kind.scope}
    ways = {name: getattr(declared, name) for name in dir(declared) if name.startswith("from_")}
    own = kind.own.name
    assert f"from_{'id' if own.endswith('_id') else own}" in ways
    for way, look in ways.items():
        look(stack, way, **place, **{own if way == "from_id" else way.removeprefix("from_"): "x"})
    written = synth()["data"][source.type_name]
    assert {name: {k: v for k, v in body.items() if k != "//"} for name, body in written.items()} == {
        way: place | {own if way == "from_id" else way.removeprefix("from_"): "x"} for way in ways
    }


def test_looked_up_is_as_good_as_made(stack: Any) -> None:
    """What was looked up is mentioned, and run in, as what is made here."""
    assert str(Variable.from_name(stack, "v", name="a", **WHERE).mention).endswith("${data.flink_variable.v.name}}")
    cluster = SessionCluster.from_name(stack, "c", name="a", **WHERE)
    assert cluster.target == "session/${data.flink_session_cluster.c.name}"


def test_a_tenant_holds_every_noun(stack: Any, synth: Synth) -> None:
    """A tenant has a word for each thing of a namespace; members may look where nothing else is said."""
    tenant = Tenant(stack, "acme", workspace=SPACE, members={"user:1": "ADMIN"}, secrets={"p": Ref("var.p")})
    reports = tenant.folder("reports")
    tenant.draft("totals", sql="SELECT 1", folder=reports)
    tenant.member("user:2")
    tenant.job("j", sql="SELECT 1", deployment_target=tenant.session_cluster("shared").target)
    made = synth()["resource"]
    assert {one["role"] for one in made["flink_member"].values()} == {"ADMIN", "VIEWER"}
    (draft,) = made["flink_draft"].values()
    assert draft["folder_id"].startswith("${flink_folder.acme_folder-reports")
    (name,) = made["flink_workspace"]
    assert {draft["workspace"], *(j["workspace"] for j in made["flink_job"].values())} == {
        f"${{flink_workspace.{name}.resource_id}}"
    }


def test_a_tenant_is_looked_up(stack: Any, synth: Synth) -> None:
    """What is put into a tenant that is there already leaves its workspace and its namespace alone."""
    tenant = Tenant.from_name(stack, "acme", name="acme", namespace="bids")
    assert isinstance(tenant, Place)
    assert isinstance(tenant.member("user:1"), Member)
    written = synth()
    assert set(written["resource"]) == {"flink_member"}
    (member,) = written["resource"]["flink_member"].values()
    assert member["workspace"] == "${data.flink_workspace.acme-workspace.resource_id}"
    assert member["namespace"] == "${data.flink_namespace.acme-namespace.name}"
