"""Session clusters: Flink clusters of their own configuration that several jobs share."""

from __future__ import annotations

from flinkform.resources.job import LEVEL, OURS
from flinkform.resources.scope import within
from flinkform.schema.codec import Gibibytes, Labels, Pairs, Texts, Words
from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource, Switch, Wait
from flinkform.schema.types import MapOf, Number, String

_NAME = {"name": "sessionClusterName"}

RESOURCE = Resource(
    name="session_cluster",
    doc="A Flink cluster that several jobs share, with a configuration of its own.",
    key=("workspace", "namespace", "name"),
    kept=True,
    wait=Wait(
        attribute="status",
        pending=("STARTING", "UPDATING", "STOPPING"),
        done=("RUNNING", "STOPPED"),
        why="status.failure.message",
    ),
    switch=Switch(
        attribute="state",
        calls={
            "running": Call(operation="StartSessionCluster", places=_NAME),
            "stopped": Call(operation="StopSessionCluster", places=_NAME),
        },
        rest="stopped",
    ),
    api=Api(
        create=Call(operation="CreateSessionCluster"),
        read=Call(operation="GetSessionCluster", places=_NAME),
        list=Call(operation="ListSessionClusters"),
        update=Call(operation="UpdateSessionCluster", places=_NAME),
        delete=Call(operation="DeleteSessionCluster", places=_NAME),
        items="data",
        answer="data",
    ),
    attributes=(
        *within("name"),
        Attribute(
            name="name",
            type=String(
                pattern=r"[a-z]([a-z0-9\-]{0,61}[a-z0-9])?", hint="lower-case letters, digits and '-', at most 63"
            ),
            doc="Unique within the namespace.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="name",
        ),
        Attribute(
            name="state",
            type=String(choices=("running", "stopped")),
            doc="Whether the cluster runs. Read back it may also be `failed`.",
            default="running",
            path="status.currentSessionClusterStatus",
            codec=Words({"running": ("RUNNING", "STARTING", "UPDATING"), "stopped": ("STOPPED", "STOPPING")}),
        ),
        Attribute(
            name="engine_version",
            type=String(),
            doc="The engine that it runs, which its jobs have to want as well; the control plane's default if unset.",
            origin=Origin.EITHER,
            stable=True,
            path="engineVersion",
        ),
        Attribute(
            name="deployment_target",
            type=String(),
            doc="The queue that the cluster takes its resources from.",
            default="default-queue",
            refers="deployment_target",
            path="deploymentTargetName",
        ),
        Attribute(
            name="parallelism",
            type=Number(at_least=1, at_most=1024),
            doc="Tasks that it runs at once, of all its jobs together.",
            default=8,
            path="basicResourceSetting.parallelism",
        ),
        Attribute(
            name="cpu",
            type=Number(at_least=0.1, whole=False),
            doc="Cores of its task manager.",
            default=1.0,
            path="basicResourceSetting.taskmanagerResourceSettingSpec.cpu",
        ),
        Attribute(
            name="memory",
            type=String(pattern=r"[1-9]\d{0,2}(\.\d+)?Gi", hint="at least 1Gi, such as 2Gi or 1.5Gi"),
            doc="Memory of its task manager.",
            default="1Gi",
            path="basicResourceSetting.taskmanagerResourceSettingSpec.memory",
            codec=Gibibytes(),
        ),
        Attribute(
            name="flink_options",
            type=MapOf(String()),
            doc="Flink options of the cluster, which its jobs have too unless they say otherwise.",
            path="flinkConf",
            codec=Texts(),
        ),
        Attribute(
            name="labels",
            type=MapOf(String()),
            doc="For finding and filtering.",
            path="labels",
            codec=Labels(OURS),
        ),
        Attribute(
            name="logging",
            type=MapOf(LEVEL),
            doc="Log level by logger name, while the cluster runs; its jobs may want more. `root` is all others.",
            path="logging.log4jLoggers",
            codec=Pairs("loggerName", "loggerLevel"),
        ),
        Attribute(
            name="session_cluster_id",
            type=String(),
            doc="The cluster's id.",
            origin=Origin.COMPUTED,
            stable=True,
            path="sessionClusterId",
        ),
        Attribute(
            name="status",
            type=String(),
            doc="STOPPED, STARTING, RUNNING, UPDATING, STOPPING or FAILED.",
            origin=Origin.COMPUTED,
            path="status.currentSessionClusterStatus",
        ),
    ),
    example="""
resource "flink_session_cluster" "shared" {
  workspace   = flink_workspace.main.resource_id
  namespace   = flink_namespace.bids.name
  name        = "shared"
  parallelism = 4
  memory      = "1Gi"
}
""",
)
