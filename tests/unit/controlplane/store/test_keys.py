"""Access keys and nonces."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from flinkform.controlplane.store import keys, nonces
from flinkform.errors import Conflict, NotFound

pytestmark = pytest.mark.both


def test_keys(db: Connection) -> None:
    """A key is found with its secret until it is removed; an id is taken once."""
    made = keys.add(db, "LTAI1", "s3cret", description="ci", now=1)
    assert keys.find(db, "LTAI1") == made
    assert keys.every(db) == [made]
    with pytest.raises(Conflict):
        keys.add(db, "LTAI1", "other", now=2)
    keys.remove(db, "LTAI1")
    assert keys.find(db, "LTAI1") is None
    with pytest.raises(NotFound):
        keys.remove(db, "LTAI1")


def test_secret_is_not_shown(db: Connection) -> None:
    """A key that ends up in a log or an error does not tell its secret."""
    assert "s3cret" not in repr(keys.add(db, "LTAI1", "s3cret", now=1))


def test_nonces(db: Connection) -> None:
    """A nonce is fresh once for each key, until it is forgotten; a refusal spoils nothing."""
    assert nonces.fresh(db, "k1", "n", now=1)
    assert nonces.fresh(db, "k2", "n", now=5)
    assert not nonces.fresh(db, "k1", "n", now=6)
    nonces.prune(db, before=3)
    assert nonces.fresh(db, "k1", "n", now=7)
    assert not nonces.fresh(db, "k2", "n", now=7)
