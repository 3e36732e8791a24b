"""A job's name from its path, by a rule that never changes: the name is an id.

Two paths never give one name, and the path can be read back from the name:

  letters, digits, `_`   themselves
  `/`                    `.`
  `.`                    `..`, but escaped at the start of a folder's or file's name
  `-`                    itself, but escaped where an escape follows
  everything else        escaped: `--<code point in hexadecimal>-`

A name that would not start with a letter or a digit gets `0---` in front: an escape with nothing in it, which
no path gives.
"""

from __future__ import annotations

import re

from flinkform.errors import Invalid
from flinkform.resources import job

_PLAIN = re.compile(r"[A-Za-z0-9]\w*(?:[-/]\w+)*", re.ASCII)
_SAFE = re.compile(r"[\w.-]+", re.ASCII)
_WORD = re.compile(r"\w", re.ASCII)
_NAME = job.RESOURCE.attribute("name").type


def job_name(path: str) -> str:
    """Return the name of the job at *path*, which is below the top folder and has no suffix.

    Invalid: the name would be longer than the API allows.
    """
    name = path.replace("/", ".") if _PLAIN.fullmatch(path) else _encoded(path)
    try:
        _NAME.check(name, ("name",))
    except Invalid:
        raise Invalid(
            f"expected a path that gives a name of at most 255 characters, got {len(name)}",
            at=("name",),
            advice="shorten the names of the file and its folders; special characters cost five or more",
        ) from None
    return name


def job_path(name: str) -> str:
    """Return the path that gave *name*: the inverse of `job_name`."""
    return job.path_of(name)


def shard(path: str) -> str:
    """Return what the stack of the job at *path* is called where every folder below the namespace's is one.

    A name that the CDK, a URL or a folder on disk would not take as it is is written as that of a job.
    """
    space, *folders, _ = path.split("/")
    return "-".join((space, *(name if _SAFE.fullmatch(name) else _encoded(name) for name in folders[:1])))


def _encoded(path: str) -> str:
    """Return the name of a path with special characters, written from the back: `-` looks at what follows it."""
    codes: list[str] = []
    follower = ""
    for index in range(len(path) - 1, -1, -1):
        follower = _code(path[index], path[index - 1] if index else "/", follower)
        codes.append(follower)
    name = "".join(reversed(codes))
    return name if re.match("[A-Za-z0-9]", name) else job.FRONT + name


def _code(char: str, before: str, after: str) -> str:
    if _WORD.match(char):
        return char
    if char == "/":
        return "."
    if char == "." and before != "/":
        return ".."
    if char == "-" and not after.startswith("-"):
        return char
    return f"--{ord(char):x}-"
