"""Which key signs the calls, and where it was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flinkform.errors import Denied, Invalid

LIMIT = 1 << 20
"""Bytes of a config file that are read at most."""

_ADVICE = (
    "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; "
    'for the embedded control plane run eval "$(flinkform env)"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key pair, with a token if it is temporary. *source* says where it was found, for error texts."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    source: str = "arguments"


def find(
    environment: Mapping[str, str],
    *,
    access_key_id: str = "",
    access_key_secret: str = "",
    security_token: str = "",
    profile: str = "",
) -> Credentials:
    """Return the first complete key of: the arguments, a *profile* asked for, the environment, the config file.

    The variables are those of the official SDKs, the file is the `aliyun` program's `~/.aliyun/config.json`.
    Raises `Denied` if there is none, `Invalid` if half a key is given or the file cannot be used.
    """
    explicit = _whole(access_key_id, access_key_secret, security_token, source="the provider block")
    if explicit:
        return explicit
    if profile:
        return _from_file(environment, profile)
    return _from_environment(environment) or _from_file(environment, environment.get("ALIBABA_CLOUD_PROFILE", ""))


def _from_environment(environment: Mapping[str, str]) -> Credentials | None:
    return _whole(
        environment.get("ALIBABA_CLOUD_ACCESS_KEY_ID", ""),
        environment.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ""),
        environment.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
        source="the environment (ALIBABA_CLOUD_ACCESS_KEY_ID)",
    )


def _whole(key_id: str, secret: str, token: str, *, source: str) -> Credentials | None:
    if not key_id and not secret:
        return None
    if not key_id or not secret:
        missing = "access key secret" if key_id else "access key id"
        raise Invalid(f"{source} has half a key: the {missing} is missing", advice=_ADVICE)
    for part in (key_id, secret, token):
        if part and not (part.isascii() and part.isprintable() and " " not in part):
            raise Invalid(f"{source} has a key with a character that no key has", advice="copy the key anew")
    return Credentials(key_id=key_id, secret=secret, token=token, source=source)


def _from_file(environment: Mapping[str, str], wanted: str) -> Credentials:
    path = Path(environment.get("HOME", "~")).expanduser() / ".aliyun" / "config.json"
    config = _read(path)
    name = wanted or str(config.get("current") or "default")
    profiles = config.get("profiles")
    for profile in profiles if isinstance(profiles, list) else ():
        if isinstance(profile, dict) and profile.get("name") == name:
            return _from_profile(profile, f"profile {name!r} of {path}")
    if wanted:
        raise Invalid(f"profile {wanted!r} is not in {path}", advice="list the profiles with aliyun configure list")
    raise Denied("no access key found", advice=_ADVICE)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            config = json.loads(file.read(LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {type(error).__name__}", advice="expected a JSON object") from None
    if not isinstance(config, dict):
        raise Invalid(f"{path} cannot be used: expected a JSON object")
    return config


def _from_profile(profile: Mapping[str, Any], source: str) -> Credentials:
    mode = profile.get("mode")
    if mode not in ("AK", "StsToken"):
        raise Invalid(f"{source} has mode {mode!r}, expected AK or StsToken", advice=_ADVICE)
    found = _whole(
        str(profile.get("access_key_id") or ""),
        str(profile.get("access_key_secret") or ""),
        str(profile.get("sts_token") or "") if mode == "StsToken" else "",
        source=source,
    )
    if not found:
        raise Invalid(f"{source} holds no key", advice=_ADVICE)
    return found
