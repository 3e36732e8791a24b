"""Which proxy stands between us and an endpoint: the usual variables, and never one for this very machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def find(environment: Mapping[str, str], url: str) -> str:
    """Return the proxy's URL for *url*, or nothing. Loopback is never proxied, whatever the variables say."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if local(host) or _excepted(environment, host):
        return ""
    # HTTP_PROXY in capitals is a request header to a CGI program, so only the small spelling counts
    names = ("https_proxy", "HTTPS_PROXY") if parts.scheme == "https" else ("http_proxy",)
    found = next((environment[name] for name in (*names, "all_proxy", "ALL_PROXY") if environment.get(name)), "")
    return found if "://" in found or not found else f"http://{found}"


def local(host: str) -> bool:
    """Say whether *host* is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _excepted(environment: Mapping[str, str], host: str) -> bool:
    text = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    for name in (part.strip().lstrip(".").lower() for part in text.split(",")):
        if name == "*" or (name and (host == name or host.endswith(f".{name}"))):
            return True
    return False
