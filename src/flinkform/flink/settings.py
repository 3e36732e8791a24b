"""What the embedded Flink is told before it starts; values only, the caller read them somewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How one JVM is run.

    *home* is a private folder: logs, temporary files and the JVM's own files go below it. *java* is the
    program. *heap* bounds the Java heap (`-Xmx`), *network* and *managed* the memory beside it; 200 small
    jobs fit the defaults. *slots* is how many tasks run at once. *jars* are connectors to offer to every job.
    """

    home: Path
    java: Path
    slots: int = 300
    heap: str = "1g"
    network: str = "256m"
    managed: str = "256m"
    checkpoint_interval: float = 10.0
    """Seconds between checkpoints, where a job does not say."""
    jars: tuple[Path, ...] = ()
    start_timeout: float = 120.0
    call_timeout: float = 60.0
    """Seconds one question to the JVM or to the REST may take."""
