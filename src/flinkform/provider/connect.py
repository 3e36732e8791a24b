"""From a provider block to a session. Only calls that reach the API import this, and with it the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import Event

from flinkform.client import api, credentials, endpoints
from flinkform.errors import Interrupted, Invalid
from flinkform.provider import settings
from flinkform.provider.lists import Lists
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.provenance import Provenance
from flinkform.provider.session import Session
from flinkform.provider.values import Values

REGION_VARIABLES = ("ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION")
DEFAULT_REGION = "cn-hangzhou"
"""What a control plane of one's own says it is, where nobody named a region."""


def connect(block: Values, stop: Event, *, environment: Mapping[str, str] | None = None) -> Session:
    """Return the session of a provider block: the block comes before the environment, that before config files.

    Raises `Invalid` for what is not known yet, `Denied` where no key is found.
    """
    environment = settings.environment() if environment is None else environment
    known = _known(block)
    region = known.get("region") or next((environment[n] for n in REGION_VARIABLES if environment.get(n)), "")
    hosts = _known(known.get("endpoints") or {}, "endpoints")
    client = api.Client(
        credentials.find(
            environment,
            access_key_id=known.get("access_key_id") or "",
            access_key_secret=known.get("access_key_secret") or "",
            security_token=known.get("security_token") or "",
            profile=known.get("profile") or "",
        ),
        endpoints.find(
            environment, region=region, console=hosts.get("console") or "", ververica=hosts.get("ververica") or ""
        ),
        region=region or DEFAULT_REGION,
        sleep=_sleep(stop),
    )
    origin = Provenance(commit=known.get("commit") or "", release=known.get("release") or "")
    warnings = tuple(_overruled(environment, hosts))
    return Session(client=client, lists=Lists(client), stop=stop, provenance=origin, warnings=warnings)


def _overruled(environment: Mapping[str, str], hosts: Values) -> Iterator[str]:
    """Tell of an environment that the block overrules: a configuration that was made for another control plane."""
    named = environment.get(endpoints.VARIABLE, "").rstrip("/")
    used = {str(host).rstrip("/") for host in hosts.values() if host}
    if named and used and named not in used:
        wrong = (
            f"{endpoints.VARIABLE} is {named}, and the provider block says {' and '.join(sorted(used))}, which is used"
        )
        yield f"{wrong}\nsynthesise the stacks again if the other one is meant"


def _known(values: Values, *at: str) -> Values:
    for name, value in values.items():
        if value is UNKNOWN:
            raise Invalid(
                "expected a value that is known when planning, got one known only after apply",
                at=(*at, name),
                advice="give it as a variable, or apply what it comes from first with -target",
            )
    return values


def _sleep(stop: Event) -> Callable[[float], None]:
    """Return a sleep for the client's retries that ends at once when the provider is told to stop."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Interrupted("stopped while trying a call again")

    return sleep
