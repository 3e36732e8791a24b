"""Lists, creates, starts and stops with an older release of the official Python SDKs, synchronous and asynchronous."""

import asyncio
import json
import os
import sys
from typing import Any

from alibabacloud_foasconsole20211028 import models as console_models
from alibabacloud_foasconsole20211028.client import Client as ConsoleClient
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions
from alibabacloud_ververica20220718 import models
from alibabacloud_ververica20220718.client import Client

ENV = os.environ
NAMESPACE = ENV["NAMESPACE"]


def config() -> Config:
    return Config(
        access_key_id=ENV["KEY"],
        access_key_secret=ENV["SECRET"],
        security_token=ENV.get("TOKEN") or None,
        endpoint=ENV["ENDPOINT"],
        protocol="http",
        region_id="cn-hangzhou",
    )


def call(client: Any, name: str, *arguments: Any, wait: bool) -> Any:
    """Return the body of one call, with or without waiting for it."""
    method = getattr(client, f"{name}_with_options" + "_async" * wait)
    answer = method(*arguments, RuntimeOptions())
    return (asyncio.run(answer) if wait else answer).body


def run(wait: bool) -> dict[str, Any]:
    """Go through a deployment's life, and return what was seen of it."""
    bodies = json.loads(ENV["BODIES"])
    console, client = ConsoleClient(config()), Client(config())
    asked = console_models.DescribeInstancesRequest(region="cn-hangzhou")
    instances = call(console, "describe_instances", asked, wait=wait)

    def ververica(name: str, operation: str, *arguments: Any, **fields: Any) -> Any:
        request = getattr(models, f"{operation}Request", None)
        given = [request(**fields)] if request else []
        headers = getattr(models, f"{operation}Headers")(workspace=ENV["WORKSPACE"])
        return call(client, name, NAMESPACE, *arguments, *given, headers, wait=wait)

    body = models.Deployment().from_map({**bodies["deployment"], "name": f"{bodies['deployment']['name']}-{wait:d}"})
    made = ververica("create_deployment", "CreateDeployment", body=body).data
    listed = ververica("list_deployments", "ListDeployments").data
    start = models.StartJobRequestBody().from_map({**bodies["start"], "deploymentId": made.deployment_id})
    job = ververica("start_job", "StartJob", body=start).data
    stop = models.StopJobRequestBody().from_map(bodies["stop"])
    stopped = ververica("stop_job", "StopJob", job.job_id, body=stop)
    return {
        "instances": [one.instance_name for one in instances.instances],
        "deployments": [one.name for one in listed],
        "deployment": made.deployment_id,
        "job": job.job_id,
        "stopped": stopped.success,
    }


sys.stdout.write(json.dumps(run(sys.argv[1] == "async")) + "\n")
