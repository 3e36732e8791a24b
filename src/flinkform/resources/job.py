"""Jobs: one deployment and the newest of its runs, kept in the state that Git asks for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flinkform.resources.scope import within
from flinkform.schema.codec import Labels, Pairs, Texts
from flinkform.schema.model import Api, Attribute, Call, Change, Moved, Origin, Resource
from flinkform.schema.types import Bool, ListOf, MapOf, Number, Object, String

OURS = "flinkform.io/"
"""Labels under this prefix are flinkform's own: the nonce of a create, the commit of a release."""

JAR_SHA256 = f"{OURS}jar-sha256"
"""The label that says what sha256 a job's jar has to have: the API has no field for it."""

SESSION = "session/"
"""What a job's deployment target begins with if it is a session cluster."""

DURATION = String(pattern=r"\d+(ms|s|m|h)([0-9hms]*)?", hint="a duration such as 90s, 10m or 1h")
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
"""Log levels, the one that logs most first."""
LEVEL = String(choices=LEVELS)
SHA256 = String(pattern=r"[0-9a-f]{64}", hint="a sha256 of 64 hexadecimal digits")
ENTRY = String(pattern=r"[\w$]+(\.[\w$]+)*", hint="the name of a class, such as org.example.Main")
_UPLOADED = re.compile(r"-([0-9a-f]{64})\.jar$")


def words(line: str) -> list[str]:
    """Return the arguments in a line, as a shell would read it; `ValueError`: a quote has no end."""
    return shlex.split(line)


def uploaded(name: str, sha256: str) -> str:
    """Return what a jar is called in the artifact store: its content is in its name."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", name.removesuffix(".jar"))[:100]
    return f"{stem}-{sha256}.jar"


@dataclass(frozen=True, slots=True)
class Jar:
    """A program as the API has it: no *source*, for that is the author's machine's, and arguments in one line."""

    def encode(self, value: Mapping[str, Any]) -> dict[str, Any]:
        sent = {
            "jarUri": value.get("uri"),
            "entryClass": value.get("entry_class"),
            "mainArgs": shlex.join(value["args"]) if value.get("args") else None,
            "additionalDependencies": value.get("dependencies"),
        }
        # What is not sent would stay as it was.
        return {name: item if item is not None else _NOTHING[name] for name, item in sent.items()}

    def decode(self, value: Mapping[str, Any]) -> dict[str, Any] | None:
        if not value.get("jarUri"):
            return None
        line = str(value.get("mainArgs") or "")
        try:
            args = words(line)
        except ValueError:
            args = [line]
        return {
            "uri": value["jarUri"],
            "source": None,
            "sha256": None,
            "entry_class": value.get("entryClass") or None,
            "args": args or None,
            "dependencies": list(value.get("additionalDependencies") or ()) or None,
        }

    def alike(self, ours: Any, seen: Any) -> bool:
        """Say whether a program is the one that is kept, which was uploaded where *ours* names a source."""
        if not ours or not seen:
            return not ours and not seen
        known = dict.fromkeys(seen) | {name: item or None for name, item in ours.items()}
        if known.get("source") and (found := _UPLOADED.search(str(seen["uri"]))) and found[1] == known["sha256"]:
            known |= {"source": None, "uri": seen["uri"]}
        return bool(known == seen)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a job runs: a queue by its name, a session cluster by `session/` and its name."""

    def encode(self, value: str) -> dict[str, str]:
        shared = value.startswith(SESSION)
        return {"mode": "SESSION" if shared else "PER_JOB", "name": value.removeprefix(SESSION)}

    def decode(self, value: Mapping[str, Any]) -> str | None:
        name = value.get("name")
        return f"{SESSION}{name}" if name and value.get("mode") == "SESSION" else name


_NOTHING: dict[str, Any] = {"jarUri": "", "entryClass": "", "mainArgs": "", "additionalDependencies": []}

_RUN = {"workspace": "resource_id", "namespace": "namespace", "deployment_id": "deployment_id"}
"""Where both of the public provider's types, the deployment and its run, say which deployment it is."""

RESOURCE = Resource(
    name="job",
    doc="A Flink job as a desired state: what it computes, and whether it runs.",
    key=("workspace", "namespace", "deployment_id"),
    told=("state",),
    api=Api(
        create=Call(
            operation="CreateDeployment",
            fixed={
                "artifact.kind": "SQLSCRIPT",
                "streamingResourceSetting.resourceSettingMode": "BASIC",
            },
        ),
        read=Call(operation="GetDeployment"),
        list=Call(operation="ListDeployments"),
        update=Call(
            operation="UpdateDeployment",
            fixed={"artifact.kind": "SQLSCRIPT"},
        ),
        delete=Call(operation="DeleteDeployment"),
        items="data",
        answer="data",
    ),
    attributes=(
        *within("deployment_id"),
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
            doc="The script: table definitions, then the statements that run. Either this or `jar`.",
            change=Change.RESTART,
            exclusive="jar",
            path="artifact.sqlArtifact.sqlScript",
        ),
        Attribute(
            name="jar",
            type=Object(
                (
                    Attribute(
                        name="uri",
                        type=String(),
                        exclusive="source",
                        doc="Where the jar is, as the control plane sees it: `https:`, `oss:`, `s3:`, or `file:` for "
                        "the embedded one. Either this or `source`.",
                    ),
                    Attribute(
                        name="source",
                        type=String(),
                        exclusive="uri",
                        needs="sha256",
                        doc="The path of a jar on this machine, which an apply uploads once; it needs `sha256`.",
                    ),
                    Attribute(
                        name="sha256",
                        type=SHA256,
                        doc="What the jar has to be: `filesha256(...)` of a `source`. Another one is another program.",
                    ),
                    Attribute(
                        name="entry_class",
                        type=ENTRY,
                        doc="The class whose `main` makes the job; the one that the jar's manifest names if unset.",
                    ),
                    Attribute(name="args", type=ListOf(String()), doc="What `main` is given."),
                    Attribute(
                        name="dependencies",
                        type=ListOf(String()),
                        doc="URIs of further jars that the program needs; `#sha256=...` behind one pins it.",
                    ),
                )
            ),
            doc="The program, in place of a script. Its operators keep their state by the `uid` that it gives them.",
            change=Change.RESTART,
            exclusive="sql",
            path="artifact.jarArtifact",
            label=("sha256", JAR_SHA256),
            codec=Jar(),
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
            doc="The queue that the job takes its resources from, or `session/` and the session cluster it runs in.",
            default="default-queue",
            change=Change.RESTART,
            path="deploymentTarget",
            codec=Target(),
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
    moved=(
        Moved(
            provider="alicloud",
            type="alicloud_realtime_compute_deployment",
            places={
                **_RUN,
                "name": "deployment_name",
                "description": "description",
                "sql": "artifact.0.sql_artifact.0.sql_script",
                "execution_mode": "execution_mode",
                "engine_version": "engine_version",
                "deployment_target": "deployment_target.0.name",
                "parallelism": "streaming_resource_setting.0.basic_resource_setting.0.parallelism",
                "flink_options": "flink_conf",
                "labels": "labels",
            },
        ),
        Moved(provider="alicloud", type="alicloud_realtime_compute_job", places=_RUN),
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
