"""Turns a program in a jar into one Flink job, in a JVM of its own: what its main() does there hurts nobody else."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flinkform.errors import Conflict, FlinkformError, Invalid, TimedOut, Unavailable
from flinkform.flink.diagnosis import Failure, diagnose, root_line
from flinkform.flink.gateway import Gateway, Thrown
from flinkform.flink.jvm import Jvm
from flinkform.flink.settings import Settings
from flinkform.flink.submit import PARALLELISM, identity
from flinkform.flink.values import Program, Submission

_HEAP = "512m"
_TURNS = threading.BoundedSemaphore(2)
"""Programs that are asked at the same time: each has a JVM of its own."""
_FRAME = re.compile(
    r"^\s+at (?:[\w.$/-]+//?)?(?!java|jdk\.|sun\.|org\.apache\.flink\.)[\w.$<>]+\(([\w$]+\.\w+:\d+)\)", re.MULTILINE
)
_ENDED = "an endless loop, a call that waits, or work that belongs into an operator"


@dataclass(frozen=True, slots=True)
class Packed:
    """A job as a cluster's REST takes it: its *graph* in a file, the *jars* to send along, the *slots* it takes.

    Both are gone when the block ends that asked for it.
    """

    graph: Path
    jars: tuple[Path, ...]
    slots: int


@contextmanager
def packed(settings: Settings, job: Submission, program: Program, defaults: Mapping[str, str]) -> Iterator[Packed]:
    """Run main() up to its first execute(), and give what it would have run.

    Invalid: main() fails, ends the JVM, takes longer than *settings* let a call take, or runs nothing. Conflict: the
    jar is not there. Unavailable: there is no JVM to be had.
    """
    if gone := next((jar for jar in program.jars if not jar.is_file()), None):
        raise Conflict(f"{job.name}: the jar {gone} is not there")
    home = settings.home / "programs" / job.id
    with _TURNS:
        jvm = Jvm(replace(settings, home=home, logs=None, heap=_HEAP))
        try:
            jvm.start()
            yield _asked(jvm, job, program, defaults)
        finally:
            jvm.stop(patience=0)
            shutil.rmtree(home, ignore_errors=True)


def _asked(jvm: Jvm, job: Submission, program: Program, defaults: Mapping[str, str]) -> Packed:
    gateway = jvm.gateway
    try:
        with gateway.answering():
            return _pack(gateway, jvm.home, job, program, defaults)
    except Thrown as error:
        raise _told(job, gateway.trace(error), jvm.printed) from error
    except TimedOut as error:
        raise Invalid(f"{job.name}: main() came to no execute(): {error}", advice=f"look for {_ENDED}") from error
    except Unavailable as error:
        raise _died(jvm, job) or error from error


def _pack(gateway: Gateway, home: Path, job: Submission, program: Program, defaults: Mapping[str, str]) -> Packed:
    mode = {"execution.runtime-mode": "batch" if job.batch else "streaming"}
    options = {**defaults, **mode, PARALLELISM: str(job.parallelism), **job.options, **identity(job)}
    configuration = gateway.configuration(options)
    made = _program(gateway, program, configuration)
    _inside(gateway, made)
    utils = gateway.flink.client.program.PackagedProgramUtils
    graph = utils.getPipelineFromProgram(made, configuration, job.parallelism, False)
    _agreed(job, graph)
    # What main() set is overridden here, where nobody comes after us.
    graph.setJobName(job.name)
    for key, value in identity(job).items():
        graph.getJobConfiguration().setString(key, value)
    jars = tuple(Path(unquote(urlsplit(str(url)).path)) for url in made.getJobJarAndDependencies())
    file = home / f"{job.id}.bin"
    _write(gateway, _sent(gateway, graph, configuration, made), file)
    return Packed(file, (*jars, *program.jars[1:]), _slots(gateway, job, graph))


def _program(gateway: Gateway, program: Program, configuration: Any) -> Any:
    java = gateway.jvm.java
    own, *others = program.jars
    paths = java.util.ArrayList()
    for jar in others:
        paths.add(java.io.File(str(jar)).toURI().toURL())
    builder = gateway.flink.client.program.PackagedProgram.newBuilder()
    builder.setJarFile(java.io.File(str(own))).setUserClassPaths(paths).setConfiguration(configuration)
    builder.setArguments(gateway.array(java.lang.String, *program.args))
    if program.entry:
        builder.setEntryPointClassName(program.entry)
    return builder.build()


def _inside(gateway: Gateway, made: Any) -> None:
    """Let this thread of the JVM find the program's classes, as the client of a cluster does."""
    gateway.jvm.java.lang.Thread.currentThread().setContextClassLoader(made.getUserCodeClassLoader())


def _sent(gateway: Gateway, graph: Any, configuration: Any, made: Any) -> Any:
    utils = gateway.flink.client.deployment.executors.PipelineExecutorUtils
    if str(gateway.flink.runtime.util.EnvironmentInformation.getVersion()).startswith("1."):
        return utils.getJobGraph(graph, configuration, made.getUserCodeClassLoader())
    whole = utils.getStreamGraph(graph, configuration)
    whole.serializeUserDefinedInstances()
    return whole


def _write(gateway: Gateway, graph: Any, file: Path) -> None:
    java = gateway.jvm.java.io
    stream = java.ObjectOutputStream(java.FileOutputStream(str(file)))
    stream.writeObject(graph)
    stream.close()


def _agreed(job: Submission, graph: Any) -> None:
    """Invalid: main() makes it batch where the job is streaming, or the other way."""
    kind = str(graph.getJobType())
    if (kind == "BATCH") != job.batch:
        wanted = "BATCH" if job.batch else "STREAMING"
        advice = "leave the runtime mode to the job's execution mode, or set that to the same"
        raise Invalid(f"{job.name}: expected a {wanted} program, main() makes it {kind}", advice=advice)


def _slots(gateway: Gateway, job: Submission, graph: Any) -> int:
    """How many slots it takes: the widest operator of each sharing group; a batch job makes do with one."""
    if job.batch:
        return 1
    widest: dict[str, int] = {}
    for node in gateway.jvm.java.util.ArrayList(graph.getStreamNodes()):
        group, wanted = str(node.getSlotSharingGroup() or ""), int(node.getParallelism())
        widest[group] = max(widest.get(group, 1), wanted if wanted > 0 else job.parallelism)
    return sum(widest.values())


def _told(job: Submission, trace: str, printed: str) -> FlinkformError:
    """What is wrong with a program, from what it threw."""
    said, root = printed and f"; it printed: {printed[-300:]}", root_line(trace)
    if "was not found in the jar file" in trace or "Neither a" in trace:
        return Invalid(f"{job.name}: {root}", advice="set the entry class, a class with a main() in that jar")
    if "aborted pre-maturely" in trace or "did not contain a Flink job" in trace or "execute() was never" in trace:
        return Invalid(f"{job.name}: main() ended and ran no job{said}", advice="call execute() in it")
    if "The main method caused an error" not in trace:
        return Invalid(f"{job.name}: {root}")
    told = diagnose(Failure(trace, None))
    where = _FRAME.search(trace[trace.rfind("Caused by: ") :])
    place = f" at {where[1]}" if where else ""
    return Invalid(f"{job.name}: main() failed{place}: {told.reason}{said}", advice=told.advice)


def _died(jvm: Jvm, job: Submission) -> FlinkformError | None:
    """Why the JVM ended under main(); None if somebody ended it from outside, or it lives."""
    code = jvm.ended(2)
    if code is None or code in (-9, -15):
        return None
    if code < 0 or jvm.report.exists():
        return Invalid(f"{job.name}: main() did not survive the heap of {_HEAP} it has", advice=f"look for {_ENDED}")
    said = f"; it printed: {jvm.printed[-300:]}" if jvm.printed else ""
    return Invalid(f"{job.name}: main() ended Java with System.exit({code}) before it ran a job{said}")
