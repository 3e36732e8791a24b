"""Who owns a path, as the hosts read CODEOWNERS."""

from __future__ import annotations

import pytest

from flinkform.jobfile.owners import Ask, parse

GITHUB = """
# comment
*           @all
/jobs/pay/  @pay @lead   # their own
jobs/*/x.sql @x
*.yaml
/jobs/with\\ blank/ a@example.com
deep/       @deep
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ("@all",)),
        ("jobs/pay/a/b.sql", ("@pay", "@lead")),
        ("jobs/pay/x.sql", ("@x",)),
        ("jobs/pay/x.yaml", ()),
        ("jobs/with blank/a.sql", ("a@example.com",)),
        ("jobs/a/deep/b.sql", ("@deep",)),
        ("jobs/pay", ("@all",)),
    ],
)
def test_the_last_rule_counts(path: str, owners: tuple[str, ...]) -> None:
    """And one without owners asks nobody."""
    found = parse(GITHUB).asks(path)
    assert found == ((Ask(owners),) if owners else ())


def test_gitlab_sections_each_ask() -> None:
    """With the owners and the number that their heads say; an optional one does not."""
    found = parse("* @root\n[Data][2] @data\njobs/\njobs/pay/ @pay\n^[Docs] @docs\n*\n[data]\n*.py @py\n")
    assert found.asks("jobs/a.sql") == (Ask(("@root",)), Ask(("@data",), 2, "Data"))
    assert found.asks("jobs/pay/a.sql") == (Ask(("@root",)), Ask(("@pay",), 2, "Data"))
    assert found.asks("main.py") == (Ask(("@root",)), Ask(("@py",), 1, "data"))


def test_stars_stay_in_their_folder() -> None:
    """Two of them do not."""
    found = parse("jobs/* @flat\njobs/**/deep.sql @deep\n")
    assert found.asks("jobs/a.sql") == (Ask(("@flat",)),)
    assert found.asks("jobs/a/b.sql") == ()
    assert found.asks("jobs/a/b/deep.sql") == found.asks("jobs/deep.sql") == (Ask(("@deep",)),)
