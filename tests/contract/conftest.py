"""Skips what an older release of an official SDK, which FLINKFORM_SDK names, does not have yet."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.contract.release import OLDER


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    try:
        return (yield)
    except AttributeError as error:
        where = getattr(error.obj, "__name__", type(error.obj).__module__)
        if OLDER and str(where).startswith("alibabacloud_"):
            pytest.skip(f"release {OLDER} has no {error.name}")
        raise
