"""What one commit makes of two environments."""

from __future__ import annotations

import pytest

from flinkform.errors import NotFound
from flinkform.release.compare import Difference, differences
from tests.unit.release.conftest import SQL, Site

FILES = {
    "jobs/_defaults.yaml": "parallelism: 2\n",
    "jobs/a/x.sql": SQL,
    "jobs/a/y.sql": SQL,
    "environments/schema.yaml": "workspace: [cpu]\nnamespaces: [cpu]\njobs: [parallelism, labels, flink_options]\n",
    "environments/dev.yaml": "workspace: {cpu: 4}\nnamespaces:\n  a: {cpu: 2}\n",
    "environments/prod.yaml": """
workspace: {cpu: 40}
namespaces:
  a: {cpu: 20}
jobs:
  - match: [a/x]
    parallelism: 8
    flink_options: {a.password: hunter2, b: "1"}
""",
}


def test_every_value_that_differs_is_there_and_no_other(site: Site) -> None:
    """Of workspace, namespaces and jobs, entry by entry; secrets are hidden."""
    commit = site.commit(FILES)
    assert differences(site.repository, commit, "dev", "prod") == (
        Difference("workspace", "cpu", "4", "40"),
        Difference("namespace a", "cpu", "2", "20"),
        Difference("jobs/a/x.sql", "flink_options.a.password", "", "(hidden)"),
        Difference("jobs/a/x.sql", "flink_options.b", "", "1"),
        Difference("jobs/a/x.sql", "parallelism", "2", "8"),
    )
    assert differences(site.repository, commit, "dev", "dev") == ()


def test_an_environment_that_is_none_is_said(site: Site) -> None:
    """With those that there are."""
    commit = site.commit(FILES)
    with pytest.raises(NotFound, match=r"there is no environment environments/test.yaml; expected one of dev.yaml"):
        differences(site.repository, commit, "dev", "test")


def test_variables_differ_where_a_script_uses_them(site: Site) -> None:
    """As values, not as another script; what none uses is no difference."""
    files = {
        **FILES,
        "jobs/a/x.sql": "SELECT '${topic}'",
        "jobs/a/_defaults.yaml": "variables: {topic: bids, rate: '1'}\n",
        "environments/schema.yaml": "jobs: [variables]\n",
        "environments/dev.yaml": "jobs: [{match: ['**'], variables: {topic: dev.bids, rate: '2'}}]\n",
        "environments/prod.yaml": "",
    }
    commit = site.commit(files)
    assert differences(site.repository, commit, "dev", "prod") == (
        Difference("jobs/a/x.sql", "variables.topic", "dev.bids", "bids"),
    )
