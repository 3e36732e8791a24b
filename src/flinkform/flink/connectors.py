"""The connectors that are installed in a folder: put there, listed, and handed to Flink."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from flinkform.errors import Conflict, Invalid
from flinkform.flink import maven
from flinkform.flink.catalogue import BY_NAME, Connector, Place
from flinkform.flink.sql import literals


@dataclass(frozen=True, slots=True)
class Installed:
    """A folder of jars: one of the catalogue's, or one that somebody put there by hand."""

    name: str
    jars: tuple[Path, ...]

    @property
    def place(self) -> Place:
        return BY_NAME[self.name].place if self.name in BY_NAME else Place.ADDED

    def named(self, words: set[str]) -> bool:
        """Whether a script that has *words* as literals may need it."""
        return self.name not in BY_NAME or not words.isdisjoint(BY_NAME[self.name].words)


def folder(root: Path, engine: str) -> Path:
    """Where the connectors of an engine are, *engine* being a version of Flink or its line: `2.3.0`, `2.3`."""
    return root / line(engine)


def line(version: str) -> str:
    """The line of a version of Flink: `2.3` of `2.3.0`."""
    return ".".join(version.split(".")[:2])


def installed(place: Path) -> tuple[Installed, ...]:
    """What is in the folder of an engine, by name; nothing half-made is seen."""
    if not place.is_dir():
        return ()
    found = (path for path in sorted(place.iterdir()) if path.is_dir() and not path.name.startswith("."))
    return tuple(Installed(path.name, jars) for path in found if (jars := tuple(sorted(path.glob("*.jar")))))


def install(root: Path, name: str, *, engine: str, say: Callable[[str], None]) -> Installed:
    """Fetch a connector for an engine; harmless where it is there. Invalid: there is none of that name for it."""
    connector, place = chosen(name, engine), folder(root, engine)
    target = place / connector.name
    if present(place, connector, engine):
        return Installed(name, tuple(sorted(target.glob("*.jar"))))
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".new-") as new:
        for artifact in connector.engines[line(engine)]:
            maven.fetch(artifact, Path(new), near=place.glob(f"*/{artifact.file}"), say=say)
        shutil.rmtree(target, ignore_errors=True)
        Path(new).rename(target)
        Path(new).mkdir()  # for the context to remove
    return Installed(name, tuple(sorted(target.glob("*.jar"))))


def remove(root: Path, name: str, *, engine: str) -> None:
    """Take a connector away; a JVM that runs keeps what it has. Conflict: it is not installed."""
    target = folder(root, engine) / name
    if name.startswith(".") or target.parent != folder(root, engine) or not target.is_dir():
        raise Conflict(f"{name} is not installed for Flink {line(engine)}")
    shutil.rmtree(target)


def chosen(name: str, engine: str) -> Connector:
    """The connector of that name, if it is there for an engine; Invalid says which are."""
    connector = BY_NAME.get(name)
    if connector is None or line(engine) not in connector.engines:
        there = ", ".join(one.name for one in BY_NAME.values() if line(engine) in one.engines) or "none"
        lines = f"; {name} is for Flink {', '.join(connector.engines)}" if connector else ""
        raise Invalid(f"expected a connector for Flink {line(engine)} ({there}), got {name!r}{lines}")
    return connector


def present(place: Path, connector: Connector, engine: str) -> bool:
    """Whether every jar of a connector is there, of the version that is wanted today."""
    wanted = connector.engines.get(line(engine), ())
    return bool(wanted) and all((place / connector.name / artifact.file).is_file() for artifact in wanted)


def digest(found: Iterable[Installed]) -> str:
    """A hash that is another one when anything was installed, removed or replaced."""
    marks = [(jar.name, (stat := jar.stat()).st_size, stat.st_mtime_ns) for one in found for jar in one.jars]
    return hashlib.sha256(repr(marks).encode()).hexdigest()


def classpath(found: Iterable[Installed]) -> list[Path]:
    """The jars that a JVM starts with, after Flink's own; what two connectors share is there once."""
    return list({jar.name: jar for one in found if one.place is not Place.PLUGIN for jar in one.jars}.values())


def link(plugin: Installed, plugins: Path) -> None:
    """Put a plugin where Flink looks for them, in a folder of its own."""
    shutil.rmtree(plugins / plugin.name, ignore_errors=True)
    (plugins / plugin.name).mkdir(mode=0o700)
    for jar in plugin.jars:
        (plugins / plugin.name / jar.name).symlink_to(jar)


def needed(place: Path, script: str) -> list[Path]:
    """The jars that a script may need on a Flink that has none of them."""
    words = literals(script)
    found = [one for one in installed(place) if one.place is not Place.PLUGIN and one.named(words)]
    return list({jar.name: jar for one in found for jar in one.jars}.values())


def late(place: Path, begun: Iterable[Installed], script: str) -> list[Path]:
    """The jars that a script may need and that a JVM, which began with *begun*, does not have."""
    known = {one.name for one in begun}
    fresh = [one for one in installed(place) if one.name not in known and one.place is Place.ADDED]
    words = literals(script) if fresh else set()
    return list({jar.name: jar for one in fresh if one.named(words) for jar in one.jars}.values())
