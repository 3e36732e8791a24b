"""Where the socket goes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flinkform.provider.protocol.rendezvous import LONGEST, Rendezvous


def test_the_directory_is_ours_alone(tmp_path: Path) -> None:
    """Mode 0700, whatever the umask says, with a path short enough for the kernel."""
    place = Rendezvous({"TMPDIR": str(tmp_path)})
    assert stat.S_IMODE(Path(place.directory).stat().st_mode) == 0o700
    assert len(place.path) <= LONGEST
    place.remove()


def test_nothing_is_left(tmp_path: Path) -> None:
    """And removing what is gone already is no error."""
    place = Rendezvous({"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)})
    assert Path(place.path).is_socket()
    assert Path(place.directory).parent == tmp_path
    place.remove()
    place.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["x" * 120, "missing/directory", ""])
def test_a_bad_directory_is_passed_over(bad: str, tmp_path: Path) -> None:
    """TMPDIR may be too long for a socket, or not exist: /tmp serves then."""
    place = Rendezvous({"TMPDIR": bad and str(tmp_path / bad)})
    assert Path(place.directory).parent == Path("/tmp")  # noqa: S108  the place under test
    place.remove()
