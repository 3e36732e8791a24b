"""Where a session's key, region and endpoints come from."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from flinkform.errors import Denied, Interrupted, Invalid
from flinkform.provider import settings
from flinkform.provider.connect import connect
from flinkform.provider.protocol.msgpack import UNKNOWN

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
HERE = {"FLINKFORM_ENDPOINT": "http://127.0.0.1:1"}


def session(environment: dict[str, str], **block: Any) -> Any:
    return connect(block, Event(), environment=environment)


def test_environment() -> None:
    """Key and endpoint of the environment are enough."""
    assert session({**KEY, **HERE}).client.calls == {}


def test_block() -> None:
    """The block is enough too."""
    endpoints = {"console": "http://127.0.0.1:1", "ververica": "http://127.0.0.1:2"}
    session({}, access_key_id="id", access_key_secret="secret", region="cn-hangzhou", endpoints=endpoints)


def test_block_over_environment() -> None:
    """The block wins, and who named another control plane in the shell is told."""
    given = {"console": "http://127.0.0.1:2", "ververica": "http://127.0.0.1:2/"}
    (told,) = session({**KEY, **HERE}, endpoints=given).warnings
    assert told.startswith(
        "FLINKFORM_ENDPOINT is http://127.0.0.1:1, and the provider block says http://127.0.0.1:2, wh"
    )
    same = {"console": "http://127.0.0.1:1", "ververica": "http://127.0.0.1:1/"}
    assert session({**KEY, **HERE}, endpoints=same).warnings == ()
    assert session({**KEY}, endpoints=given).warnings == ()


def test_provenance() -> None:
    """The block says which commit and release it is of."""
    found = session({**KEY, **HERE}, commit="c" * 40, release="r-1").provenance
    assert (found.commit, found.release) == ("c" * 40, "r-1")


def test_nothing() -> None:
    """Without a key, and without any place to call, the error says what to set."""
    with pytest.raises(Denied, match="ALIBABA_CLOUD_ACCESS_KEY_ID"):
        session({**HERE, "HOME": "/nowhere"})
    with pytest.raises(Invalid, match="region"):
        session(KEY)


@pytest.mark.parametrize(
    ("block", "at"),
    [({"region": UNKNOWN}, ("region",)), ({"endpoints": {"console": UNKNOWN}}, ("endpoints", "console"))],
)
def test_unknown(block: dict[str, Any], at: tuple[str, ...]) -> None:
    """A provider block must be known when planning; the error names the attribute."""
    with pytest.raises(Invalid) as raised:
        session({**KEY, **HERE}, **block)
    assert raised.value.at == at


def test_stop_ends_retries() -> None:
    """Told to stop, the client does not sleep out its retries."""
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        connect({}, stop, environment={**KEY, **HERE}).client.call("DescribeInstances")


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment only what is ours to know is read."""
    monkeypatch.setenv("FLINKFORM_ENDPOINT", "http://here")
    monkeypatch.setenv("SOMEBODY_ELSES", "secret")
    found = settings.environment()
    assert found["FLINKFORM_ENDPOINT"] == "http://here"
    assert "SOMEBODY_ELSES" not in found
