"""The keys of a job file: which there are, what they may say, how one file lies over another."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.errors import Invalid, Position
from flinkform.jobfile.layers import EMPTY, KEYS, Layer, over
from flinkform.resources import job
from tests.unit.jobfile.conftest import read_layer


def read(text: str, file: str = "x.yaml") -> Layer:
    return read_layer(text.encode(), file)


def laid(*texts: str) -> dict[str, Any]:
    found = EMPTY
    for text in texts:
        found = over(found, read(text))
    return dict(found.values)


def test_keys_are_the_writable_attributes_of_a_job() -> None:
    """Nothing is declared twice: the keys are those of `flink_job` that a file can know."""
    writable = {a.name for a in job.RESOURCE.attributes if a.writable}
    assert set(KEYS) == writable - {"sql", "jar", "name", "namespace", "workspace"} | {"variables"}


@pytest.mark.parametrize(
    ("text", "message", "advice", "line", "column"),
    [
        ("a\u0020: 1", "unknown key 'a'", f"expected one of {', '.join(sorted(KEYS))}", 1, 1),
        ("state: running\nparalelism: 2\n", "unknown key 'paralelism'", "did you mean parallelism?", 2, 1),
        ("upgrade:\n  mod: latest\n", "unknown key 'mod'", "did you mean mode?", 2, 3),
        ("name: x\n", "the key 'name' cannot be set here", "the name comes from the file's path", 1, 1),
        ("sql: x\n", "the key 'sql' cannot be set here", "the script is the .sql file beside this one", 1, 1),
        ("deployment_id: x\n", "the key 'deployment_id' is read-only", "remove it", 1, 1),
        ("parallelism: 0\n", "expected a whole number of at least 1, got 0", "", 1, 14),
        ("parallelism: two\n", "expected a whole number, got 'two'", "", 1, 14),
        ("parallelism: '2'\n", "expected a whole number, got '2'", "", 1, 14),
        ("parallelism: 1.5\n", "expected a whole number, got 1.5", "", 1, 14),
        ("deletion_protection: yes\n", "expected true or false, got 'yes'", "", 1, 22),
        ("engine_version: 2.3\n", "expected a string, got 2.3", "put it in quotes", 1, 17),
        ("description: [a]\n", "expected a string, got ['a']", "", 1, 14),
        ("state: stopped\n", "expected one of running, suspended, got 'stopped'", "", 1, 8),
        ("labels: x\n", "expected a map, got 'x'", "", 1, 9),
        ("labels:\n  a:\n    b: c\n", "expected a string, got {'b': 'c'}", "", 3, 5),
        ("logging:\n  root: INFO\n  x: off\n", "expected one of TRACE, DEBUG, INFO, WARN, ERROR, got 'off'", "", 3, 6),
        ("upgrade:\n  fallback: 1\n", "expected true or false, got 1", "", 2, 13),
        ("timeouts:\n  create: soon\n", "expected a duration such as 90s, 10m or 1h, got 'soon'", "", 2, 11),
        (
            "labels: {a: b, flinkform.io/nonce: x}\n",
            "labels under flinkform.io/ are flinkform's own",
            "",
            1,
            16,
        ),
        (
            "flink_options:\n  execution.runtime-mode: batch\n",
            "execution.runtime-mode cannot be set here",
            "write execution_mode: BATCH, or SET it at the top of the script",
            2,
            3,
        ),
    ],
)
def test_what_a_key_may_not_say_is_refused_at_its_place(
    text: str, message: str, advice: str, line: int, column: int
) -> None:
    """Each mistake is named with its line and column, and what to do about it."""
    with pytest.raises(Invalid) as caught:
        read(text)
    assert (caught.value.message, caught.value.advice) == (message, advice)
    assert caught.value.position == Position("x.yaml", line, column)


def test_an_error_names_the_attribute() -> None:
    """An error says which attribute it is about, so that a caller need not read the text."""
    with pytest.raises(Invalid) as caught:
        read("upgrade: {mode: never}")
    assert caught.value.at == ("upgrade", "mode")


def test_maps_are_merged_entry_by_entry() -> None:
    """A file nearer to the job adds to Flink options, labels and logging, and wins where both speak."""
    lower = "labels: {team: bids, owner: ada}\nflink_options: {a: 1, b: 2}\nlogging: {root: INFO}\n"
    upper = "labels: {owner: eve}\nflink_options: {b: 3}\nlogging: {org.x: DEBUG}\n"
    assert laid(lower, upper) == {
        "labels": {"team": "bids", "owner": "eve"},
        "flink_options": {"a": "1", "b": "3"},
        "logging": {"root": "INFO", "org.x": "DEBUG"},
    }


def test_everything_else_is_replaced() -> None:
    """Values that are no maps, and objects as a whole, are replaced by the nearer file."""
    lower = "parallelism: 2\nupgrade: {mode: latest, fallback: false}\n"
    assert laid(lower, "parallelism: 4\nupgrade: {mode: stateless}\n") == {
        "parallelism": 4,
        "upgrade": {"mode": "stateless"},
    }


@pytest.mark.parametrize(
    ("lower", "upper", "left"),
    [
        ("parallelism: 2\nstate: suspended", "parallelism: null", {"state": "suspended"}),
        ("labels: {a: x, b: y}", "labels: {a: ~}", {"labels": {"b": "y"}}),
        ("labels: {a: x}", "labels: {a: ~}", {}),
        ("labels: {a: x}", "labels:", {}),
        ("upgrade: {mode: latest}", "upgrade: null", {}),
        ("", "parallelism: null\nlabels: {a: null}", {}),
        ("labels: {a: x}", "labels: {}", {"labels": {"a": "x"}}),
    ],
)
def test_null_takes_away_what_was_inherited(lower: str, upper: str, left: dict[str, Any]) -> None:
    """`null` removes a value, an entry or a whole map; what is left is only what somebody set."""
    assert laid(lower, upper) == left


def test_a_value_knows_the_last_file_that_had_a_say() -> None:
    """Sources name the place of the value that won."""
    found = over(over(EMPTY, read("parallelism: 2\nlabels: {a: x}", "low.yaml")), read("parallelism: 4", "high.yaml"))
    assert found.sources == {"parallelism": Position("high.yaml", 1, 14), "labels": Position("low.yaml", 2, 9)}
