"""Somebody else's CDKTF app: a stock App and stack, another provider's resources, and a Flink job among them."""

from cdktf import App, TerraformOutput, TerraformResource, TerraformStack
from constructs import Construct

from flinkform_constructs import FlinkProvider, Job, Namespace, Workspace

SCRIPT = """CREATE TEMPORARY TABLE clicks (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TEMPORARY TABLE seen (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO seen SELECT id FROM clicks;
"""


class Platform(TerraformStack):
    """What a platform team had before there was Flink, and a job that both sides refer to."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        ticket = TerraformResource(self, "ticket", terraform_resource_type="terraform_data")
        ticket.add_override("input", {"owner": "team-web"})

        FlinkProvider(self, region="cn-hangzhou")
        network = {"vpc_id": "vpc-1", "vswitch_ids": ["vsw-1"], "bucket": "platform-flink"}
        workspace = Workspace(self, "workspace", name="platform", cpu=4, **network)
        web = Namespace(self, "web", workspace_id=workspace.id, name="web", cpu=2)
        job = Job(
            self,
            "clicks",
            workspace=workspace.resource_id,
            namespace=web.name,
            name="clicks",
            sql=SCRIPT,
            state="suspended",
            labels={"owner": ticket.interpolation_for_attribute("output.owner")},
            depends_on=[ticket],
        )

        page = TerraformResource(self, "page", terraform_resource_type="terraform_data")
        page.add_override("input", {"deployment": job.deployment_id})
        TerraformOutput(self, "deployment", value=page.interpolation_for_attribute("output.deployment"))
        TerraformOutput(self, "labels", value=job.ref("labels"))


app = App()
Platform(app, "platform")
app.synth()
