"""Fetches a program's jars to this machine: each content once, and nothing but what was pinned."""

from __future__ import annotations

import http.client
import threading
import urllib.error
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from flinkform.controlplane.delivery.shelf import DIGEST, Incoming, Shelf
from flinkform.errors import Conflict, Denied, Invalid, TimedOut, Unavailable
from flinkform.errors import Path as At
from flinkform.flink import objects

UPLOADED = "artifact"
"""The scheme of what was uploaded to this control plane: `artifact://WORKSPACE/NAMESPACE/FILE`."""
SCHEMES = ("file", "http", "https", *objects.SCHEMES, objects.OSS, UPLOADED)
_BUCKETS = (*objects.SCHEMES, objects.OSS)
_SECONDS = 30.0
_CHUNK = 1 << 20
_PIN = "sha256="


class Fetch:
    """Brings files onto a shelf. Two that want the same place wait for one download."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    def fetch(self, place: str, *, sha256: str = "", again: bool = False) -> Path:
        """Return the file that a URI means, or `#sha256=...` at its end pins.

        Where nothing pins it, it is fetched anew, but *again* takes what was fetched last. Invalid: it is no file
        that may be taken, or not the one that was pinned. Conflict: it is not there. Unavailable: nobody answers.
        """
        place, pin = pinned(place, sha256)
        with self._alone(place):
            known = pin if pin and self.shelf.has(pin) else None
            if known is None and (again or urlsplit(place).scheme == UPLOADED):
                known = self.shelf.named(place)
            if known is None:
                known = self._fetched(place, pin)
                self.shelf.name(place, known)
            elif pin and known != pin:
                raise Invalid(f"expected {place} to have sha256 {pin}, got {known}", advice="pin what is there")
            return self.shelf.used(known)

    def _fetched(self, place: str, pin: str) -> str:
        with self.shelf.incoming() as new:
            _copy(place, new)
            return new.keep(sha256=pin)

    def _alone(self, place: str) -> threading.Lock:
        with self._lock:
            return self._busy.setdefault(place, threading.Lock())


@cache
def at(root: Path) -> Fetch:
    """What fetches into a folder; one for all who do, so that they wait for each other."""
    return Fetch(Shelf(root))


def check(place: Any, at: At) -> None:
    """Invalid for what can be no place of a file."""
    if not isinstance(place, str) or not place.strip():
        raise Invalid("expected the URI of a jar, got nothing", at=at)
    parts = urlsplit(place)
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{name}:" for name in SCHEMES)
        raise Invalid(f"expected a URI with one of {known} got {place[:80]!r}", at=at)
    if parts.username is not None or parts.password is not None:
        raise Invalid("expected a URI without a user or a password, for it is shown", at=at)
    if parts.scheme == "file" and (parts.netloc not in ("", "localhost") or not parts.path.startswith("/")):
        raise Invalid(f"expected file: and an absolute path, got {place[:80]!r}", at=at)
    try:
        pinned(place)
    except Invalid as error:
        raise Invalid(error.message, at=at) from None


def uploaded(workspace: str, namespace: str, name: str) -> str:
    """The URI of a file that was uploaded to a namespace."""
    return f"{UPLOADED}://{workspace}/{namespace}/{name}"


def pinned(place: str, sha256: str = "") -> tuple[str, str]:
    """A URI without its pin, and the pin."""
    bare, fragment = urldefrag(place)
    if fragment and not (fragment.startswith(_PIN) and DIGEST.fullmatch(fragment.removeprefix(_PIN))):
        raise Invalid(f"expected #sha256= and 64 hexadecimal digits, got #{fragment[:80]}")
    return bare, sha256 or fragment.removeprefix(_PIN)


def _copy(place: str, new: Incoming) -> None:
    scheme = urlsplit(place).scheme
    if scheme == "file":
        _local(Path(unquote(urlsplit(place).path)), new)
    elif scheme in ("http", "https"):
        _download(place, new)
    elif scheme in _BUCKETS:
        objects.read(place, new.write)
    else:
        advice = "upload it (GetPreSignedUrlForPutObject, then PUT), or apply again"
        raise Conflict(f"{place} was not uploaded to this control plane", advice=advice)


def _local(path: Path, new: Incoming) -> None:
    if not path.is_file():  # no pipe and no device: they may never end
        raise Conflict(f"there is no file {path}", advice="name a file of the machine that the control plane is on")
    try:
        with path.open("rb") as file:
            while data := file.read(_CHUNK):
                new.write(data)
    except OSError as error:
        raise Conflict(f"{path} cannot be read: {(error.strerror or 'no reason').lower()}") from error


def _download(place: str, new: Incoming) -> None:
    try:
        with _opener().open(Request(place, headers={"User-Agent": "flinkform"}), timeout=_SECONDS) as answer:  # noqa: S310
            while data := answer.read(_CHUNK):
                new.write(data)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (408, 425, 429) or error.code >= 500:
            raise Unavailable(f"{_bare(place)} answers with HTTP {error.code}") from None
        raise Conflict(f"{_bare(place)} answers with HTTP {error.code}", advice="check the address") from None
    except TimeoutError as error:
        raise TimedOut(f"{_bare(place)} did not answer within {_SECONDS:g} s") from error
    except (OSError, http.client.HTTPException, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise Unavailable(f"{_bare(place)} cannot be fetched: {reason}") from None


def _bare(place: str) -> str:
    """A URL without its query, which may hold a signature."""
    return place.partition("?")[0]


def _opener() -> OpenerDirector:
    """HTTP and HTTPS alone: a redirect must lead to nothing else."""
    made = OpenerDirector()
    kinds: tuple[type, ...] = (ProxyHandler, HTTPHandler, HTTPSHandler)
    for kind in (*kinds, HTTPRedirectHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor):
        made.add_handler(kind())
    return made


def jars(
    fetch: Fetch, asked: Mapping[str, Any], *, place: tuple[str, str], sha256: str, again: bool
) -> tuple[Path, ...]:
    """Return the files of a JarArtifact: the program's own first, then those it needs.

    *place* is the workspace and the namespace that asks. Denied: what was uploaded to another one.
    """
    wanted = [str(asked.get("jarUri") or ""), *map(str, asked.get("additionalDependencies") or ())]
    for one in wanted:
        if one.startswith(f"{UPLOADED}:") and not one.startswith(uploaded(*place, "")):
            raise Denied(f"{one} was uploaded to another namespace", advice="upload it to this one")
    pins = (sha256, *("" for _ in wanted[1:]))
    return tuple(fetch.fetch(one, sha256=pin, again=again) for one, pin in zip(wanted, pins, strict=True))
