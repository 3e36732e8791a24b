"""Where Flink logs: one file for the cluster, one for each job, all of bounded size."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from flinkform.flink.gateway import Gateway

USUAL = "INFO"
"""From which level on everything logs where nobody says otherwise."""
_PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1.} - %m%n%throwable"

_CONFIGURATION = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="error">
  <Appenders>
    <RollingFile name="Main" fileName={main} filePattern={main_old}>
      <PatternLayout pattern={pattern}/>
      <SizeBasedTriggeringPolicy size="10MB"/><DefaultRolloverStrategy max="2"/>
    </RollingFile>
    <Routing name="Jobs">
      <Routes pattern="$${{ctx:flink-job-id}}">
        <Route key="$${{ctx:flink-job-id}}" ref="Main"/>
        <Route>
          <RollingFile name="job-${{ctx:flink-job-id}}" fileName={job} filePattern={job_old}>
            <PatternLayout pattern={pattern}/>
            <SizeBasedTriggeringPolicy size="5MB"/><DefaultRolloverStrategy max="2"/>
          </RollingFile>
        </Route>
      </Routes>
      <IdlePurgePolicy timeToLive="5" timeUnit="minutes"/>
    </Routing>
  </Appenders>
  <Loggers>
    <Root level={usual}><AppenderRef ref="Jobs"/></Root>
  </Loggers>
</Configuration>
"""


def write(home: Path, jobs: Path) -> None:
    """Write `conf/log4j2.xml`, which the JVM reads as it starts; *jobs* is the folder of the jobs' own logs."""
    logs = home / "logs"
    job = str(jobs / "${ctx:flink-job-id}.log")
    values = {
        "main": str(logs / "flink.log"),
        "main_old": str(logs / "flink.log.%i"),
        "pattern": _PATTERN,
        "usual": USUAL,
    }
    values |= {"job": job, "job_old": job + ".%i"}
    text = _CONFIGURATION.format(**{name: quoteattr(value) for name, value in values.items()})
    (home / "conf" / "log4j2.xml").write_text(text)


def obey(gateway: Gateway, wanted: Mapping[str, str], before: Collection[str]) -> None:
    """Set levels by logger in a JVM that runs; loggers of *before* that are not among them log as usual again."""
    with gateway.answering():
        log4j = gateway.jvm.org.apache.logging.log4j
        # Asked for once: `Configurator` looks for the context of whoever calls, and that is py4j's.
        context = log4j.core.LoggerContext.getContext(False)
        configuration = context.getConfiguration()
        for name in set(before) - wanted.keys():
            if name:
                configuration.removeLogger(name)
        for name, level in {**({"": USUAL} if "" in before else {}), **wanted}.items():
            logger = configuration.getLoggerConfig(name)
            if logger.getName() == name:
                logger.setLevel(log4j.Level.toLevel(level))
            else:
                made = log4j.core.config.LoggerConfig(name, log4j.Level.toLevel(level), True)
                configuration.addLogger(name, made)
        context.updateLoggers()


def path(jobs: Path, job_id: str) -> Path | None:
    """The file a job logs to, in the folder of all of them; None until it has logged."""
    found = jobs / f"{job_id}.log"
    return found if job_id.isalnum() and found.is_file() else None


def tail(file: Path, size: int) -> str:
    """The last *size* bytes, without the line that they cut."""
    with file.open("rb") as source:
        end = source.seek(0, 2)
        source.seek(max(0, end - size))
        read = source.read(size)
    if end > size:
        read = read.partition(b"\n")[2]
    return read.decode(errors="replace")
