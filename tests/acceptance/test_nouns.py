"""The examples of all pages together, with the real terraform, a whole control plane and a Flink in memory."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flinkform.provider.connect import connect
from flinkform.provider.protocol import plugin
from flinkform.provider.service import Service
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import DATA_SOURCES, PROVIDER, RESOURCES
from tests.acceptance.terraform import PROGRAM, Terraform
from tests.contract.served import Served, served

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs terraform")

SECRET = "correct-horse-battery-staple"
EXAMPLES = "\n".join(one.example for one in (*RESOURCES, *DATA_SOURCES))


@dataclass(frozen=True, slots=True)
class Stage:
    """Terraform in a folder, whose provider is this process, and the control plane that it talks to."""

    terraform: Terraform
    plane: Served


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    folder = tmp_path / "terraform"
    folder.mkdir()
    (folder / "bids_per_minute.sql").write_text("INSERT INTO b SELECT * FROM a")
    with served(tmp_path / "home") as plane:
        environment = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": plane.key.id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": plane.key.secret,
            "FLINKFORM_ENDPOINT": plane.endpoint,
        }

        sessions: list[Session] = []

        def connected(block: Values, stop: threading.Event) -> Session:
            sessions.append(connect(block, stop, environment=environment))
            return sessions[-1]

        with plugin.reattach(Service(connected).methods, PROVIDER) as provider:
            variables = {
                "TF_REATTACH_PROVIDERS": provider.environment,
                "TF_VAR_database_password": SECRET,
                "TF_LOG": "TRACE",
                "TF_LOG_PATH": str(folder / "trace.log"),
            }
            yield Stage(Terraform(folder, variables), plane)
        for session in sessions:
            session.client.close()  # type: ignore[attr-defined]


def test_every_example(stage: Stage) -> None:
    """All are applied in one go, plan empty, are imported by their ids and destroyed; the secret is nowhere."""
    terraform = stage.terraform
    state = terraform.apply(EXAMPLES)
    made = {address: values for address, values in state.items() if not address.startswith("data.")}
    assert {address.partition(".")[0] for address in made} == {one.type_name for one in RESOURCES}
    assert {a.split(".")[1] for a in state if a.startswith("data.")} == {one.type_name for one in DATA_SOURCES}
    assert [one["member"] for one in state["data.flink_members.analyst"]["members"]] == ["user:181319557522"]
    assert state["data.flink_folder.reports"]["name"] == "reports"

    again = {address: values["id"] for address, values in made.items()}
    terraform.run("state", "rm", *again)
    for address, key in again.items():
        terraform.run("import", "-input=false", address, key)
    assert terraform.plan() == {}
    assert places(terraform.folder, SECRET) == []
    assert places(stage.plane.home, SECRET) == []

    terraform.variables["TF_VAR_database_password"] = "another"  # type: ignore[index]
    assert terraform.plan() == {}
    newer = EXAMPLES.replace("value_version = 1", "value_version = 2")
    terraform.apply(newer, expect={"flink_variable.password": ["update"]})
    terraform.destroy()


def places(folder: Path, secret: str) -> list[str]:
    """Return the files below *folder* in which *secret* stands, packed or not."""
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    content = b"\n".join(archive.read(entry) for entry in archive.namelist())
            else:
                content = path.read_bytes()
            if secret.encode() in content:
                found.append(str(path))
    return found
