"""What the control plane promises of things that are only kept, beyond what every type of them promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flinkform.controlplane import vault
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.store import runs, things
from flinkform.errors import Invalid
from flinkform.flink.session import Remote
from tests.unit.controlplane.api.world import Api

SECRET = "correct-horse-battery-staple"


@pytest.fixture
def services(services: Services) -> Services:
    big = Remote(name="cluster", url="http://flink.example:8081", storage="s3://bucket/flink")
    return replace(services, settings=replace(services.settings, targets={"cluster": big}))


def variable(**fields: str) -> dict[str, str]:
    return {"name": "password", "kind": "Encrypted", "value": SECRET, **fields}


def test_secret_is_nowhere(api: Api) -> None:
    """The value of a variable is in no answer, no event, no error, and in no file of the home but encrypted."""
    told = [api.call("CreateVariable", variable()), api.call("ListVariables"), api.call("GetEvents")]
    told.append(api.call("UpdateVariable", variable(description="d"), name="password"))
    told.append({"said": api.fails("CreateVariable", variable())})
    told.append({"said": api.fails("CreateVariable", variable(name="-", value=SECRET))})
    told.append({"said": api.fails("UpdateVariable", variable(kind="Odd"), name="password")})
    assert SECRET not in str(told)
    files = [path for path in api.services.settings.home.rglob("*") if path.is_file()]
    assert any(path.name.startswith("controlplane.db") for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert api.services.settings.secrets.stat().st_mode & 0o777 == 0o600


def test_secret_opens_for_its_own_alone(api: Api) -> None:
    """What was sealed can be had again, by whoever has the key and for the variable it was sealed for."""
    api.call("CreateVariable", variable())
    safe = vault.of(api.services.settings)
    with api.store.read() as db:
        kept = things.get(db, "variable", api.workspace, api.namespace, "password")
    assert safe.open(kept) == {"value": SECRET}
    with pytest.raises(Invalid, match="encrypted with another key"):
        safe.open(replace(kept, id="other"))
    with pytest.raises(Invalid, match="encrypted with another key"):
        vault.Vault(b"0" * 32).open(kept)


def test_what_is_hidden_is_not_shown_by_a_change_of_kind(api: Api) -> None:
    """Whoever may change a variable may not read it so; a value sent along makes it clear."""
    api.call("CreateVariable", variable())
    code, said = api.fails("UpdateVariable", variable(kind="Clear", value=""), name="password")
    assert (code, said) == ("OperationConflict", "variable password is encrypted; send a value with the new kind")
    shown = api.call("UpdateVariable", variable(kind="Clear", value="new"), name="password")
    assert shown["data"]["value"] == "new"


def test_update_is_partial(api: Api) -> None:
    """What is not sent stays, null and an empty text clear, a required field cannot be cleared."""
    api.call("CreateVariable", variable(description="d"))
    api.call("UpdateVariable", variable(), name="password")
    assert api.call("ListVariables")["data"][0]["description"] == "d"
    api.call("UpdateVariable", variable(description=""), name="password")
    assert "description" not in api.call("ListVariables")["data"][0]
    made = api.call("CreateFolder", {"name": "a"})["data"]["folderId"]
    assert api.fails("UpdateFolder", {"name": None}, folderId=made) == (
        "InvalidParameter",
        "name: is required and missing",
    )


def test_folder_in_itself(api: Api) -> None:
    """A folder cannot be moved below itself, nor into one that is not there; names are unique in one parent only."""
    top = api.call("CreateFolder", {"name": "a"})["data"]["folderId"]
    low = api.call("CreateFolder", {"name": "a", "parentId": top})["data"]["folderId"]
    code, said = api.fails("UpdateFolder", {"parentId": low}, folderId=top)
    assert (code, said) == ("OperationConflict", "folder a cannot be moved into itself")
    assert api.fails("CreateFolder", {"name": "b", "parentId": "x"})[1] == (
        "parentId: expected the id of a folder, got 'x'"
    )
    assert api.fails("CreateFolder", {"name": "a"})[0] == "OperationConflict"
    assert api.fails("UpdateFolder", {"parentId": None}, folderId=low)[0] == "OperationConflict"


def test_targets_that_are_there_already(api: Api) -> None:
    """The usual queue and the clusters declared can neither be made nor removed."""
    spec = {"cpu": 1.0, "memory": "4Gi"}
    for name in ("default-queue", "cluster"):
        assert api.fails("CreateDeploymentTarget", spec, deploymentTargetName=name)[0] == "OperationConflict"
        assert api.fails("DeleteDeploymentTarget", deploymentTargetName=name)[0] == "990301"
    listed = [one["name"] for one in api.call("ListDeploymentTargets")["data"]]
    assert listed == ["default-queue", "cluster"]


def test_jobs_of_a_target_run_here(api: Api) -> None:
    """A job in a target that was made through the API runs in the Flink beside us; one that is gone is named."""
    spec = {"cpu": 1.0, "memory": "4Gi"}
    api.call("CreateDeploymentTarget", spec, deploymentTargetName="batch")
    made = api.make(deploymentTarget={"name": "batch"})
    job = api.started(made)
    with api.store.read() as db:
        found = runs.find(db, job)
    assert found is not None
    assert found.definition["runtime"] == "default-queue"
    assert api.call("GetDeployment", deploymentId=made)["data"]["deploymentHasChanged"] is False
    said = api.fails("StartJobWithParams", {"deploymentId": api.make("b"), "resourceQueueName": "huge"})[1]
    assert said == "expected the deployment target default-queue or batch or cluster, got 'huge'"


def test_a_namespace_takes_what_it_holds_with_it(api: Api) -> None:
    """Nothing is left of a namespace that is gone, so one of its name begins empty."""
    api.call("CreateNamespace", Namespace="team")
    api.settle()
    api.call("CreateFolder", {"name": "a"}, namespace="team")
    api.call("DeleteNamespace", Namespace="team")
    api.settle()
    api.call("CreateNamespace", Namespace="team")
    api.settle()
    assert api.call("GetFolder", namespace="team")["data"]["subFolder"] == []
