"""Which key is used, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flinkform.client import credentials
from flinkform.errors import Denied, Invalid

PROFILES = {
    "current": "work",
    "profiles": [
        {"name": "work", "mode": "AK", "access_key_id": "LTAIwork", "access_key_secret": "s-work", "sts_token": "old"},
        {
            "name": "temp",
            "mode": "StsToken",
            "access_key_id": "STS.1",
            "access_key_secret": "s-temp",
            "sts_token": "token",
        },
        {"name": "role", "mode": "RamRoleArn", "access_key_id": "x", "access_key_secret": "y"},
        {"name": "empty", "mode": "AK"},
        {"name": "half", "mode": "AK", "access_key_id": "LTAIhalf"},
    ],
}
IN_ENVIRONMENT = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIenv", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s-env"}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose home has a config file."""
    write(tmp_path, json.dumps(PROFILES))
    return {"HOME": str(tmp_path)}


def write(home: Path, text: str) -> None:
    (home / ".aliyun").mkdir(exist_ok=True)
    (home / ".aliyun" / "config.json").write_text(text)


def test_order(home: dict[str, str]) -> None:
    """Arguments over a profile asked for over the environment over the config file; each says what it is."""
    given = credentials.find(home | IN_ENVIRONMENT, access_key_id="LTAIarg", access_key_secret="s", profile="temp")
    assert (given.key_id, given.source) == ("LTAIarg", "the provider block")
    asked = credentials.find(home | IN_ENVIRONMENT, profile="temp")
    assert (asked.key_id, asked.token, asked.source.startswith("profile 'temp' of")) == ("STS.1", "token", True)
    around = credentials.find(home | IN_ENVIRONMENT | {"ALIBABA_CLOUD_SECURITY_TOKEN": "t"})
    assert (around.key_id, around.token) == ("LTAIenv", "t")
    assert around.source == "the environment (ALIBABA_CLOUD_ACCESS_KEY_ID)"
    current = credentials.find(home)
    assert (current.key_id, current.token) == ("LTAIwork", "")
    assert credentials.find(home | {"ALIBABA_CLOUD_PROFILE": "temp"}).key_id == "STS.1"


def test_nothing_found(tmp_path: Path) -> None:
    """Without a key the error says how to give one."""
    with pytest.raises(Denied, match="ALIBABA_CLOUD_ACCESS_KEY_ID"):
        credentials.find({"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"profile": "nobody"}, "profile 'nobody' is not in"),
        ({"profile": "role"}, "mode 'RamRoleArn', expected AK or StsToken"),
        ({"profile": "empty"}, "holds no key"),
        ({"profile": "half"}, "secret is missing"),
        ({"access_key_id": "LTAI"}, "the provider block has half a key: the access key secret is missing"),
        ({"access_key_secret": "s"}, "the access key id is missing"),
        ({"access_key_id": "LTAI", "access_key_secret": "hush\n"}, "a character that no key has"),
    ],
)
def test_unusable(home: dict[str, str], how: dict[str, Any], message: str) -> None:
    """Half a key or an unusable profile is an error, never a reason to look elsewhere; it shows no secret."""
    with pytest.raises(Invalid, match=message) as caught:
        credentials.find(home | IN_ENVIRONMENT, **how)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\x00"])
def test_broken_file(tmp_path: Path, text: str) -> None:
    """A config file that cannot be read is named."""
    write(tmp_path, text)
    with pytest.raises(Invalid, match=r"config\.json"):
        credentials.find({"HOME": str(tmp_path)})


def test_secrets_are_not_shown() -> None:
    """Credentials can be printed."""
    shown = repr(credentials.Credentials(key_id="LTAI", secret="hush", token="hush"))
    assert "LTAI" in shown
    assert "hush" not in shown
