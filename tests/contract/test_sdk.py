"""The official SDKs, unmodified, synchronous and asynchronous, drive the control plane from workspace to savepoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alibabacloud_foasconsole20211028 import models as console_models
from alibabacloud_foasconsole20211028.client import Client as ConsoleSdk
from alibabacloud_ververica20220718 import models
from alibabacloud_ververica20220718.client import Client as VervericaSdk

from flinkform.controlplane.api import shape
from flinkform.openapi.operation import operation
from tests.contract.release import OLDER, ClientException, Config, RuntimeOptions
from tests.contract.served import Served, served, until
from tests.unit.controlplane.tables import Kind

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

REGION = "cn-hangzhou"
SCRIPT = "-- é\r\nINSERT INTO sink SELECT * FROM source;"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, kind: Kind) -> Iterator[Served]:
    """One control plane for all of this module."""
    home = tmp_path_factory.mktemp("home")
    with served(home, kind.url(home)) as running:
        yield running


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """The synchronous SDK would ask a proxy for loopback, too."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


class Sdk:
    """Calls operations by name with one of the SDKs' two manners, and holds each answer against the API's models."""

    def __init__(self, plane: Served, *, manner: str, secret: str = "") -> None:
        def config() -> Config:
            return Config(
                access_key_id=plane.key.id,
                access_key_secret=secret or plane.key.secret,
                endpoint=f"127.0.0.1:{plane.port}",
                protocol="http",
                region_id=REGION,
            )

        self._console = ConsoleSdk(config())
        self._ververica = VervericaSdk(config())
        self._manner = manner
        self.workspace = ""
        self.namespace = ""

    def console(self, name: str, method: str, **fields: Any) -> Any:
        """Return the body of a console operation."""
        request = getattr(console_models, f"{name}Request")(region=REGION, **fields)
        return self._done(name, self._console, _full(method), request, RuntimeOptions())

    def call(self, name: str, method: str, *path: str, **fields: Any) -> Any:
        """Return the body of an operation below this namespace."""
        given = [self.namespace, *path]
        if request := getattr(models, f"{name}Request", None):
            given.append(request(**fields))
        headers = getattr(models, f"{name}Headers")(workspace=self.workspace)
        return self._done(name, self._ververica, _full(method), *given, headers, RuntimeOptions())

    def _done(self, name: str, client: Any, method: str, *given: Any) -> Any:
        if self._manner == "async":
            answer = asyncio.run(getattr(client, f"{method}_async")(*given))
        else:
            answer = getattr(client, method)(*given)
        assert answer.body is not None, "the SDK threw the answer away: its shape is wrong"
        assert answer.status_code == 200
        known = operation(name)
        # The models of older releases have some fields of other types, or put nothing where there was none.
        for field in known.answer if not OLDER else ():
            if (value := answer.body.to_map().get(field.name)) is not None:
                shape.check(value, field.type, known.product, at=(field.name,))
        return answer.body


def _full(method: str) -> str:
    """The SDK's names are those of a tool that sees no word's end behind a digit."""
    return f"{method}with_options" if method[-1].isdigit() else f"{method}_with_options"


@pytest.fixture(params=["sync", "async"])
def sdk(plane: Served, request: pytest.FixtureRequest) -> Sdk:
    """An SDK with a workspace of its own."""
    made = Sdk(plane, manner=request.param)
    name = f"main-{request.param}-{request.node.name.partition('[')[0][-20:].replace('_', '-')}"
    instance = made.console(
        "CreateInstance",
        "create_instance",
        instance_name=name,
        charge_type="POST",
        vpc_id="vpc-1",
        v_switch_ids=["vsw-1"],
        storage=console_models.CreateInstanceRequestStorage(
            oss=console_models.CreateInstanceRequestStorageOss(bucket="bucket")
        ),
        resource_spec=console_models.CreateInstanceRequestResourceSpec(cpu=10, memory_gb=40),
    ).order_info.instance_id

    def shown() -> Any:
        return made.console("DescribeInstances", "describe_instances", instance_id=instance).instances[0]

    until(lambda: shown().cluster_status == "RUNNING", "the instance")
    made.workspace, made.namespace = shown().resource_id, f"{name}-default"

    def ready() -> bool:
        found = made.console("DescribeNamespaces", "describe_namespaces", instance_id=instance).namespaces
        return [(one.namespace, one.status) for one in found] == [(made.namespace, "SUCCESS")]

    until(ready, "the default namespace")
    return made


def create(sdk: Sdk, name: str, **fields: Any) -> str:
    """Return the id of a new deployment."""
    body = models.Deployment(
        name=name,
        execution_mode="STREAMING",
        artifact=models.Artifact(kind="SQLSCRIPT", sql_artifact=models.SqlArtifact(sql_script=SCRIPT)),
        **fields,
    )
    answer = sdk.call("CreateDeployment", "create_deployment", body=body)
    assert answer.success is True
    return str(answer.data.deployment_id)


def becomes(state: Callable[[], str], wanted: str) -> None:
    until(lambda: state() == wanted, wanted)


def test_a_job_from_deployment_to_deletion(sdk: Sdk) -> None:
    """Create, start, savepoint, stop with savepoint, start from it, stop, delete: every answer in its exact types."""
    made = create(sdk, "bids", flink_conf={"a": 1, "b": True}, labels={"team": "bids"})
    listed = sdk.call("ListDeployments", "list_deployments", page_size=100)
    assert [one.deployment_id for one in listed.data] == [made]
    assert listed.data[0].artifact.sql_artifact.sql_script == SCRIPT
    assert listed.data[0].flink_conf == {"a": 1, "b": True}
    assert (listed.page_index, listed.page_size, listed.total_size) == (1, 100, 1)
    assert isinstance(listed.data[0].created_at, str)
    assert listed.data[0].job_summary.running == 0

    job = sdk.call("StartJob", "start_job", body=models.StartJobRequestBody(deployment_id=made)).data
    assert job.status.current_job_status in ("STARTING", "RUNNING")

    def state(job_id: str) -> Callable[[], str]:
        return lambda: str(sdk.call("GetJob", "get_job", job_id).data.status.current_job_status)

    becomes(state(job.job_id), "RUNNING")
    assert isinstance(sdk.call("GetJob", "get_job", job.job_id).data.start_time, int)

    taken = sdk.call("CreateSavepoint", "create_savepoint", deployment_id=made, description="d").data
    becomes(lambda: _savepoint(sdk, taken.savepoint_id), "COMPLETED")

    strategy = models.StopJobRequestBody(stop_strategy="STOP_WITH_SAVEPOINT")
    assert sdk.call("StopJob", "stop_job", job.job_id, body=strategy).success is True
    becomes(state(job.job_id), "CANCELLED")
    kept = sdk.call("ListSavepoints", "list_savepoints", deployment_id=made)
    assert {one.savepoint_origin for one in kept.data} == {"USER_REQUEST", "STOP_WITH_SAVEPOINT"}
    assert all(isinstance(one.created_at, int) for one in kept.data)

    restore = models.DeploymentRestoreStrategy(kind="FROM_SAVEPOINT", savepoint_id=kept.data[0].savepoint_id)
    again = sdk.call(
        "StartJobWithParams",
        "start_job_with_params",
        body=models.JobStartParameters(deployment_id=made, restore_strategy=restore),
    ).data
    becomes(state(again.job_id), "RUNNING")
    jobs = sdk.call("ListJobs", "list_jobs", deployment_id=made)
    assert [one.job_id for one in jobs.data] == [again.job_id, job.job_id]
    sdk.call("StopJob", "stop_job", again.job_id, body=models.StopJobRequestBody(stop_strategy="NONE"))
    becomes(state(again.job_id), "CANCELLED")

    assert sdk.call("DeleteSavepoint", "delete_savepoint", taken.savepoint_id).success is True
    assert sdk.call("DeleteJob", "delete_job", job.job_id).success is True
    assert sdk.call("DeleteDeployment", "delete_deployment", made).success is True
    gone = sdk.call("GetDeployment", "get_deployment", made)
    assert (gone.success, gone.error_code) == (False, "990301")


def _savepoint(sdk: Sdk, savepoint_id: str) -> str:
    return str(sdk.call("GetSavepoint", "get_savepoint", savepoint_id).data.status.state)


def test_partial_update_from_the_sdk(sdk: Sdk) -> None:
    """The empty lists that the SDK writes for what its user left alone change nothing."""
    variables = [models.LocalVariable(name="v", value="1")]
    loggers = models.Logging(log_4j_loggers=[models.Log4jLogger(logger_name="root", logger_level="WARN")])
    made = create(sdk, "bids", local_variables=variables, logging=loggers)
    body = models.Deployment(description="new", logging=models.Logging(logging_profile="default"))
    sdk.call("UpdateDeployment", "update_deployment", made, body=body)
    found = sdk.call("GetDeployment", "get_deployment", made).data
    assert found.description == "new"
    assert found.local_variables[0].value == "1"
    assert found.logging.log_4j_loggers[0].logger_level == "WARN"
    named = sdk.call("GetDeploymentsByName", "get_deployments_by_name", "bids").data
    assert [one.deployment_id for one in named] == [made]


def test_what_else_a_console_asks(sdk: Sdk) -> None:
    """Engine versions, targets, events, start log and validation answer in their exact types."""
    made = create(sdk, "bids")
    found = sdk.call("ListDeploymentTargets", "list_deployment_targets")
    assert [one.name for one in found.data] == ["default-queue"]
    told = sdk.call("GetEvents", "get_events", deployment_id=made)
    assert told.data[0].event_name == "DEPLOYMENT_CREATED"
    assert sdk.call("GetLatestJobStartLog", "get_latest_job_start_log", made).data == ""
    statement = models.SqlStatementWithContext(statement="SELECT 1", batch_mode=False)
    checked = sdk.call("ValidateSqlStatement", "validate_sql_statement", body=statement)
    assert checked.data.success is True


def test_engine_versions(sdk: Sdk) -> None:
    """The engine version that a console offers is the one that runs."""
    headers = models.ListEngineVersionMetadataHeaders(workspace=sdk.workspace)
    answer = sdk._ververica.list_engine_version_metadata_with_options(headers, RuntimeOptions())
    found = answer.body.data
    assert found.default_engine_version == found.engine_version_metadata[0].engine_version


@pytest.mark.parametrize("manner", ["sync", "async"])
def test_wrong_secret_is_refused(plane: Served, manner: str) -> None:
    """An SDK with the wrong secret gets the gateway's refusal, with code and text."""
    wrong = Sdk(plane, manner=manner, secret="wrong")
    with pytest.raises(ClientException) as raised:
        wrong.console("DescribeInstances", "describe_instances")
    assert raised.value.code == "SignatureDoesNotMatch"
    assert "does not match" in raised.value.message


def test_missing_workspace_is_said(sdk: Sdk) -> None:
    """The SDK's convenience methods send no workspace; the refusal says so."""
    with pytest.raises(ClientException) as raised:
        sdk._ververica.list_deployments(sdk.namespace, models.ListDeploymentsRequest())
    assert raised.value.code == "MissingParameter"
    assert "workspace" in raised.value.message


def test_regions_without_parameters(plane: Served) -> None:
    """A console operation without parameters is answered."""
    client = Sdk(plane, manner="sync")._console
    assert client.describe_supported_regions().body.regions[0].region == REGION
    request = console_models.DescribeSupportedZonesRequest(region=REGION)
    assert client.describe_supported_zones(request).body.zone_ids == [f"{REGION}-a"]


def test_paying_and_tagging(sdk: Sdk) -> None:
    """A workspace is tagged, paid ahead, renewed, resized and paid as it is used again."""
    here = {"region_id": REGION, "resource_type": "vvpinstance"}
    found = next(
        one
        for one in sdk.console("DescribeInstances", "describe_instances", page_size=100).instances
        if one.resource_id == sdk.workspace
    )

    def shown() -> Any:
        return sdk.console("DescribeInstances", "describe_instances", instance_id=found.instance_id).instances[0]

    def settled() -> None:
        until(lambda: shown().cluster_status == "RUNNING", "the instance")

    def bare(name: str, method: str, **fields: Any) -> Any:
        request = getattr(console_models, f"{name}Request")(**fields)
        return sdk._done(name, sdk._console, f"{method}_with_options", request, RuntimeOptions())

    tags = [console_models.TagResourcesRequestTag(key="team", value="a")]
    bare("TagResources", "tag_resources", resource_id=[found.instance_id], tag=tags, **here)
    listed = bare("ListTagResources", "list_tag_resources", resource_id=[found.instance_id], **here).tag_resources
    assert [(one.resource_id, one.tag_key, one.tag_value) for one in listed] == [(found.instance_id, "team", "a")]
    bare("UntagResources", "untag_resources", resource_id=[found.instance_id], tag_key=["team"], **here)
    assert shown().tags == []
    spec = console_models.ConvertInstanceRequestNamespaceResourceSpecs(
        namespace=sdk.namespace,
        resource_spec=console_models.ConvertInstanceRequestNamespaceResourceSpecsResourceSpec(cpu=8, memory_gb=32),
    )
    month = {"instance_id": found.instance_id, "duration": 1, "pricing_cycle": "Month"}
    converted = sdk.console(
        "ConvertInstance", "convert_instance", namespace_resource_specs=[spec], is_auto_renew=False, **month
    )
    assert converted.order_id
    settled()
    ends = shown().resource_expired_time
    assert (shown().charge_type, shown().resource_spec.cpu) == ("PRE", 8)
    assert sdk.console("RenewInstance", "renew_instance", **month).order_id
    assert shown().resource_expired_time > ends
    larger = console_models.ModifyPrepayInstanceSpecRequestResourceSpec(cpu=12, memory_gb=48)
    sdk.console(
        "ModifyPrepayInstanceSpec",
        "modify_prepay_instance_spec",
        instance_id=found.instance_id,
        resource_spec=larger,
    )
    settled()
    bare("ModifyInstanceVswitch", "modify_instance_vswitch", instance_id=found.instance_id, v_switch_ids=["vsw-7"])
    settled()
    sdk.console("ConvertPrepayInstance", "convert_prepay_instance", instance_id=found.instance_id)
    settled()
    assert (shown().charge_type, shown().resource_spec.cpu, shown().v_switch_ids) == ("POST", 12, ["vsw-7"])
