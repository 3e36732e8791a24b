"""Every operation of the public API has an answer, a reason, or a place among what comes later."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

import pytest

from flinkform.cli import reference
from flinkform.cli.main import COMMANDS
from flinkform.controlplane.api.handlers import HANDLERS
from flinkform.controlplane.api.unanswered import LATER, REFUSED, reason
from flinkform.openapi import ours
from flinkform.openapi.operation import names


def test_every_operation_is_classified_once() -> None:
    """A new release of the SDKs makes this red until somebody has decided."""
    answered = HANDLERS.keys() - ours.OPERATIONS.keys()
    placed = Counter(chain(answered, REFUSED, *LATER.values()))
    assert set(placed) == set(names())
    assert [name for name, count in placed.items() if count > 1] == []


@pytest.mark.parametrize(("name", "said"), [("ChatAiAgent", "model service"), ("GetTables", "a later version will")])
def test_reason(name: str, said: str) -> None:
    """Who is turned away learns whether to wait."""
    assert said in reason(name)


def test_page_names_commands() -> None:
    """What is shown as a command is one."""
    shown = set(re.findall(r"`flinkform ([a-z-]+)`", reference.page()))
    assert {"apply", "show"} <= shown <= COMMANDS.keys()


def test_page_counts_and_names_users() -> None:
    """The page tells how many are answered, and which type and which command uses one."""
    page = reference.page()
    assert f"{len(HANDLERS.keys() & set(names()))} of {len(names())} answered" in page
    users = "`data.flink_savepoints`, `flinkform show`, `flink_job`, `flinkform savepoint`"
    assert f"| ListSavepoints | answered | {users} |" in page
