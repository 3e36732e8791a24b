"""From a job's values to the files that give them back: a script to the byte, and beside it what is not the default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flinkform.errors import Invalid
from flinkform.jobfile.layers import ELSEWHERE, JAR, KEYS, SUFFIX
from flinkform.jobfile.names import job_name, job_path
from flinkform.jobfile.scripts import LIMIT, script
from flinkform.jobfile.shape import DEFAULTS
from flinkform.jobfile.weave import escaped

_STEP = 240
"""Bytes that the name of a folder or file may have; the suffix comes on top, and no file system takes more than 255."""
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*", re.ASCII)
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def files(name: str, values: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of the job *name*, by path below its namespace's folder; *values* are attributes of `flink_job`.

    Invalid: no file gives that name, or what the job runs cannot stand in one.
    """
    path = _path(name)
    kept = {key: value for key, value in values.items() if key in KEYS and value not in (None, {}, KEYS[key].default)}
    if jar := values.get(JAR):
        if not jar.get("sha256"):
            advice = "write its job file by hand, with what `sha256sum` prints of the jar"
            raise Invalid(f"{name}: nobody knows the sha256 of its jar {jar.get('uri')}", advice=advice)
        kept[JAR] = {key: value for key, value in jar.items() if value is not None}
        return {path + SUFFIX: text(kept).encode()}
    if not values.get("sql"):
        raise Invalid(f"{name}: expected a script or a program in a jar, got neither", advice="no job file says that")
    try:
        data = escaped(str(values["sql"])).encode()
        said = script(str(values["sql"]).encode(), f"{path}.sql")
        if len(data) > LIMIT:
            raise Invalid(f"expected a script of at most {LIMIT} bytes, got {len(data)}")  # noqa: TRY301
    except (UnicodeEncodeError, Invalid) as error:
        raise Invalid(
            f"{name}: {error}", advice="mend its script where it runs, or write its job file by hand"
        ) from error
    options = {key: one for key, one in (kept.pop("flink_options", None) or {}).items() if key not in said.options}
    kept |= {"flink_options": options} if options else {}
    if said.mode:
        kept.pop("execution_mode", None)
    return {f"{path}.sql": data} | ({f"{path}.yaml": text(kept).encode()} if kept else {})


def text(values: Mapping[str, Any]) -> str:
    """Return *values* as YAML, which reads back as what they are."""
    return "".join(f"{line}\n" for line in _lines(values, ""))


def _path(name: str) -> str:
    path = job_path(name)
    steps = path.split("/")
    if (
        any(not step or step.startswith(".") or len(step.encode()) > _STEP for step in steps)
        or _comes_back(path) != name
    ):
        raise Invalid(f"{name!r} is a name that no job file gives", advice=f"rename it; {ELSEWHERE['name']}")
    if f"{steps[-1]}.yaml" == DEFAULTS:
        raise Invalid(f"{name!r} would be {path}.yaml, which holds for a whole folder", advice="rename it")
    return path


def _comes_back(path: str) -> str:
    try:
        return job_name(path)
    except Invalid:
        return ""


def _lines(values: Mapping[str, Any], margin: str) -> Iterator[str]:
    for key, value in sorted(values.items()):
        if isinstance(value, Mapping):
            yield f"{margin}{_scalar(key)}:"
            yield from _lines(value, margin + "  ")
        elif isinstance(value, list | tuple):
            yield f"{margin}{_scalar(key)}: [{', '.join(map(_scalar, value))}]"
        else:
            yield f"{margin}{_scalar(key)}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return f"\\U{ord(char):08x}"
