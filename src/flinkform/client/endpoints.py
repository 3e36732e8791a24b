"""Where the two products answer: a region's hosts, or a control plane of one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flinkform.client import proxy
from flinkform.errors import Invalid

VARIABLE = "FLINKFORM_ENDPOINT"
"""One URL for both products: the embedded control plane tells them apart by path and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base URLs by product, scheme and host only."""

    console: str
    ververica: str
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The proxy of each base URL that has one; it may hold a password."""

    def url(self, product: str) -> str:
        """Return the base URL of *product*: `ververica` or `foasconsole`."""
        return self.ververica if product == "ververica" else self.console

    def proxy(self, product: str) -> str:
        """Return the URL of the proxy that stands before *product*, or nothing."""
        return self.proxies.get(self.url(product), "")


def find(environment: Mapping[str, str], *, region: str = "", console: str = "", ververica: str = "") -> Endpoints:
    """Return the endpoints given one by one, else `FLINKFORM_ENDPOINT` for both, else those of *region*.

    Raises `Invalid` for what is no http or https URL, and when neither says where to go.
    """
    both = environment.get(VARIABLE, "")
    console = _base(console or both) or _regional("foasconsole", region)
    ververica = _base(ververica or both) or _regional("ververica", region)
    proxies = {url: found for url in (console, ververica) if (found := proxy.find(environment, url))}
    return Endpoints(console=console, ververica=ververica, proxies=proxies)


def _regional(product: str, region: str) -> str:
    if not region:
        raise Invalid(
            "no region and no endpoint given", advice=f"set the region, or {VARIABLE} for a control plane of your own"
        )
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", region):
        raise Invalid(f"expected a region such as cn-hangzhou, got {region!r}")
    return f"https://{product}.{region}.aliyuncs.com"


def _base(url: str) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        port = parts.port
    except ValueError:
        raise Invalid(f"expected an endpoint such as http://127.0.0.1:8080, got {url!r}") from None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path not in ("", "/")
        or parts.query
        or parts.username
    ):
        raise Invalid(f"expected an endpoint such as http://127.0.0.1:8080, got {url!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}" if port else f"{parts.scheme}://{host}"
