"""Adding a type that is only kept takes one file written by hand, and `make generate`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("src", "constructs", "stacks", "tests", "docs", "provider-schema", "pyproject.toml")
STEPS = ("cli.types", "provider.document", "cli.reference", "cli.registry")
"""Those of `make generate` that a type has a part in, with that of the constructs."""
TESTS = (
    ("tests/contract/test_kept.py", "sql_file"),
    ("tests/contract/test_every.py", "left_out"),
    ("tests/unit/provider/test_plan.py", "sql_file"),
    ("tests/unit/provider/test_service.py", "sql_file"),
    ("tests/unit/provider/test_describe.py", ""),
    ("tests/unit/cli/test_registry.py", ""),
    ("tests/synth/test_generated.py", "sql_file or current"),
    ("tests/synth/test_intent.py", "sql_file"),
    ("tests/unit/controlplane/api/test_unanswered.py", "once"),
    ("tests/unit/controlplane/api/test_gateway.py", "SqlFile"),
)
DECLARATION = '''
"""SQL files: scripts that people run by hand."""

from __future__ import annotations

from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource
from flinkform.schema.types import String

_PLACE = {"type": String(), "origin": Origin.REQUIRED, "change": Change.REPLACE}

RESOURCE = Resource(
    name="sql_file",
    doc="A script that people run by hand.",
    key=("workspace", "namespace", "sql_file_id"),
    kept=True,
    unique=("name",),
    api=Api(
        create=Call(operation="CreateSqlFile"),
        read=Call(operation="GetSqlFile"),
        update=Call(operation="UpdateSqlFile"),
        delete=Call(operation="DeleteSqlFile"),
        answer="data",
    ),
    attributes=(
        Attribute(name="id", type=String(), doc="Its id.", origin=Origin.COMPUTED, stable=True),
        Attribute(name="workspace", doc="The workspace's `resource_id`.", path="workspace", **_PLACE),
        Attribute(name="namespace", doc="The namespace's name.", path="namespace", **_PLACE),
        Attribute(name="name", type=String(), doc="Its name.", origin=Origin.REQUIRED, path="name"),
        Attribute(name="sql", type=String(), doc="The script.", origin=Origin.REQUIRED, path="sqlScript"),
        Attribute(name="mode", type=String(choices=("a", "b")), doc="Its mode.", default="a", path="batchMode"),
        Attribute(name="description", type=String(), doc="For people.", path="description"),
        Attribute(name="folder_id", type=String(), doc="Where it is.", refers="folder", path="parentId"),
        Attribute(
            name="sql_file_id", type=String(), doc="Its key.", origin=Origin.COMPUTED, stable=True, path="sqlFileId"
        ),
    ),
    example="""
resource "flink_sql_file" "look" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
  name      = "look"
  sql       = "SELECT 1"
}
""",
)
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What of the repository a type has a part in."""
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(folder: Path, *words: str) -> str:
    """Run a module of the copy."""
    paths = os.pathsep.join(str(folder / one) for one in ("src", "constructs"))
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_one_file_is_all_it_takes(copy: Path) -> None:
    """From it come schema, plan, routes, import, data source, construct and page, and what every type promises."""
    (copy / "src/flinkform/resources/sql_file.py").write_text(DECLARATION.lstrip())
    for step in (*(f"flinkform.{one}" for one in STEPS), "flinkform_constructs.generate"):
        run(copy, step)
    ((_, schemas),) = json.loads((copy / "provider-schema/flink.json").read_text())["provider_schemas"].items()
    assert schemas["resource_schemas"]["flink_sql_file"]["block"]["attributes"]["sql"]["required"] is True
    assert "flink_sql_file" in schemas["data_source_schemas"]
    assert "class SqlFile(Resource):" in (copy / "constructs/flinkform_constructs/_blocks.py").read_text()
    assert "terraform import flink_sql_file.look" in (copy / "docs/resources/sql_file.md").read_text()
    assert (copy / "docs/data-sources/sql_file.md").is_file()
    for operation in ("CreateSqlFile", "GetSqlFile", "UpdateSqlFile", "DeleteSqlFile"):
        assert f"| {operation} | answered | `flink_sql_file`" in (copy / "docs/reference/openapi.md").read_text()
    chosen = " or ".join(f"({Path(file).stem} and ({word or 'test'}))" for file, word in TESTS)
    said = run(copy, "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *(file for file, _ in TESTS))
    assert " passed" in said
