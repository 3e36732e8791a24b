"""Where the two products answer, and what stands between."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from alibabacloud_tea_openapi.utils_models import Config

from flinkform.client import endpoints, proxy
from flinkform.errors import Invalid

HANGZHOU = "https://ververica.cn-hangzhou.aliyuncs.com"


def test_order() -> None:
    """Endpoints of the block over FLINKFORM_ENDPOINT over the region's."""
    own = {"FLINKFORM_ENDPOINT": "http://127.0.0.1:8711/"}
    found = endpoints.find(own, region="cn-hangzhou", ververica="https://example.test")
    assert (found.url("ververica"), found.url("foasconsole")) == ("https://example.test", "http://127.0.0.1:8711")
    found = endpoints.find({}, region="cn-hangzhou")
    assert found.ververica == HANGZHOU
    assert found.console == "https://foasconsole.cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize("package", ["alibabacloud_ververica20220718", "alibabacloud_foasconsole20211028"])
def test_regions_of_the_sdks(package: str) -> None:
    """In every region that the official SDK knows we call the same host."""
    config = Config(access_key_id="x", access_key_secret="x", endpoint="x", region_id="cn-hangzhou")
    client = importlib.import_module(f"{package}.client").Client(config)
    product = re.sub(r"alibabacloud_|\d", "", package)
    assert len(client._endpoint_map) > 10
    for region, host in client._endpoint_map.items():
        assert endpoints.find({}, region=region).url(product) == f"https://{host}"


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://x/path", "http://u:p@x", "http://x:port", "http://x?q=1", "http://[x"]
)
def test_no_endpoint(url: str) -> None:
    """What is no http or https URL of a host is refused."""
    with pytest.raises(Invalid, match="expected an endpoint"):
        endpoints.find({endpoints.VARIABLE: url})


def test_spellings() -> None:
    """A host alone means https; IPv6 keeps its brackets."""
    assert endpoints.find({}, console="h:1", ververica="http://[::1]:8080").console == "https://h:1"
    assert endpoints.find({endpoints.VARIABLE: "http://[::1]:8080"}).ververica == "http://[::1]:8080"


@pytest.mark.parametrize(("region", "message"), [("", "FLINKFORM_ENDPOINT"), ("x.evil.test/", "expected a region")])
def test_no_region(region: str, message: str) -> None:
    """With neither region nor endpoint the error names both; a region cannot name another host."""
    with pytest.raises(Invalid, match=message):
        endpoints.find({}, region=region)


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({"https_proxy": "http://p:3128"}, HANGZHOU, "http://p:3128"),
        ({"HTTPS_PROXY": "p:3128"}, HANGZHOU, "http://p:3128"),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "x, .aliyuncs.com"}, HANGZHOU, ""),
        ({"HTTPS_PROXY": "http://p", "no_proxy": "*"}, HANGZHOU, ""),
        ({"HTTPS_PROXY": "http://p", "no_proxy": "uncs.com"}, HANGZHOU, "http://p"),
        ({"http_proxy": "http://p"}, "http://example.test", "http://p"),
        ({"HTTP_PROXY": "http://p"}, "http://example.test", ""),
        ({"http_proxy": "http://p", "ALL_PROXY": "http://p"}, "http://127.0.0.1:8711", ""),
        ({"http_proxy": "http://p"}, "http://localhost:8711", ""),
        ({"http_proxy": "http://p"}, "http://[::1]:8711", ""),
    ],
)
def test_proxies(environment: dict[str, str], url: str, expected: str) -> None:
    """The usual variables count, with their exceptions; loopback never goes through a proxy."""
    assert proxy.find(environment, url) == expected


def test_endpoints_know_their_proxies() -> None:
    """The proxy is found per product, and its password is not shown."""
    environment: dict[str, Any] = {"HTTPS_PROXY": "http://u:hush@p:1"}
    found = endpoints.find(environment, region="cn-hangzhou", console="http://127.0.0.1:1")
    assert (found.proxy("ververica"), found.proxy("foasconsole")) == ("http://u:hush@p:1", "")
    assert "hush" not in repr(found)
