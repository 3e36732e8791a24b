"""One stack, one workspace, one namespace, and a job that is a program in a jar."""

from pathlib import Path

from flinkform_constructs import App, FlinkProvider, JobFolder, Namespace, Workspace, cdk

HERE = Path(__file__).parent

app = App()
stack = cdk.TerraformStack(app, "program")
FlinkProvider(stack, region="cn-hangzhou")
workspace = Workspace(
    stack, "workspace", name="program", vpc_id="vpc-example", vswitch_ids=["vsw-example"], bucket="program"
)
hello = Namespace(stack, "hello", workspace_id=workspace.id, name="hello")
JobFolder(
    stack,
    "jobs",
    HERE / "jobs",
    workspace=workspace.resource_id,
    namespace=hello.name,
    environment=HERE / "environments" / "dev.yaml",
)
app.synth()
