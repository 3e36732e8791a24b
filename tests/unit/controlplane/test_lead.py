"""Which of several control planes leads: one at a time, the next when it is gone, and never one that lost its turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flinkform.controlplane.lead import Reign, Succession
from flinkform.controlplane.store import leases, meta
from flinkform.controlplane.store.database import Store
from flinkform.errors import Conflict
from flinkform.flink.fleet import Fleet
from tests.unit.controlplane.reconcile.fake import FakeRuntime
from tests.unit.controlplane.tables import Kind, stocked

pytestmark = pytest.mark.both
SECONDS = 60.0


@dataclass
class Told:
    """A reconciler that only notes what it is told; its store is the one it may write to while it leads."""

    store: Store
    trouble: str = ""
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.said.append("start")

    def stop(self, *, rest: int = 10_000) -> None:
        self.said.append("stop" if rest else "stop at once")

    def wake(self) -> None:
        self.said.append("wake")

    def write(self) -> None:
        with self.store.write() as db:
            meta.put(db, "a", "b")


class Plane:
    """One of several control planes on a database; its clock goes by what a test says."""

    def __init__(self, store: Store, home: str) -> None:
        self.loops: list[Told] = []
        self.flink = FakeRuntime(alive=True)
        self.now = 0.0
        self.reign = Reign(self._make, Fleet(lambda _: self.flink))
        self.turn = Succession(
            store, self.reign, home=home, endpoint=f"http://{home}", seconds=SECONDS, clock=lambda: self.now
        )
        Fleet.at(self.reign._fleet)

    def _make(self, store: Store) -> Told:
        self.loops.append(Told(store))
        return self.loops[-1]

    @property
    def leads(self) -> bool:
        return bool(self.loops) and self.loops[-1].said[-1] == "start"


@pytest.fixture
def store(tmp_path: Path, kind: Kind) -> Iterator[Store]:
    opened = stocked(tmp_path / "home", kind)
    yield opened
    opened.close()


def expire(store: Store) -> None:
    """Let the lease's time be over, for everybody."""
    with store.write() as db:
        lease = leases.find(db)
        assert lease is not None
        db.execute(leases.table.update().values(expires_at=leases.clock(db) - 1))


def test_one_leads(store: Store) -> None:
    """The first to ask leads, the other one does not, however often it asks."""
    one, two = Plane(store, "one"), Plane(store, "two")
    one.turn.tick()
    for _ in range(3):
        two.turn.tick()
        one.turn.tick()
    assert (one.leads, two.leads) == (True, False)
    one.loops[0].write()


def test_the_next_leads_when_the_lease_has_ended(store: Store) -> None:
    """Another one takes over, and what the former one still wants to write is refused."""
    one, two = Plane(store, "one"), Plane(store, "two")
    one.turn.tick()
    expire(store)
    with pytest.raises(Conflict, match="does not lead any more"):
        one.loops[0].write()
    two.turn.tick()
    assert two.leads
    with pytest.raises(Conflict, match="does not lead any more"):
        one.loops[0].write()
    two.loops[0].write()
    one.turn.tick()
    assert one.loops[0].said == ["start", "stop at once"]
    assert not one.flink.alive


def test_a_home_follows_itself_at_once(store: Store) -> None:
    """Who has the home of the leader knows that it is dead, and need not wait; its writes are refused all the same."""
    one, again = Plane(store, "one"), Plane(store, "one")
    one.turn.tick()
    again.turn.tick()
    assert again.leads
    with pytest.raises(Conflict, match="does not lead any more"):
        one.loops[0].write()


def test_a_leader_that_ends_hands_over(store: Store) -> None:
    """Jobs are put to rest, then the lease is free at once."""
    one, two = Plane(store, "one"), Plane(store, "two")
    one.turn.start()
    while not one.leads:
        one.turn._stopping.wait(0.01)
    one.turn.stop()
    assert one.loops[0].said == ["start", "stop"]
    assert not one.flink.alive
    two.turn.tick()
    assert two.leads


def test_a_leader_without_a_database_gives_up_in_time(store: Store, kind: Kind, tmp_path: Path) -> None:
    """Before its lease ends its runtimes are dead; while the database may still come back they are not."""
    other = Store.open(kind.url(tmp_path / "home"))
    one = Plane(other, "one")
    one.turn.tick()
    with store.write():  # nobody else can write meanwhile
        one.now = 0.5 * SECONDS
        assert one.leads
        one.now = 0.6 * SECONDS
        one.turn.tick()
    assert one.loops[0].said == ["start", "stop at once"]
    assert not one.flink.alive
    one.turn.tick()
    assert one.leads
    assert len(one.loops) == 2
    other.close()


def test_a_lease_is_prolonged(store: Store) -> None:
    """Who leads goes on leading, for as long as it says so."""
    one = Plane(store, "one")
    one.turn.tick()
    with store.read() as db:
        first = leases.find(db)
    for _ in range(5):
        one.now += 0.5 * SECONDS
        one.turn.tick()
    with store.read() as db:
        last = leases.find(db)
    assert one.leads
    assert first is not None
    assert last is not None
    assert (last.term, last.home, last.endpoint) == (first.term, "one", "http://one")
    assert last.expires_at >= first.expires_at


def test_asking_between_reigns_is_harmless(store: Store) -> None:
    """A control plane that does not lead has nothing to wake, to stop or to complain of."""
    reign = Plane(store, "one").reign
    reign.wake()
    reign.end()
    reign.fall()
    assert reign.trouble == ""
