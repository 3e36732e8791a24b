"""What the lists promise: one fetch, shared by all who ask, failures too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flinkform.errors import NotFound, Unavailable
from flinkform.provider.lists import Lists

SCOPE = {"workspace": "w", "namespace": "n"}


class Source:
    """A client of which only lists are asked; *gate* holds them back."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()
        self.error = error

    def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def pages(self, *_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        self.asked += 1
        self.gate.wait(10)
        if self.error:
            raise self.error
        yield from ({"id": str(n), "asked": self.asked} for n in range(3))


def fetch(lists: Lists) -> Any:
    return lists.fetch("ListThings", SCOPE, items="data", by="id")


def test_one_fetch() -> None:
    """Ten who ask at once share one fetch."""
    source = Source()
    lists = Lists(source)
    source.gate.clear()
    with ThreadPoolExecutor(10) as pool:
        found = [pool.submit(fetch, lists) for _ in range(10)]
        source.gate.set()
    assert {len(f.result(10)) for f in found} == {3}
    assert source.asked == 1


def test_cached() -> None:
    """What was fetched is there without waiting; what was not is `None`, as is another scope's."""
    lists = Lists(Source())
    assert lists.cached("ListThings", SCOPE) is None
    fetch(lists)
    assert set(lists.cached("ListThings", SCOPE) or ()) == {"0", "1", "2"}
    assert lists.cached("ListThings", {**SCOPE, "namespace": "m"}) is None


def test_forget() -> None:
    """A list that was forgotten is fetched again."""
    source = Source()
    lists = Lists(source)
    fetch(lists)
    lists.forget("ListThings", SCOPE)
    fetch(lists)
    assert source.asked == 2


def test_failure() -> None:
    """A failure is told to everyone who asks, after one try."""
    source = Source(Unavailable("down"))
    lists = Lists(source)
    for _ in range(3):
        with pytest.raises(Unavailable, match="down"):
            fetch(lists)
    assert source.asked == 1


def test_holder_gone() -> None:
    """A list inside something that is gone is empty."""
    assert fetch(Lists(Source(NotFound("no such namespace")))) == {}
