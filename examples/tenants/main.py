"""Twenty tenants, each with a workspace of its own, from one list and one script."""

from pathlib import Path

import yaml

from flinkform_constructs import App, FlinkProvider, Tenant, cdk

HERE = Path(__file__).parent
NETWORK = {"vpc_id": "vpc-tenants", "vswitch_ids": ["vsw-tenants"], "bucket": "tenants"}
SCRIPT = (HERE / "jobs/usage/per_minute.sql").read_text()

app = App()
stack = cdk.TerraformStack(app, "tenants")
FlinkProvider(stack, region="cn-hangzhou")
for one in yaml.safe_load((HERE / "tenants.yaml").read_text()):
    tenant = Tenant(
        stack,
        one["name"],
        workspace={**NETWORK, "cpu": one["cpu"] + 1},
        cpu=one["cpu"],
        members=one["members"],
        variables={"plan": one["plan"]},
    )
    tenant.job(
        "usage_per_minute",
        sql=SCRIPT.replace("amount DECIMAL(10, 2),", f"amount {one['amount']},"),
        labels={"plan": one["plan"]},
    )
app.synth()
