"""`flinkform export`: a namespace that exists, written as job files, an environment and what Terraform takes over."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from flinkform import jobfile
from flinkform.cli import named
from flinkform.cli.progress import Progress
from flinkform.client.api import Client
from flinkform.errors import Conflict, FlinkformError, Invalid, NotFound
from flinkform.jobfile import write
from flinkform.provider import observe
from flinkform.provider.observe import Phase
from flinkform.resources import job, namespace
from flinkform.schema import document as documents
from flinkform.schema.model import Resource

_MAIN = '''\
"""The namespace {namespace} as it was found; `imports.json` says what Terraform takes over at the first apply."""

import json
import os
from pathlib import Path

from flinkform import jobfile
from flinkform_constructs import App, FlinkProvider, JobFolder, Namespace, cdk

HERE = Path(__file__).parent
FOUND = json.loads((HERE / "imports.json").read_text())

name = os.environ.get("FLINKFORM_ENVIRONMENT") or "{environment}"
environment = jobfile.environment(HERE / "environments" / f"{{name}}.yaml")
app = App()
stack = cdk.TerraformStack(app, "{namespace}")
FlinkProvider(stack, region=environment.workspace["region"])
values = {{**FOUND["values"], **environment.namespaces["{namespace}"]}}
namespace = Namespace(stack, "namespace", workspace_id=FOUND["instance"], name="{namespace}", **values)
namespace.import_from(FOUND["namespace"])
folder = JobFolder(
    stack, "jobs", HERE / "jobs", workspace=FOUND["workspace"], namespace=namespace.name, environment=environment
)
for (_, job), block in folder.jobs.items():
    if job in FOUND["jobs"]:
        block.import_from(FOUND["jobs"][job])
app.synth()
'''
_CDKTF = {"language": "python", "app": "python main.py", "sendCrashReports": "false"}


@dataclass(frozen=True, slots=True)
class Found:
    """One deployment: its values as `flink_job` has them, its id, and what a first plan is going to do to it."""

    name: str
    values: Mapping[str, Any]
    id: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """The namespace and the workspace around it, as our types have them; *region* is where they are."""

    region: str
    workspace: Mapping[str, Any]
    namespace: Mapping[str, Any]


def run(options: argparse.Namespace) -> int:
    """Write the folder whole or not at all, and say what the first plan is going to change, if anything."""
    _vacant(options.folder)
    client, region = named.plane(options.region)
    with closing(client), Progress().step(f"asking for {options.namespace}") as step:
        place = _place(client, region, options.workspace, options.namespace)
        jobs = sorted(_jobs(client, place), key=lambda one: one.name)
        step.result = f"{len(jobs)} jobs"
    files, refused = _files(place, jobs, options.environment)
    if refused and (not options.skip or len(refused) == len(jobs)):
        text = "\n".join(map(str, refused))
        raise FlinkformError(text, advice="leave them out by --skip; nothing was written", parts=refused)
    if not jobs:
        raise NotFound(f"{options.namespace} holds no jobs", advice="nothing was written")
    _written(options.folder, files, jobs)
    told = _told(options.folder, files, jobs, refused)
    print(json.dumps(told) if options.json else _text(told))
    return 0


def _vacant(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise Conflict(f"{folder} is there already", advice="name a folder that is not there yet, or is empty")


def _place(client: Client, region: str, wanted: str, name: str) -> Place:
    chosen = named.space(client, wanted)
    found = client.pages("DescribeNamespaces", {"InstanceId": chosen["instance_id"]}, items="Namespaces")
    inside = {one["name"]: one for one in (_values(namespace.RESOURCE, row) for row in found)}
    if name not in inside:
        raise NotFound(
            f"no namespace is called {name}", advice=f"expected one of {', '.join(sorted(inside)) or 'none'}"
        )
    return Place(region, chosen, inside[name])


def _jobs(client: Client, place: Place) -> Iterator[Found]:
    where = {"workspace": place.workspace["resource_id"], "namespace": place.namespace["name"]}
    usual = client.call("ListEngineVersionMetadata", {"workspace": where["workspace"]})["data"]["defaultEngineVersion"]
    for row in client.pages("ListDeployments", where):
        phase = observe.phase(row)
        if phase is None:
            runs = client.pages("ListJobs", {**where, "deploymentId": row["deploymentId"]})
            phase = observe.job_phase(observe.newest(runs))
        values = _values(job.RESOURCE, row)
        one = Found(str(row["name"]), values, "/".join((*where.values(), str(row["deploymentId"]))))
        if values["engine_version"] == usual:
            values["engine_version"] = None
        if phase is Phase.IDLE:
            values["state"] = "suspended"
        elif phase is Phase.FAILED:
            one.notes.append("it failed, and is started again")
        elif row.get("deploymentHasChanged"):
            one.notes.append("it runs an older definition than it has, and is restarted")
        if not unicodedata.is_normalized("NFC", values.get("sql") or ""):
            one.notes.append("Terraform composes the accents of its script, and the job is restarted")
        yield one


def _values(resource: Resource, row: Mapping[str, Any]) -> dict[str, Any]:
    return documents.decode(resource.attributes, row)


def _files(place: Place, jobs: Iterable[Found], environment: str) -> tuple[dict[str, bytes], list[Invalid]]:
    """Return every file by its path, and why jobs have none."""
    top = f"jobs/{place.namespace['name']}"
    found: dict[str, bytes] = {}
    refused: list[Invalid] = []
    for one in jobs:
        try:
            found |= {f"{top}/{path}": data for path, data in write.files(one.name, one.values).items()}
        except Invalid as error:
            refused.append(error)
    folders = {str(parent) for path in found for parent in PurePosixPath(path).parents}
    refused += [Invalid(f"{path} would be a file and a folder") for path in sorted(found.keys() & folders)]
    return found | _about(place, jobs, environment), refused


def _about(place: Place, jobs: Iterable[Found], environment: str) -> dict[str, bytes]:
    """Return the files that are not a job's."""
    name = place.namespace["name"]
    shared = {key: place.workspace.get(key) for key in ("name", "cpu", "vpc_id", "vswitch_ids", "bucket")}
    said = {
        "workspace": {"region": place.region, **{key: value for key, value in shared.items() if value}},
        "namespaces": {name: {"cpu": place.namespace["cpu"]}},
    }
    rest = (a for a in namespace.RESOURCE.attributes if a.writable and a.name not in ("workspace_id", "name", "cpu"))
    kept = {a.name: place.namespace[a.name] for a in rest if place.namespace.get(a.name) not in (None, a.default)}
    imports = {
        "instance": place.workspace["instance_id"],
        "workspace": place.workspace["resource_id"],
        "namespace": f"{place.workspace['instance_id']}/{name}",
        "values": kept,
        "jobs": {one.name: one.id for one in jobs},
    }
    return {
        f"environments/{environment}.yaml": write.text(said).encode(),
        "imports.json": f"{json.dumps(imports, indent=2)}\n".encode(),
        "main.py": _MAIN.format(namespace=name, environment=environment).encode(),
        "cdktf.json": f"{json.dumps(_CDKTF, indent=2)}\n".encode(),
        ".gitignore": b"cdktf.out/\n.flinkform/\n",
    }


def _written(folder: Path, files: Mapping[str, bytes], jobs: Iterable[Found]) -> None:
    """Write *files* aside, read them as they will be read, and put them in place."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".export-"))
    try:
        for path, data in files.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(data)
        _read_back(aside / "jobs", jobs)
        aside.chmod(0o755)
        aside.replace(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _read_back(folder: Path, jobs: Iterable[Found]) -> None:
    """Note where a job's files say something else than the job is; Terraform is going to change that."""
    read = {one.name: one.values for one in jobfile.load(folder)}
    attributes = {name: job.RESOURCE.attribute(name) for name in ("flink_options", "execution_mode")}
    for one in jobs:
        if one.name in read:
            for name, attribute in attributes.items():
                was, will_be = (side.get(name) or attribute.default for side in (one.values, read[one.name]))
                if was != will_be:
                    one.notes.append(f"its script SETs what it was not deployed with ({name}), and it is restarted")


def _told(
    folder: Path, files: Mapping[str, bytes], jobs: Iterable[Found], refused: Iterable[Invalid]
) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "files": sorted(files),
        "jobs": [{"name": one.name, "id": one.id, "notes": one.notes} for one in jobs],
        "left_out": [error.message for error in refused],
    }


def _text(told: Mapping[str, Any]) -> str:
    lines = [f"{told['folder']}: {len(told['files'])} files, {len(told['jobs']) - len(told['left_out'])} jobs"]
    lines += [f"left out: {reason}" for reason in told["left_out"]]
    lines += [f"{one['name']}: {note}" for one in told["jobs"] for note in one["notes"]]
    return "\n".join(lines)
