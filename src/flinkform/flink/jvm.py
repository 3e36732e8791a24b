"""One Java process: started, spoken to, supervised and surely stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from flinkform.errors import Killed, Missing, Unavailable
from flinkform.flink import connectors, engines, log
from flinkform.flink.catalogue import Place
from flinkform.flink.connectors import Installed
from flinkform.flink.gateway import Gateway
from flinkform.flink.output import Output
from flinkform.flink.settings import Settings

_SERVER = "org.apache.flink.api.python.shaded.py4j.GatewayServer"
# Flink reflects into the JDK; the list is that of its own start scripts, less what a JDK without a compiler lacks.
OPENS = (
    *("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time"),
    *("java.util", "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks"),
)
LIGHT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k")
# Port and token are the first lines that it prints: what Java itself has to say goes elsewhere.
_QUIET = ("-Xlog:disable", "-Xlog:all=warning:stderr")
# A JVM without memory must end at once: what it does then is anybody's guess. The report names the thread it failed in.
_DEATH = ("-XX:+ExitOnOutOfMemoryError", "-XX:+CrashOnOutOfMemoryError", "-XX:-CreateCoredumpOnCrash")


def archived(settings: Settings, flink: Path) -> Path | None:
    """Where the archive of Flink's classes is, or would be: Java ignores one of other jars, so their names tell them.

    Connectors come after Flink's jars, and an archive of the first part of a class path is good for the whole.
    """
    if settings.archive is None:
        return None
    java = settings.java.resolve()
    files = (f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in (java, *_jars(flink)))
    return settings.archive / f"{hashlib.sha256(chr(10).join(files).encode()).hexdigest()[:32]}.jsa"


def _jars(flink: Path) -> list[Path]:
    return [*sorted((flink / "lib").glob("*.jar")), *(flink / "opt").glob("flink-python-*.jar")]


class Jvm:
    """A Java process that ends when this one does: it reads a pipe that only we hold.

    *locks* are file descriptors it inherits, so that whoever waits for such a lock waits for it too. *flags* are
    further ones for Java; an *idle* one gets the time that nobody else wants.
    """

    def __init__(
        self, settings: Settings, *, locks: Sequence[int] = (), flags: Sequence[str] = (), idle: bool = False
    ) -> None:
        self._settings = settings
        self._locks = tuple(locks)
        self._flags = tuple(flags)
        self._idle = idle
        self._process: subprocess.Popen[bytes] | None = None
        self._gateway: Gateway | None = None
        self._outputs: tuple[Output, ...] = ()
        self._connectors: tuple[Installed, ...] = ()

    @property
    def home(self) -> Path:
        return self._settings.home

    @property
    def report(self) -> Path:
        """What Java writes when it crashes; there is none while it runs."""
        return self.home / "logs" / "hs_err.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._gateway is not None and self._process is not None and self._process.poll() is None

    @property
    def printed(self) -> str:
        """The end of what it printed, in one line; what it says first is not among it."""
        return self._outputs[0].tail() if self._outputs else ""

    def ended(self, seconds: float) -> int | None:
        """Its exit code, waiting for it up to *seconds*; None if it still runs then."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds) if self._process else None
        return None

    @property
    def gateway(self) -> Gateway:
        if self._gateway is None or not self.alive:
            raise Unavailable("the Flink JVM does not run")
        return self._gateway

    def start(self) -> None:
        """Return when the JVM answers; Missing, or Unavailable with the end of what it printed."""
        flink = engines.find(self._settings.engines, self._settings.engine)
        self.stop()
        root = self._settings.connectors
        place = connectors.folder(root, engines.version(flink)) if root else None
        self._connectors = connectors.installed(place) if place else ()
        try:
            self._prepare()
        except OSError as error:
            raise Unavailable(f"cannot write to {self.home}: {error.strerror}") from error
        process = self._spawn(flink)
        self._process = process
        out, err = Output(process.stdout, self.home / "jvm.out", lines=2), Output(process.stderr, self.home / "jvm.err")
        self._outputs = (out, err)
        port, token = (out.line(timeout=self._settings.start_timeout) for _ in range(2))
        if not port.isdigit():
            self.fail()
            said = err.tail() or port or "it printed nothing"
            raise Unavailable(f"Java did not start: {said}", advice="expected Java 17 or newer")
        self._gateway = Gateway(int(port), token, timeout=self._settings.call_timeout)
        if place:
            self._gateway.late = partial(connectors.late, place, self._connectors)
        self._pid_file.write_text(f"{process.pid}\n")

    def fail(self) -> None:
        """Stop a start that failed. Killed: somebody else had ended it."""
        with suppress(subprocess.TimeoutExpired):
            if self._process and self._process.wait(1) == -signal.SIGKILL:
                self.stop(patience=0)
                raise Killed("the Flink JVM was killed while it started")
        self.stop(patience=0)

    def kill(self) -> None:
        """End it at once, from another thread than the one that waits for it."""
        if process := self._process:
            process.kill()

    def stop(self, *, patience: float = 5.0) -> None:
        """Close the pipe it lives on; what has not ended after *patience* seconds is killed."""
        process, gateway, self._process, self._gateway = self._process, self._gateway, None, None
        if process is None:
            return
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for output in self._outputs:
            output.join()
        if gateway:
            gateway.close()
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.home / "tmp", ignore_errors=True)

    @property
    def _pid_file(self) -> Path:
        return self.home / "jvm.pid"

    def _prepare(self) -> None:
        # A JVM that was killed leaves 70 MB in its temporary folder each time.
        shutil.rmtree(self.home / "tmp", ignore_errors=True)
        below = (self.home / name for name in ("tmp", "conf", "plugins", "logs"))
        for folder in (self.home, *below, self._settings.job_logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.report.unlink(missing_ok=True)
        # Flink's static initialiser wants the file; everything else is handed over as values.
        (self.home / "conf" / "config.yaml").write_text("parallelism.default: 1\n")
        log.write(self.home, self._settings.job_logs)
        for plugin in self._connectors:
            if plugin.place is Place.PLUGIN:
                connectors.link(plugin, self.home / "plugins")

    def _spawn(self, flink: Path) -> subprocess.Popen[bytes]:
        # Not our own environment: it holds keys that are none of a job's business.
        environment = {
            "LC_ALL": "C.UTF-8",
            "FLINK_CONF_DIR": str(self.home / "conf"),
            "FLINK_PLUGINS_DIR": str(self.home / "plugins"),
            "FLINK_OPT_DIR": str(flink / "opt"),
            "MALLOC_ARENA_MAX": "2",
        }
        try:
            return subprocess.Popen(
                self._command(flink),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.home,
                env=environment,
                pass_fds=self._locks,
                start_new_session=True,  # Ctrl-C in a terminal is for us to handle
            )
        except OSError as error:
            raise Missing(f"cannot run {self._settings.java}: {error.strerror}", advice="install Java 17") from error

    def _command(self, flink: Path) -> list[str]:
        jars = [*_jars(flink), *connectors.classpath(self._connectors)]
        archive = archived(self._settings, flink)
        return [
            *(("nice", "-n", "19") if self._idle and shutil.which("nice") else ()),
            str(self._settings.java),
            *_QUIET,
            *((f"-XX:SharedArchiveFile={archive}",) if archive and archive.exists() else ()),
            *self._flags,
            f"-Xmx{self._settings.heap}",
            *LIGHT,
            *_DEATH,
            f"-XX:ErrorFile={self.report}",
            *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENS),
            "-Dfile.encoding=UTF-8",
            f"-Djava.io.tmpdir={self.home / 'tmp'}",
            f"-Dlog4j.configurationFile={(self.home / 'conf' / 'log4j2.xml').as_uri()}",
            *("-cp", os.pathsep.join(str(jar) for jar in jars)),
            *(_SERVER, "--die-on-broken-pipe", "--enable-auth", "0"),
        ]
