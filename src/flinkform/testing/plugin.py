"""The pytest plugin: fixtures for tests of an infrastructure repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from flinkform.testing.golden import UPDATE, Golden

if TYPE_CHECKING:
    from flinkform.testing.repository import Repository


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.getgroup("flinkform").addoption(UPDATE, action="store_true", help="write golden files anew")


@pytest.fixture
def flinkform_golden(request: pytest.FixtureRequest) -> Golden:
    """`flinkform_golden.check("bids.json", value)` compares with `golden/bids.json` beside the test's file."""
    return Golden(request.path.parent / "golden", update=request.config.getoption(UPDATE))


@pytest.fixture(scope="session")
def flinkform_repository(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    """The checkout under test, with a control plane of its own that is gone after the tests."""
    # Every pytest run loads this module, and few need what the command line needs.
    from flinkform.testing.repository import opened  # noqa: PLC0415

    with opened(request.config.rootpath, tmp_path_factory.mktemp("flinkform"), variables=os.environ) as found:
        yield found
