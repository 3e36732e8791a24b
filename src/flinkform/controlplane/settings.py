"""Every setting of the control plane, its default and why; the only place here that reads the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flinkform.controlplane import targets
from flinkform.controlplane.retention import AGE, NEWEST, Ages, Policy, duration
from flinkform.controlplane.variables import S3
from flinkform.errors import Invalid
from flinkform.flink.session import Remote

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one control plane is told before it starts."""

    home: Path
    """Everything it writes is below this folder."""

    host: str = "127.0.0.1"
    """Loopback: the API is signed, but plain HTTP; who wants it elsewhere puts TLS in front."""

    port: int = 0
    """0 lets the system pick a free one."""

    database: str = field(default="", repr=False)
    """The URL of a database that others may use too; SQLite below the home if empty, which serves one well."""

    lease: float = 10.0
    """Seconds after which another control plane on the same database takes over from one that has died."""

    java: Path | None = None
    """The Java that runs Flink; without one, definitions are served and no job runs."""

    slots: int = 300
    """Tasks at once: a JVM of the default heap holds 300 small jobs, and starts to crawl beyond."""

    heap: str = "1g"
    """Java heap of the embedded Flink: 200 small jobs need half of it."""

    network: str = "128m"
    """Memory for data on its way between tasks, beside the heap: 300 slots need no more."""

    failures: int = 20
    """How often a job may fail within *failure_minutes* before it is quarantined."""

    failure_minutes: int = 10

    own_heap: str = "512m"
    """Java heap of a JVM that one job has to itself, where the job does not say."""

    own_slots: int = 32
    """Tasks at once in such a JVM."""

    region: str = "cn-hangzhou"
    """The region this control plane says it is; requests may name any."""

    engine: str = "vvr-flinkform-flink-2.3"
    """The engine version of a deployment that names none."""

    lock_wait: float = 60.0
    """Seconds to wait for a predecessor and its JVM to end; a stop with a checkpoint takes a few."""

    body_limit: int = 4 * MIB
    """Bytes of an API request: the longest script known is below one."""

    state_limit: int = 256 * MIB
    """Bytes of a Terraform state: 10,000 jobs take about 40 MiB."""

    log_bytes: int = 16 * MIB
    """Size at which the log file is turned over; three old ones are kept."""

    log_level: str = "info"
    """debug shows every request, reads too."""

    stop_grace: float = 10.0
    """Seconds that requests under way get to end after a stop signal."""

    retention: Policy = field(default_factory=Policy)
    """Which savepoints of flinkform's own making are kept: five are enough to go back a few edits."""

    ages: Ages = field(default_factory=Ages)
    """For how long the audit log and uploaded files are kept."""

    filesystem: Mapping[str, str] = field(default_factory=dict, repr=False)
    """How Flink reaches S3, as AWS' own variables say; it gets no other part of our environment."""

    secrets_key: Path | None = None
    """Where the key for secrets is, if not in the home: 32 bytes, made at its first use."""

    targets: Mapping[str, Remote] = field(default_factory=dict)
    """Session clusters to run jobs in, by deployment target; the usual one is the Flink beside us."""

    archive: Path | None = None
    """Where the archive of Flink's classes is kept, if not in the home: others may start from it too."""

    storage: str = ""
    """The URI below which the Flink beside us keeps states; a folder of the home if empty."""

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'controlplane.db'}"

    @property
    def folder(self) -> Path:
        """Where the Flink beside us keeps states if nothing else is said."""
        return self.home / "storage"

    @property
    def stores(self) -> Mapping[str, str]:
        """The URI below which states are kept, by deployment target; the usual one, if it is said, has no name."""
        usual = {"": self.storage} if self.storage else {}
        return usual | {name: one.storage for name, one in self.targets.items()}

    @property
    def engines(self) -> Path:
        """Releases of Flink beside the usual one."""
        return self.home / "engines"

    @property
    def credentials(self) -> Path:
        """The root access key, for programs of the same user on the same machine."""
        return self.home / "credentials.json"

    @property
    def secrets(self) -> Path:
        """The key that encrypts what users hand over; control planes that share a database share it."""
        return self.secrets_key or self.home / "secrets.key"

    @property
    def log_file(self) -> Path:
        return self.home / "logs" / "controlplane.jsonl"


def from_environment(
    environment: Mapping[str, str], *, home: Path, host: str, port: int, java: Path | None, serving: bool = True
) -> Settings:
    """Return the settings for arguments of the command line and the FLINKFORM_ variables of *environment*.

    Who is not *serving* needs no session clusters, and none of their secrets. Invalid: a number that is none, or a
    target that cannot be one.
    """
    base = Settings(home=home.expanduser().resolve(), host=host, port=port, java=java)
    return Settings(
        home=base.home,
        host=host,
        port=port,
        java=java,
        database=environment.get("FLINKFORM_DATABASE_URL", base.database),
        slots=_whole(environment, "FLINKFORM_SLOTS", default=base.slots),
        heap=_size(environment, "FLINKFORM_HEAP", default=base.heap),
        network=_size(environment, "FLINKFORM_NETWORK", default=base.network),
        failures=_whole(environment, "FLINKFORM_FAILURES", default=base.failures),
        failure_minutes=_whole(environment, "FLINKFORM_FAILURE_MINUTES", default=base.failure_minutes),
        own_heap=_size(environment, "FLINKFORM_OWN_HEAP", default=base.own_heap),
        own_slots=_whole(environment, "FLINKFORM_OWN_SLOTS", default=base.own_slots),
        region=environment.get("FLINKFORM_REGION", base.region),
        lease=_whole(environment, "FLINKFORM_LEASE", default=int(base.lease)),
        lock_wait=_whole(environment, "FLINKFORM_LOCK_WAIT", default=int(base.lock_wait)),
        filesystem=_s3(environment),
        retention=_retention(environment, default=base.retention),
        ages=_ages(environment, default=base.ages),
        secrets_key=Path(named).absolute() if (named := environment.get("FLINKFORM_SECRETS_KEY")) else None,
        targets=_targets(environment, base.home) if serving else {},
        storage=_storage(environment),
        archive=Path(shared).absolute() if (shared := environment.get("FLINKFORM_ARCHIVE")) else None,
        log_level=_level(environment.get("FLINKFORM_LOG_LEVEL", base.log_level)),
    )


def _whole(environment: Mapping[str, str], name: str, *, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal() or not int(text):
        raise Invalid(f"{name}: expected a whole number above 0, got {text!r}")
    return int(text)


def _s3(environment: Mapping[str, str]) -> dict[str, str]:
    found = {option: environment[name] for name, option in S3.items() if environment.get(name)}
    # A store of one's own is seldom known by a host name for each bucket, which Amazon's is.
    return found | ({"s3.path.style.access": "true"} if "s3.endpoint" in found else {})


def _storage(environment: Mapping[str, str]) -> str:
    given = environment.get("FLINKFORM_STORAGE", "")
    return targets.storage(given, "FLINKFORM_STORAGE") if given else ""


def _targets(environment: Mapping[str, str], home: Path) -> dict[str, Remote]:
    named = environment.get("FLINKFORM_TARGETS", "")
    if named and not Path(named).is_file():
        raise Invalid(f"FLINKFORM_TARGETS: expected a file, got {named}")
    return targets.read(Path(named or home / targets.FILE), environment)


def _retention(environment: Mapping[str, str], *, default: Policy) -> Policy:
    names = {NEWEST: "FLINKFORM_SAVEPOINTS_NEWEST", AGE: "FLINKFORM_SAVEPOINTS_AGE"}
    try:
        return default.of({label: environment[name] for label, name in names.items() if environment.get(name)})
    except Invalid as error:
        raise Invalid(f"{names[str(error.at[-1])]}: {error.message}") from error


def _ages(environment: Mapping[str, str], *, default: Ages) -> Ages:
    found = {
        field: _age(environment, name)
        for field, name in (("audit", "FLINKFORM_AUDIT_AGE"), ("artifacts", "FLINKFORM_ARTIFACTS_AGE"))
        if environment.get(name)
    }
    return replace(default, **found)


def _age(environment: Mapping[str, str], name: str) -> int:
    try:
        return duration(environment[name])
    except Invalid as error:
        raise Invalid(f"{name}: {error.message}") from error


def _size(environment: Mapping[str, str], name: str, *, default: str) -> str:
    text = environment.get(name, default).lower()
    if not re.fullmatch(r"[1-9]\d{0,8}[mg]", text):
        raise Invalid(f"{name}: expected a size such as 512m or 2g, got {text!r}")
    return text


def _level(text: str) -> str:
    levels = ("debug", "info", "warning", "error")
    if text.lower() not in levels:
        raise Invalid(f"FLINKFORM_LOG_LEVEL: expected one of {', '.join(levels)}, got {text!r}")
    return text.lower()
