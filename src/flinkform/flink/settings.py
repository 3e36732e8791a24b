"""What the embedded Flink is told before it starts; values only, the caller read them somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How one JVM is run.

    *home* is a private folder: logs, temporary files and the JVM's own files go below it. *java* is the
    program. *slots* is how many tasks run at once; 200 small jobs fit the defaults. *heap* bounds the Java heap
    (`-Xmx`); *network* is taken at the start, beside it. *managed*, in MiB for each slot, is taken only by batch
    operators and RocksDB. *connectors* is a folder that connectors are installed into, for every engine and job.
    """

    home: Path
    java: Path
    slots: int = 300
    heap: str = "1g"
    network: str = "128m"
    managed: int = 32
    checkpoint_interval: float = 10.0
    """Seconds between checkpoints, where a job does not say."""
    connectors: Path | None = None
    engines: Path | None = None
    """A folder of releases of Flink beside the usual one."""
    engine: str = ""
    """The line of Flink to run, such as 1.20; the usual one if empty."""
    start_timeout: float = 120.0
    call_timeout: float = 60.0
    """Seconds one question to the JVM or to the REST may take."""
    logs: Path | None = None
    """Where jobs log to, each to a file of its own; JVMs may share it. Below *home* if unset."""

    archive: Path | None = None
    """Where an archive of Flink's classes is looked for, from which Java starts sooner."""

    filesystem: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Options of Flink's file systems, such as `s3.endpoint`; keys are among them, so they are shown nowhere."""

    options: Mapping[str, str] = field(default_factory=dict)
    """Options of Flink that a user wants for this cluster and all its jobs; those that it cannot run without win."""

    @property
    def job_logs(self) -> Path:
        return self.logs or self.home / "logs"
