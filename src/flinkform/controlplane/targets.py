"""Reads which session clusters there are to run jobs in, besides the Flink beside us: one deployment target each."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from flinkform.errors import Invalid
from flinkform.flink.objects import SCHEMES
from flinkform.flink.session import Remote

QUEUE = "default-queue"
"""The deployment target that is always there: the Flink beside us."""

FILE = "targets.yaml"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_FIELDS = ("url", "storage", "ca", "username", "password_from", "token_from", "slots")
_MOST = 1 << 20


def read(file: Path, environment: Mapping[str, str]) -> dict[str, Remote]:
    """Return the targets of a file by name; none if it is not there. Invalid names the place in it.

    Secrets are not in the file: `password_from` and `token_from` name the variables of *environment* that hold them.
    """
    try:
        if file.stat().st_size > _MOST:
            raise Invalid(f"{file}: expected at most {_MOST} bytes")
        found = yaml.safe_load(file.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid(f"{file}: expected YAML, got {type(error).__name__}") from error
    sessions = _mapping(found or {}, f"{file}").get("targets") or {}
    return {
        str(name): _remote(str(name), one, environment, f"{file}: targets.{name}")
        for name, one in _mapping(sessions, f"{file}: targets").items()
        if one != "embedded" or str(name) != QUEUE
    }


def _remote(name: str, given: Any, environment: Mapping[str, str], at: str) -> Remote:
    if name == QUEUE or not _NAME.fullmatch(name):
        raise Invalid(f"{at}: expected lower-case letters, digits and '-', and not {QUEUE}, which is the Flink here")
    said = _mapping(_mapping(given, at).get("session"), f"{at}.session")
    if unknown := sorted(set(said) - set(_FIELDS)):
        raise Invalid(f"{at}.session: expected {', '.join(_FIELDS)}, got {unknown[0]}")
    ca = said.get("ca")
    return Remote(
        name=name,
        url=_url(said.get("url"), f"{at}.session.url"),
        storage=storage(said.get("storage"), f"{at}.session.storage"),
        headers=_headers(said, environment, f"{at}.session"),
        ca=Path(str(ca)) if ca else None,
        elastic=_slots(said.get("slots", "fixed"), f"{at}.session.slots"),
    )


def _url(given: Any, at: str) -> str:
    parts = urlsplit(str(given or ""))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{at}: expected the URL of a cluster's REST such as https://flink.example:8081")
    if parts.username or parts.password:
        raise Invalid(f"{at}: expected no secret in the URL", advice="use username and password_from")
    return str(given).rstrip("/")


def storage(given: Any, at: str) -> str:
    """Return the URI below which states are kept, *given* by a person. Invalid names the place *at* which it is."""
    parts = urlsplit(str(given or ""))
    if parts.scheme not in ("file", *SCHEMES) or not parts.path.strip("/"):
        raise Invalid(f"{at}: expected s3://BUCKET/FOLDER, or file:///FOLDER that Flink and this machine share")
    return str(given).rstrip("/")


def _headers(said: Mapping[str, Any], environment: Mapping[str, str], at: str) -> dict[str, str]:
    user, password, token = (said.get(name) for name in ("username", "password_from", "token_from"))
    if bool(user) != bool(password) or (user and token):
        raise Invalid(f"{at}: expected username and password_from, or token_from, or none of them")
    if token:
        return {"Authorization": f"Bearer {_secret(str(token), environment, at)}"}
    if user:
        pair = f"{user}:{_secret(str(password), environment, at)}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return {}


def _secret(name: str, environment: Mapping[str, str], at: str) -> str:
    value = environment.get(name, "")
    if not value or not value.isprintable():
        raise Invalid(f"{at}: expected a secret in the variable {name}, which is unset, empty or not one line")
    return value


def _slots(given: Any, at: str) -> bool:
    if given not in ("fixed", "elastic"):
        raise Invalid(f"{at}: expected fixed or elastic, got {str(given)[:80]!r}")
    return bool(given == "elastic")


def _mapping(given: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise Invalid(f"{at}: expected a mapping, got {type(given).__name__}")
    return given
