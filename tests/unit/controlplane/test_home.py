"""The home: writable, private, and one control plane's at a time; settings and keys."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.controlplane import home, keyring
from flinkform.controlplane.settings import Settings, from_environment
from flinkform.controlplane.store import keys
from flinkform.controlplane.store.database import Store
from flinkform.errors import Conflict, FlinkformError, Invalid


def test_home_is_made_private(tmp_path: Path) -> None:
    """A home that is made is nobody else's."""
    home.prepare(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert not list((tmp_path / "a" / "b").glob(".probe-*"))


def test_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A path that cannot be a folder is named, with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FlinkformError, match="file") as raised:
        home.prepare(tmp_path / "file" / "home")
    assert "--home" in raised.value.advice


def test_home_is_one_control_planes(tmp_path: Path) -> None:
    """A second one waits, says for whom, and gives up; when the first let go it gets the home."""
    said: list[str] = []
    first = home.lock(tmp_path, seconds=0, say=said.append)
    with pytest.raises(Conflict, match=f"process {os.getpid()}"):
        home.lock(tmp_path, seconds=0.01, say=said.append)
    assert said == [f"waiting for process {os.getpid()} or its JVM to let go of {tmp_path}"]
    first.release()
    home.lock(tmp_path, seconds=0, say=said.append).release()


def test_a_look_at_a_home_does_not_take_it(tmp_path: Path) -> None:
    """Held from the lock to its release, and by nobody who looks."""
    assert not home.held(tmp_path)
    first = home.lock(tmp_path, seconds=0, say=print)
    assert home.held(tmp_path)
    first.release()
    assert not home.held(tmp_path)
    home.lock(tmp_path, seconds=0, say=print).release()


def test_lock_lives_as_long_as_who_inherited_it(tmp_path: Path) -> None:
    """The lock is held by the open file, whoever holds that: here a copy of the descriptor stands for the JVM."""
    lock = home.lock(tmp_path, seconds=0, say=print)
    inherited = os.dup(lock.descriptor)
    lock.release()
    with pytest.raises(Conflict):
        home.lock(tmp_path, seconds=0, say=print)
    os.close(inherited)
    home.lock(tmp_path, seconds=0, say=print).release()


def test_private_files_are_replaced_whole(tmp_path: Path) -> None:
    """A written file is private, complete, and leaves nothing beside it."""
    home.write(tmp_path / "x.json", "one")
    home.write(tmp_path / "x.json", "two")
    assert [one.name for one in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o600


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_root_key_is_made_once(settings: Settings) -> None:
    """The first start writes the root key to a private file; later starts use it, on a new database too."""
    store = Store.open(settings.database_url)
    made = keyring.root(store, settings)
    assert keyring.root(store, settings) == made
    store.close()
    kept = json.loads(settings.credentials.read_text())
    assert kept == {"access_key_id": made.id, "access_key_secret": made.secret}
    assert stat.S_IMODE(settings.credentials.stat().st_mode) == 0o600
    other = Store.open(f"sqlite:///{settings.home / 'other.db'}")
    assert keyring.root(other, settings).secret == made.secret
    other.close()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"access_key_id": "x"}'])
def test_broken_credentials_are_named(settings: Settings, text: str) -> None:
    """A credentials file that is none is not overwritten."""
    settings.credentials.write_text(text)
    store = Store.open(settings.database_url)
    with pytest.raises(Invalid, match=r"credentials\.json"):
        keyring.root(store, settings)
    store.close()
    assert settings.credentials.read_text() == text


def test_keys_differ(settings: Settings) -> None:
    """Every key has an id and a secret of its own, and its secret is not in its text."""
    store = Store.open(settings.database_url)
    one, two = keyring.create(store, settings, description="ann"), keyring.create(store, settings, description="ben")
    with store.read() as db:
        assert [key.description for key in keys.every(db)] == ["ann", "ben"]
    store.close()
    assert len({one.id, two.id, one.secret, two.secret}) == 4
    assert one.secret not in repr(one)


def test_secrets_are_sealed(settings: Settings) -> None:
    """The database holds no key's secret in clear, also not one that an older flinkform wrote there."""
    store = Store.open(settings.database_url)
    with store.write() as db:
        keys.add(db, "FF1", "in-clear", now=1)
        old = keyring.find(db, settings, "FF1")
    assert old is not None
    assert old.secret == "in-clear"
    made = [keyring.root(store, settings), keyring.create(store, settings, description="ann"), old]
    with store.read() as db:
        kept = {one.id: one.secret for one in keys.every(db)}
        for key in made:
            assert key.secret not in kept[key.id]
            assert kept[key.id].startswith("sealed:")
            found = keyring.find(db, settings, key.id)
            assert found is not None
            assert found.secret == key.secret
    store.close()


def test_a_lost_key_of_secrets_is_said(settings: Settings, tmp_path: Path) -> None:
    """Without the key that sealed it an access key is refused with what to do; the root key is sealed anew."""
    store = Store.open(settings.database_url)
    root, other = keyring.root(store, settings), keyring.create(store, settings, description="ann")
    moved = replace(settings, secrets_key=tmp_path / "another.key")
    with store.read() as db, pytest.raises(Invalid, match=f"access key {other.id} was encrypted with another key"):
        keyring.find(db, moved, other.id)
    assert keyring.root(store, moved) == root
    with store.read() as db:
        assert keyring.find(db, moved, root.id) == root
    store.close()


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    """Variables change what they name, and nothing else differs from the defaults."""
    given = {"FLINKFORM_SLOTS": "7", "FLINKFORM_LOG_LEVEL": "DEBUG", "HOME": "/nowhere"}
    found = from_environment(given, home=tmp_path, host="127.0.0.1", port=1, java=None)
    assert found == replace(Settings(home=tmp_path, port=1), slots=7, log_level="debug")
    assert found.database_url == f"sqlite:///{tmp_path}/controlplane.db"


@pytest.mark.parametrize(
    "given",
    [
        {"FLINKFORM_SLOTS": "many"},
        {"FLINKFORM_SLOTS": "0"},
        {"FLINKFORM_LOG_LEVEL": "loud"},
        {"FLINKFORM_HEAP": "1 GB"},
        {"FLINKFORM_NETWORK": "64"},
    ],
)
def test_bad_setting_is_named(tmp_path: Path, given: dict[str, str]) -> None:
    """A variable with a value that cannot be is refused by its name."""
    with pytest.raises(Invalid, match=next(iter(given))):
        from_environment(given, home=tmp_path, host="127.0.0.1", port=0, java=None)
