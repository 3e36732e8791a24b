"""A fresh database for each test of the store, and what most tests put in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from flinkform.controlplane.store import deployments
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.deployments import Deployment
from tests.unit.controlplane.tables import Kind, stocked

Make = Callable[..., Deployment]


@pytest.fixture
def store(tmp_path: Path, kind: Kind) -> Iterator[Store]:
    opened = stocked(tmp_path / "home", kind)
    yield opened
    opened.close()


@pytest.fixture
def db(store: Store) -> Iterator[Connection]:
    """One transaction that writes, for the whole test."""
    with store.write() as connection:
        yield connection


@pytest.fixture
def deploy(db: Connection) -> Make:
    """Makes deployments of one namespace; later ones are newer."""
    made: list[str] = []

    def make(name: str, *, creator: str = "ann", namespace: str = "team", **document: Any) -> Deployment:
        made.append(name)
        whole = {"executionMode": "STREAMING", "artifact": {"kind": "SQLSCRIPT"}, **document}
        return deployments.create(
            db,
            f"d-{name}",
            workspace="ws",
            namespace=namespace,
            name=name,
            document=whole,
            creator=creator,
            now=len(made),
        )

    return make
