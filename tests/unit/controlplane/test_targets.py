"""Deployment targets: read from a file, secrets from the environment, every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.controlplane import settings, targets
from flinkform.errors import Invalid

GOOD = """
targets:
  default-queue: embedded
  big:
    session:
      url: https://flink.example:8081/team/
      storage: s3://bucket/flink/
      ca: /etc/ca.pem
      username: ops
      password_from: BIG
      slots: elastic
  small:
    session: {url: "http://10.0.0.1:8081", storage: "file:///mnt/flink", token_from: SMALL}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "targets.yaml"
    file.write_text(text)
    return file


def test_no_file(tmp_path: Path) -> None:
    """Without a file there is the Flink beside us and nothing else."""
    assert targets.read(tmp_path / "targets.yaml", {}) == {}


def test_targets(tmp_path: Path) -> None:
    """Each target has its cluster; secrets come from the environment and are never shown."""
    found = targets.read(written(tmp_path, GOOD), {"BIG": "hush", "SMALL": "mum"})
    big, small = found["big"], found["small"]
    assert (big.url, big.storage) == ("https://flink.example:8081/team", "s3://bucket/flink")
    assert (big.elastic, small.elastic) == (True, False)
    assert big.headers == {"Authorization": "Basic b3BzOmh1c2g="}
    assert small.headers == {"Authorization": "Bearer mum"}
    assert "hush" not in repr(found)
    assert "b3Bz" not in repr(found)
    assert "mum" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "expected YAML"),
        ("targets: [a]", "expected a mapping, got list"),
        ("targets: {Big: {}}", "targets.Big: expected lower-case letters"),
        ("targets: {default-queue: {session: {}}}", "not default-queue"),
        ("targets: {a: {session: {url: x}}}", "targets.a.session.url: expected the URL"),
        ("targets: {a: {session: {url: 'http://u:p@h', storage: 'file:///x'}}}", "no secret in the URL"),
        ("targets: {a: {session: {url: 'http://h'}}}", "targets.a.session.storage: expected s3://"),
        ("targets: {a: {session: {url: 'http://h', storage: 'hdfs://x/y'}}}", "expected s3://"),
        ("targets: {a: {session: {url: 'http://h', storage: 'file:///x', port: 1}}}", "got port"),
        ("targets: {a: {session: {url: 'http://h', storage: 'file:///x', username: u}}}", "username and password_from"),
        ("targets: {a: {session: {url: 'http://h', storage: 'file:///x', token_from: T}}}", "in the variable T"),
        ("targets: {a: {session: {url: 'http://h', storage: 'file:///x', slots: many}}}", "fixed or elastic"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    """What is wrong is named with its place."""
    with pytest.raises(Invalid, match=r"targets\.yaml: ") as caught:
        targets.read(written(tmp_path, text), {})
    assert said in caught.value.message or said in str(caught.value)


def test_who_needs_them(tmp_path: Path) -> None:
    """The control plane does, and says so when the file it was told of is not there; a key can be made without."""

    def told(environment: dict[str, str], *, serving: bool) -> settings.Settings:
        return settings.from_environment(
            environment, home=tmp_path, host="127.0.0.1", port=0, java=None, serving=serving
        )

    written(tmp_path, GOOD)
    assert set(told({"BIG": "hush", "SMALL": "mum"}, serving=True).targets) == {"big", "small"}
    assert told({}, serving=False).targets == {}
    with pytest.raises(Invalid, match="in the variable BIG"):
        told({}, serving=True)
    with pytest.raises(Invalid, match="FLINKFORM_TARGETS: expected a file, got /nowhere"):
        told({"FLINKFORM_TARGETS": "/nowhere"}, serving=True)


def test_storage(tmp_path: Path) -> None:
    """The usual target keeps states where it is told to, or in the home; what can be no such place is refused."""

    def told(**environment: str) -> settings.Settings:
        return settings.from_environment(environment, home=tmp_path, host="127.0.0.1", port=0, java=None)

    assert told().stores == {}
    assert told(FLINKFORM_STORAGE="s3://bucket/flink/").stores == {"": "s3://bucket/flink"}
    for wrong in ("/mnt/flink", "s3://bucket", "hdfs://a/b"):
        with pytest.raises(Invalid, match="FLINKFORM_STORAGE: expected s3://BUCKET/FOLDER"):
            told(FLINKFORM_STORAGE=wrong)
