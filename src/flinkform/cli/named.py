"""The job that a person names, and the client of the API that speaks about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flinkform.cli import status
from flinkform.cli.project import Project
from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import VARIABLE
from flinkform.client.endpoints import find as endpoints
from flinkform.errors import NotFound

HELP = "NAME, NAMESPACE/NAME or a deployment id"
_REGION = "cn-hangzhou"
"""The embedded control plane answers for any."""


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
    return Client(credentials, endpoints({VARIABLE: endpoint}), region=_REGION)


def scope(job: dict[str, Any]) -> dict[str, str]:
    """Return where the API finds what belongs to a job."""
    return {"workspace": job["workspace"], "namespace": job["namespace"]}


def when(milliseconds: int | None) -> str:
    """Return a time as text, to the second; '' for none."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds") if milliseconds else ""
