"""What the API says of scripts that name secrets."""

from __future__ import annotations

from tests.unit.controlplane.api.world import Api, Flink

PASSWORD = "a-planted-secret"
SQL = "CREATE TABLE a (b INT) WITH ('password' = '${secret_values.password}');\nINSERT INTO c"


def test_validation_and_logs(api: Api, flink: Flink) -> None:
    """Validation tells an unknown name and its place; of what there is Flink sees the name; a log is masked."""
    body = {"statement": "SELECT\n'${secret_values.password}'", "batchMode": False}
    told = api.call("ValidateSqlStatement", body)["data"]["errorDetails"]
    assert (told["lineNumber"], told["columnNumber"]) == ("2", "2")
    assert "has no variable password" in told["message"]
    api.call("CreateVariable", {"name": "password", "value": PASSWORD, "kind": "Encrypted"})
    assert api.call("ValidateSqlStatement", body)["data"]["success"] is True
    assert flink.validated[-1][0] == body["statement"]

    made = api.make(artifact={"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": SQL}})
    api.started(made)
    flink.said = f"connecting with {PASSWORD}\n"
    log = api.call("GetLatestJobStartLog", deploymentId=made)["data"]
    assert "connecting with ******" in log
    assert "planted" not in log
    settings = api.services.settings
    assert b"planted" not in b"".join(p.read_bytes() for p in settings.home.rglob("*") if p.is_file())


def test_options_name_no_secret(api: Api) -> None:
    """Options are kept, shown and given to a JVM as they stand: one that names a secret is refused, and what to do."""
    named = {"s3.secret-key": "${secret_values.password}"}
    kind = {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": SQL}}
    usual = {"mode": "PER_JOB", "name": "default-queue"}
    for operation, body in (
        ("CreateDeployment", {"name": "j", "artifact": kind, "deploymentTarget": usual, "executionMode": "STREAMING"}),
        ("CreateSessionCluster", {"name": "shared", "deploymentTargetName": "default-queue"}),
    ):
        code, said = api.fails(operation, {**body, "flinkConf": named})
        assert (code, "expected no secret, which only a script is filled in with" in said) == ("InvalidParameter", True)
