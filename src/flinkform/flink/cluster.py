"""A Flink cluster inside the JVM: job manager, task slots and REST on a free loopback port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flinkform.errors import Unavailable
from flinkform.flink.diagnosis import root_line
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.settings import Settings


def job_defaults(settings: Settings) -> dict[str, str]:
    """What a job gets where nobody says otherwise.

    A job that keeps failing gives up after about five minutes instead of never.
    """
    return {
        "execution.checkpointing.interval": f"{round(settings.checkpoint_interval * 1000)} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.backoff-multiplier": "2.0",
        "restart-strategy.exponential-delay.max-backoff": "1 min",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": "10",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "10 min",
        **settings.options,
    }


def options(settings: Settings) -> dict[str, str]:
    """The cluster's own configuration."""
    return {**job_defaults(settings), **settings.filesystem, **_fixed(settings)}


def _fixed(settings: Settings) -> dict[str, str]:
    work = settings.home / "work"
    return {
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "jobmanager.bind-host": "127.0.0.1",  # the server of jars takes files from anybody, and asks for no name
        "taskmanager.bind-host": "127.0.0.1",
        "rest.port": "0",
        "rest.bind-port": "0",
        "web.refresh-interval": "200",  # the default of 3 s shows states of 3 s ago
        "web.submit.enable": "false",
        "rest.server.max-content-length": "1073741824",  # programs come over it, with all their jars
        "jobmanager.scheduler": "adaptive",
        # A job that does not fit is refused by us before it is submitted; one that lost a slot is rescheduled at once.
        "jobmanager.adaptive-scheduler.submission.resource-wait-timeout": "30 s",
        "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "0 s",
        "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "1 s",
        "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "1 s",
        "taskmanager.numberOfTaskSlots": str(settings.slots),
        "taskmanager.memory.network.min": settings.network,
        "taskmanager.memory.network.max": settings.network,
        "taskmanager.memory.managed.size": f"{settings.managed * settings.slots}m",
        "io.tmp.dirs": str(settings.home / "tmp"),
        # A job that names no directory must not keep its state in the temporary folder.
        "execution.checkpointing.dir": (work / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (work / "savepoints").as_uri(),
    }


OURS = frozenset(_fixed(Settings(home=Path("/"), java=Path("/"))))
"""The options that nobody else may set: the cluster would not be found, or would not be as large as it says."""


class Cluster:
    """One MiniCluster; it ends with its JVM."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway = gateway
        self._settings = settings
        self._java: Any = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when every slot is usable; Unavailable with Flink's reason."""
        try:
            with self._gateway.answering():
                self._start()
        except Thrown as error:
            reason = root_line(self._gateway.trace(error))
            raise Unavailable(f"the Flink cluster did not start: {reason}") from error

    def _start(self) -> None:
        flink = self._gateway.flink
        configuration = self._gateway.configuration(options(self._settings))
        plugins = flink.core.plugin.PluginUtils.createPluginManagerFromRootFolder(configuration)
        flink.core.fs.FileSystem.initialize(configuration, plugins)
        builder = flink.runtime.minicluster.MiniClusterConfiguration.Builder().setConfiguration(configuration)
        builder.setNumTaskManagers(1).setNumSlotsPerTaskManager(self._settings.slots)
        self._java = flink.runtime.minicluster.MiniCluster(builder.build())
        self._java.start()
        self.port = int(self._java.getRestAddress().get().getPort())
