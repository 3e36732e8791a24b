"""Jobs: one deployment and the newest of its runs, kept in the state that Git asks for."""

from __future__ import annotations

import re

from flinkform.schema.codec import Labels, Pairs, Texts
from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource
from flinkform.schema.types import Bool, MapOf, Number, Object, String

OURS = "flinkform.io/"
"""Labels under this prefix are flinkform's own: the nonce of a create, the commit of a release."""

DURATION = String(pattern=r"\d+(ms|s|m|h)([0-9hms]*)?", hint="a duration such as 90s, 10m or 1h")
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
"""Log levels, the one that logs most first."""
LEVEL = String(choices=LEVELS)

RESOURCE = Resource(
    name="job",
    doc="A Flink job as a desired state: what it computes, and whether it runs.",
    key=("workspace", "namespace", "deployment_id"),
    lookup=False,
    api=Api(
        create=Call(
            operation="CreateDeployment",
            fixed={
                "artifact.kind": "SQLSCRIPT",
                "deploymentTarget.mode": "PER_JOB",
                "streamingResourceSetting.resourceSettingMode": "BASIC",
            },
        ),
        read=Call(operation="GetDeployment"),
        list=Call(operation="ListDeployments"),
        update=Call(
            operation="UpdateDeployment",
            fixed={"artifact.kind": "SQLSCRIPT", "deploymentTarget.mode": "PER_JOB"},
        ),
        delete=Call(operation="DeleteDeployment"),
        items="data",
        answer="data",
    ),
    attributes=(
        Attribute(
            name="id",
            type=String(),
            doc="`<workspace>/<namespace>/<deployment_id>`.",
            origin=Origin.COMPUTED,
            stable=True,
        ),
        Attribute(
            name="workspace",
            type=String(),
            doc="The workspace's `resource_id`.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="workspace",
        ),
        Attribute(
            name="namespace",
            type=String(),
            doc="The namespace's name.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="namespace",
        ),
        Attribute(
            name="name",
            type=String(pattern=r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}", hint="letters, digits, '-', '_' and '.'"),
            doc="Unique within the namespace.",
            origin=Origin.REQUIRED,
            path="name",
        ),
        Attribute(
            name="description",
            type=String(),
            doc="For people.",
            path="description",
        ),
        Attribute(
            name="sql",
            type=String(),
            doc="The script: table definitions, then the statements that run.",
            origin=Origin.REQUIRED,
            change=Change.RESTART,
            path="artifact.sqlArtifact.sqlScript",
        ),
        Attribute(
            name="execution_mode",
            type=String(choices=("STREAMING", "BATCH")),
            doc="STREAMING runs until stopped; BATCH ends by itself, and its end is success.",
            default="STREAMING",
            change=Change.REPLACE,
            path="executionMode",
        ),
        Attribute(
            name="engine_version",
            type=String(),
            doc="The engine that runs the job; the control plane's default if unset.",
            origin=Origin.EITHER,
            stable=True,
            change=Change.RESTART,
            path="engineVersion",
        ),
        Attribute(
            name="deployment_target",
            type=String(),
            doc="The queue that the job takes its resources from.",
            default="default-queue",
            change=Change.RESTART,
            path="deploymentTarget.name",
        ),
        Attribute(
            name="parallelism",
            type=Number(at_least=1, at_most=32768),
            doc="Parallel instances of each operator.",
            default=1,
            change=Change.HOT,
            path="streamingResourceSetting.basicResourceSetting.parallelism",
        ),
        Attribute(
            name="flink_options",
            type=MapOf(String()),
            doc="Flink options, written as Flink's own documentation writes them.",
            change=Change.RESTART,
            # Flink spreads state by it, and takes none that was spread by another one.
            costs={"pipeline.max-parallelism": Change.AFRESH},
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
            doc="Log level by logger name; `root` is the level of all others.",
            change=Change.HOT,
            path="logging.log4jLoggers",
            codec=Pairs("loggerName", "loggerLevel"),
        ),
        Attribute(
            name="state",
            type=String(choices=("running", "suspended")),
            doc="Whether the job runs. Read back it may also be `failed` or `outdated` (an older definition runs).",
            default="running",
            change=Change.NOTHING,
        ),
        Attribute(
            name="upgrade",
            type=Object(
                (
                    Attribute(
                        name="mode",
                        type=String(choices=("savepoint", "latest", "stateless")),
                        doc="What the job goes on from: a savepoint taken now, the newest checkpoint, or nothing.",
                        default="savepoint",
                    ),
                    Attribute(
                        name="fallback",
                        type=Bool(),
                        doc="Go on from the newest checkpoint when a savepoint cannot be taken.",
                        default=True,
                    ),
                    Attribute(
                        name="on_incompatible",
                        type=String(choices=("fail", "drop_partial", "restart_empty")),
                        doc="Where state would be lost: refuse, start without what no longer fits, or with nothing.",
                        default="fail",
                    ),
                )
            ),
            doc="How a running job is brought to a new definition.",
            default={"mode": "savepoint", "fallback": True, "on_incompatible": "fail"},
        ),
        Attribute(
            name="state_verdict",
            type=String(),
            doc="Told in the plan: what the newest edit does to state (same, compatible, partly, lost, unknown).",
            origin=Origin.FORETOLD,
        ),
        Attribute(
            name="restore_from",
            type=String(),
            doc="A savepoint, by id or path, to start from the next time the job starts with no state of its own.",
        ),
        Attribute(
            name="allow_non_restored_state",
            type=Bool(),
            doc="Start even if some of the savepoint's state fits no operator.",
            default=False,
        ),
        Attribute(
            name="savepoint_on_destroy",
            type=Bool(),
            doc="Take a savepoint before a running job is destroyed.",
            default=True,
        ),
        Attribute(
            name="deletion_protection",
            type=Bool(),
            doc="Refuse to destroy or replace this job.",
            default=False,
        ),
        Attribute(
            name="timeouts",
            type=Object(
                (
                    Attribute(name="create", type=DURATION, doc="Until the job is RUNNING; 10m if unset."),
                    Attribute(name="update", type=DURATION, doc="Until the new definition is RUNNING; 15m if unset."),
                    Attribute(name="delete", type=DURATION, doc="Until the job has stopped; 10m if unset."),
                )
            ),
            doc="How long to wait.",
        ),
        Attribute(
            name="deployment_id",
            type=String(),
            doc="The deployment's id.",
            origin=Origin.COMPUTED,
            stable=True,
            path="deploymentId",
        ),
    ),
    example="""
resource "flink_job" "bids_per_minute" {
  workspace   = flink_workspace.main.resource_id
  namespace   = flink_namespace.bids.name
  name        = "bids-per-minute"
  parallelism = 2
  sql         = file("bids_per_minute.sql")
}
""",
)

FRONT = "0---"
"""What a name begins with whose path does not begin with a letter or a digit: an escape with nothing in it."""
_TOKEN = re.compile(r"--([0-9a-f]{1,6})-|(\.\.)|(\.)|(.)", re.DOTALL)
_LARGEST = 0x10FFFF


def path_of(name: str) -> str:
    """Return the path, below the namespace's folder and without a suffix, of the job file that gives a job *name*."""
    return "".join(
        (chr(int(code, 16)) if int(code, 16) <= _LARGEST else f"--{code}-")
        if code
        else ("." if dot else "/" if slash else other)
        for code, dot, slash, other in _TOKEN.findall(name.removeprefix(FRONT))
    )
