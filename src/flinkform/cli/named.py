"""The job or the workspace that a person names, and the client of the API that speaks about it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Event
from typing import Any

from flinkform.cli import project, status
from flinkform.cli.project import Project
from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import VARIABLE
from flinkform.client.endpoints import find as endpoints
from flinkform.errors import NotFound
from flinkform.provider.connect import DEFAULT_REGION, connect
from flinkform.resources import workspace
from flinkform.schema import document as documents


def find(here: Project, wanted: str) -> dict[str, Any]:
    """Return the one job that is called that, as `status` knows it. NotFound: none, or several, and which there are.

    Where environments share a control plane, that of this one.
    """
    jobs = status.read(here)["jobs"]
    found = [j for j in jobs if wanted in {j["name"], f"{j['namespace']}/{j['name']}", j["deployment_id"]}]
    if len(found) > 1 and (ours := status.ours(here)):
        found = [j for j in found if j["deployment_id"] in ours] or found
    if len(found) != 1:
        raise unclear(wanted, (f"{j['namespace']}/{j['name']}" for j in (found or jobs)), several=bool(found))
    return dict(found[0])


def unclear(wanted: str, names: Iterable[str], *, several: bool) -> NotFound:
    """Return the error for a name that no job has, or *several*; *names* are those that may have been meant."""
    what = "more than one job is" if several else "no job is"
    return NotFound(f"{what} called {wanted}", advice=f"expected one of {', '.join(sorted(names)) or 'none'}")


def client(here: Project) -> Client:
    """Return the client of the control plane that `up` uses."""
    endpoint, key, secret = here.login()
    token = here.shell.get("ALIBABA_CLOUD_SECURITY_TOKEN", "")
    credentials = Credentials(key_id=key, secret=secret, token=token, source=here.signer)
    return Client(credentials, endpoints({VARIABLE: endpoint}), region=DEFAULT_REGION)


def plane(region: str) -> tuple[Client, str]:
    """Return the client of Alibaba Cloud's *region* or of what the shell names, else of `up`; and the region."""
    if region or os.environ.get(VARIABLE):
        found = connect({"region": region or None}, Event(), environment=os.environ).client
        return found, region or DEFAULT_REGION  # type: ignore[return-value]
    return client(project.find()), DEFAULT_REGION


def space(client: Client, wanted: str) -> dict[str, Any]:
    """Return the workspace of that name or id, as our type has it; without a word the only one. NotFound: which."""
    rows = client.pages("DescribeInstances", items="Instances")
    spaces = [documents.decode(workspace.RESOURCE.attributes, one) for one in rows]
    chosen = [one for one in spaces if not wanted or wanted in (one["name"], one["instance_id"], one["resource_id"])]
    if len(chosen) != 1:
        what = "more than one" if chosen else "no"
        names = ", ".join(sorted(f"{one['name']} ({one['instance_id']})" for one in chosen or spaces)) or "none"
        raise NotFound(f"{what} workspace {wanted}".rstrip(), advice=f"--workspace: expected one of {names}")
    return chosen[0]


def scope(job: dict[str, Any]) -> dict[str, str]:
    """Return where the API finds what belongs to a job."""
    return {"workspace": job["workspace"], "namespace": job["namespace"]}


def when(milliseconds: int | None) -> str:
    """Return a time as text, to the second; '' for none."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds") if milliseconds else ""
