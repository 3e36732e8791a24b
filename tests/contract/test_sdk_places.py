"""The official SDKs, synchronous and asynchronous: workspaces and namespaces change and go, running jobs are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alibabacloud_foasconsole20211028 import models as console
from alibabacloud_ververica20220718 import models

from flinkform.controlplane.api.handlers import HANDLERS
from flinkform.openapi.operation import names
from tests.contract.release import RuntimeOptions
from tests.contract.served import Served, until
from tests.contract.test_sdk import Sdk, _direct, becomes, create, plane, pytestmark, sdk

__all__ = ["_direct", "plane", "pytestmark", "sdk"]


def instance(sdk: Sdk) -> Any:
    """The workspace that the SDK has for itself."""
    found = sdk.console("DescribeInstances", "describe_instances", page_size=100).instances
    return next((one for one in found if one.resource_id == sdk.workspace), None)


def test_namespaces(sdk: Sdk) -> None:
    """A namespace is made, becomes another size, and goes only when nothing is in it."""
    here = {"instance_id": instance(sdk).instance_id}
    asked = {**here, "namespace": "blue"}

    def shown() -> Any:
        found = sdk.console("DescribeNamespaces", "describe_namespaces", page_size=100, **asked).namespaces
        return found[0] if found else None

    spec = console.CreateNamespaceRequestResourceSpec(cpu=2, memory_gb=8)
    assert sdk.console("CreateNamespace", "create_namespace", resource_spec=spec, **asked).success is True
    until(lambda: shown().status == "SUCCESS", "the namespace")
    assert (shown().namespace, shown().resource_spec.cpu, shown().resource_spec.memory_gb) == ("blue", 2, 8)
    larger = console.ModifyNamespaceSpecV2RequestGuaranteedResourceSpec(cpu=3, memory_gb=12)
    modified = sdk.console(
        "ModifyNamespaceSpecV2", "modify_namespace_spec_v2", guaranteed_resource_spec=larger, ha=False, **asked
    )
    assert modified.success is True
    until(lambda: shown().status == "SUCCESS", "the namespace")
    assert shown().resource_spec.cpu == 3
    kept, sdk.namespace = sdk.namespace, "blue"
    made = create(sdk, "bids")
    with pytest.raises(Exception, match="still holds 1 deployment, such as bids"):
        sdk.console("DeleteNamespace", "delete_namespace", **asked)
    assert sdk.call("DeleteDeployment", "delete_deployment", made).success is True
    sdk.namespace = kept
    assert sdk.console("DeleteNamespace", "delete_namespace", **asked).success is True
    until(lambda: shown() is None, "the end of the namespace")


def test_workspaces(sdk: Sdk) -> None:
    """A workspace is resized while it is paid as it is used, refuses another change meanwhile, and goes."""
    here = {"instance_id": instance(sdk).instance_id}
    spec = console.ModifyInstanceSpecRequestResourceSpec(cpu=12, memory_gb=48)
    assert sdk.console("ModifyInstanceSpec", "modify_instance_spec", resource_spec=spec, **here).order_id
    until(lambda: instance(sdk).cluster_status == "RUNNING", "the instance")
    assert (instance(sdk).resource_spec.cpu, instance(sdk).resource_spec.memory_gb) == (12, 48)
    assert sdk.console("DeleteInstance", "delete_instance", **here).success is True
    until(lambda: instance(sdk) is None, "the end of the instance")


def test_running_jobs(sdk: Sdk, plane: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running job is rescaled, diagnosed, and looked at in Flink's own REST, from which nothing can be changed."""
    made = create(sdk, "bids")
    job = sdk.call("StartJob", "start_job", body=models.StartJobRequestBody(deployment_id=made)).data.job_id
    becomes(lambda: str(sdk.call("GetJob", "get_job", job).data.status.current_job_status), "RUNNING")
    setting = models.StreamingResourceSetting(basic_resource_setting=models.BasicResourceSetting(parallelism=3))
    body = models.Deployment(streaming_resource_setting=setting)
    sdk.call("UpdateDeployment", "update_deployment", made, body=body)
    begun = sdk.call("HotUpdateJob", "hot_update_job", job).data
    assert (begun.job_id, begun.hot_update_params.rescale_job_param.job_parallelism) == (job, 3)

    def rescaled() -> Any:
        return sdk.call("GetHotUpdateJobResult", "get_hot_update_job_result", begun.job_hot_update_id).data

    becomes(lambda: str(rescaled().status.status), "HOT_UPDATED")
    assert rescaled().target_resource_setting.streaming_resource_setting.basic_resource_setting.parallelism == 3

    found = sdk.call("GetJobDiagnosis", "get_job_diagnosis", made, job).data
    assert (found.risk_level, found.workspace, found.symptoms.runtime) == ("RISK_LEVEL_LOW", sdk.workspace, [])

    page = (200, "application/json", b'{"state": "RUNNING"}')
    monkeypatch.setattr(plane.flink, "page", lambda _: page, raising=False)

    def looked(path: str) -> Any:
        asked = {"flink_api_path": path, "namespace": sdk.namespace, "resource_type": "jobs", "resource_id": job}
        headers = models.FlinkApiProxyHeaders(workspace=sdk.workspace)
        request = models.FlinkApiProxyRequest(**asked)
        name = "FlinkApiProxy"
        return sdk._done(name, sdk._ververica, "flink_api_proxy_with_options", request, headers, RuntimeOptions())

    assert looked(f"/jobs/{job}").data == '{"state": "RUNNING"}'
    assert looked(f"/jobs/{job}/yarn-cancel").success is False
    sdk.call("StopJob", "stop_job", job, body=models.StopJobRequestBody(stop_strategy="NONE"))


def test_links(sdk: Sdk) -> None:
    """A link to upload a jar by is given, with the place that the jar will have."""
    name = "GetPreSignedUrlForPutObject"
    found = sdk.call(name, "get_pre_signed_url_for_put_object", file_name="a.jar").data
    assert found.jar_url.endswith("/a.jar")
    assert found.pre_signed_url.startswith("http://127.0.0.1:")


def test_every_answered_operation_is_called() -> None:
    """Whatever is answered is called by a test here through the official SDK, so its typed fields were looked at."""
    called = "".join(one.read_text() for one in Path(__file__).parent.glob("test_sdk*.py"))
    elsewhere = {"DescribeSupportedRegions", "DescribeSupportedZones", "ListEngineVersionMetadata"}
    assert elsewhere & set(names()) == elsewhere  # by methods that need no name
    assert [one for one in HANDLERS if one in names() and f'"{one}"' not in called and one not in elsewhere] == []
