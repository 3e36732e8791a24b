"""The reference infrastructure: which stacks it has, where their state is, and that no credential is in them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flinkform.errors import Invalid, NotFound
from flinkform_constructs import App, cdk
from stacks import Setting, declare

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two teams, one environment."""
    for path in ("bids/hourly", "fraud/alerts", "fraud/deep/er"):
        file = tmp_path / f"jobs/{path}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("SELECT 1")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.yaml").write_text(
        "workspace: {name: auction, region: cn-hangzhou, vpc_id: v, vswitch_ids: [s], bucket: b}\n"
        "namespaces: {bids: {cpu: 2}}\njobs: [{match: [fraud/*], parallelism: 5}]\n"
    )
    return tmp_path


def synth(root: Path, **shell: str) -> dict[str, Any]:
    """Return every stack of the repository at *root* and the manifest."""
    app = App(outdir=root / "out")
    declare(app, Setting.read(root, shell))
    app.synth()
    found = {p.parent.name: json.loads(p.read_bytes()) for p in root.glob("out/stacks/*/cdk.tf.json")}
    return {**found, "manifest": json.loads((root / "out/manifest.json").read_bytes())}


def test_the_commit_is_the_provider_s_and_no_resource_s(repository: Path) -> None:
    """Another commit of the same jobs gives the same resources, so its plan is empty."""
    told = [synth(repository, FLINKFORM_COMMIT=digit * 40, FLINKFORM_RELEASE="r-1") for digit in "12"]
    assert [one["bids"]["provider"]["flink"][0]["commit"] for one in told] == ["1" * 40, "2" * 40]
    assert told[0]["bids"]["resource"] == told[1]["bids"]["resource"]
    assert "commit" not in synth(repository)["bids"]["provider"]["flink"][0]


def test_one_stack_for_the_workspace_and_one_for_every_team(repository: Path) -> None:
    """The top folders of jobs/ are the teams; each team's stack comes after the workspace's and holds its own jobs."""
    found = synth(repository)
    assert set(found) == {"workspace", "bids", "fraud", "manifest"}
    order = {name: stack["dependencies"] for name, stack in found["manifest"]["stacks"].items()}
    assert order == {"workspace": [], "bids": ["workspace"], "fraud": ["workspace"]}
    (workspace,) = found["workspace"]["resource"]["flink_workspace"].values()
    assert workspace["name"] == "auction"
    assert "region" not in workspace
    assert [n["cpu"] for n in found["bids"]["resource"]["flink_namespace"].values()] == [2]
    jobs = {j["name"]: j for j in found["fraud"]["resource"]["flink_job"].values()}
    assert {name: j.get("parallelism") for name, j in jobs.items()} == {"alerts": 5, "deep.er": None}
    assert jobs["alerts"]["namespace"] == "${flink_namespace.namespace.name}"
    assert "terraform_remote_state" in jobs["alerts"]["workspace"]


def test_state_is_kept_by_environment_and_stack(repository: Path) -> None:
    """Address, locks and provider are all at the one endpoint; no credential is written."""
    (repository / "environments/prod.yaml").write_bytes((repository / "environments/dev.yaml").read_bytes())
    found = synth(repository, FLINKFORM_ENVIRONMENT="prod", FLINKFORM_ENDPOINT="http://127.0.0.1:9/")
    address = "http://127.0.0.1:9/state/prod/bids"
    assert found["bids"]["terraform"]["backend"]["http"] == {
        "address": address,
        "lock_address": address,
        "lock_method": "LOCK",
        "unlock_address": address,
        "unlock_method": "UNLOCK",
    }
    assert found["bids"]["provider"]["flink"] == [
        {"region": "cn-hangzhou", "endpoints": {"console": "http://127.0.0.1:9", "ververica": "http://127.0.0.1:9"}}
    ]
    (remote,) = found["bids"]["data"]["terraform_remote_state"].values()
    assert remote["config"]["address"] == "http://127.0.0.1:9/state/prod/workspace"
    assert "password" not in json.dumps(found)
    assert "access_key" not in json.dumps(found)


def test_the_endpoint_is_the_shells_then_the_homes_then_the_default(repository: Path, tmp_path: Path) -> None:
    """What `up` remembered counts where the shell says nothing."""
    assert Setting.read(repository, {}).endpoint == "http://127.0.0.1:8711"
    for home in (repository / ".flinkform", tmp_path / "elsewhere"):
        home.mkdir()
        (home / "endpoint").write_text(f"http://{home.name.strip('.')}\n")
    assert Setting.read(repository, {}).endpoint == "http://flinkform"
    assert Setting.read(repository, {"FLINKFORM_HOME": str(tmp_path / "elsewhere")}).endpoint == "http://elsewhere"
    shell = {"FLINKFORM_HOME": str(tmp_path / "elsewhere"), "FLINKFORM_ENDPOINT": "http://shell/"}
    assert Setting.read(repository, shell).endpoint == "http://shell"


def test_an_unknown_environment_is_refused(repository: Path) -> None:
    """The name is that of a file, and can be no path."""
    with pytest.raises(NotFound, match=r"environments/stage\.yaml.*dev\.yaml"):
        synth(repository, FLINKFORM_ENVIRONMENT="stage")
    with pytest.raises(Invalid, match=r"got '\.\./dev'"):
        synth(repository, FLINKFORM_ENVIRONMENT="../dev")


def test_what_the_environment_lacks_is_named(repository: Path) -> None:
    """A workspace without a network says which attribute is missing."""
    (repository / "environments/dev.yaml").write_text("workspace: {name: auction, vswitch_ids: [s], bucket: b}\n")
    with pytest.raises(Invalid, match="workspace/main: vpc_id: expected a value, got none"):
        synth(repository)


def test_a_namespace_without_jobs_is_refused(repository: Path) -> None:
    """A team's name that no folder has is most likely misspelt."""
    file = repository / "environments/dev.yaml"
    file.write_text(file.read_text().replace("bids: {", "bidz: {"))
    with pytest.raises(Invalid, match=r"environments/dev\.yaml:\d+:\d+: there is no job in .*jobs/bidz; remove it"):
        synth(repository)


def test_a_team_cannot_take_the_workspaces_name(repository: Path) -> None:
    """Its stack would overwrite the workspace's."""
    (repository / "jobs/bids").rename(repository / "jobs/Workspace")
    file = repository / "environments/dev.yaml"
    file.write_text(file.read_text().replace("namespaces: {bids: {cpu: 2}}\n", ""))
    with pytest.raises(Invalid, match="jobs/Workspace: a team cannot be called workspace"):
        synth(repository)


def test_main_writes_this_repository(tmp_path: Path) -> None:
    """`python main.py` turns the repository's own jobs into stacks, twice the same bytes, with nothing on stderr."""
    written = []
    for name in ("one", "two"):
        shell = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CDKTF_OUTDIR": str(tmp_path / name)}
        shell |= {k: v for k, v in os.environ.items() if k == "FLINKFORM_CDK"}
        done = subprocess.run(
            [sys.executable, "main.py"], cwd=ROOT, env=shell, check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        written.append({p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.json")})
    assert written[0] == written[1]
    assert {p.parts[1] for p in written[0] if len(p.parts) > 1} > {"workspace"}


def test_main_fails_with_the_reason_last(repository: Path) -> None:
    """Whoever runs main.py finds what to mend in its last line."""
    (repository / "jobs/bids/hourly.yaml").write_text("paralelism: 1\n")
    shell = {"PATH": os.environ["PATH"], "HOME": str(repository), "PYTHONPATH": str(ROOT)}
    shell |= {k: v for k, v in os.environ.items() if k == "FLINKFORM_CDK"}
    (repository / "main.py").write_bytes((ROOT / "main.py").read_bytes())
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=repository, env=shell, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "jobs/bids/hourly.yaml:1:1" in done.stderr.strip().splitlines()[-1]
    assert not list(repository.glob("cdktf.out/stacks/*/*"))


class _States(BaseHTTPRequestHandler):
    """Keeps states in memory for whoever knows the password."""

    states: dict[str, bytes]
    password = "Basic " + base64.b64encode(b"key:secret").decode()

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        known = self.headers.get("Authorization") == self.password
        found = self.states.get(self.path.partition("?")[0], b"") if known else b""
        if known and self.command == "POST":
            self.states[self.path.partition("?")[0]] = body
        self.send_response(401 if not known else 404 if self.command == "GET" and not found else 200)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_POST = do_LOCK = do_UNLOCK = handle_any  # noqa: N815 - the server's names for methods

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def states() -> Iterator[str]:
    """The URL of a server that keeps states."""
    handler = type("States", (_States,), {"states": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_one_pair_of_variables_opens_own_and_other_states(tmp_path: Path, states: str, terraform: str) -> None:
    """TF_HTTP_USERNAME and _PASSWORD serve the backend and the remote state of another stack; without them, neither."""
    app = App(outdir=tmp_path)
    owner, user = cdk.TerraformStack(app, "owner"), cdk.TerraformStack(app, "user")
    for stack in (owner, user):
        address = f"{states}/{stack.node.id}"
        cdk.HttpBackend(stack, address=address, lock_address=address, unlock_address=address)
    made = cdk.TerraformResource(owner, "made", terraform_resource_type="terraform_data")
    made.add_override("input", "seen")
    taken = cdk.TerraformResource(user, "taken", terraform_resource_type="terraform_data")
    taken.add_override("input", made.get_string_attribute("output"))
    cdk.TerraformOutput(user, "o", value=taken.get_string_attribute("output"), sensitive=True)
    app.synth()

    def run(name: str, *words: str, **shell: str) -> subprocess.CompletedProcess[str]:
        environment: Mapping[str, str] = {"PATH": os.environ["PATH"], "CHECKPOINT_DISABLE": "1", **shell}
        command = [terraform, f"-chdir={tmp_path}/stacks/{name}", *words]
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    keys = {"TF_HTTP_USERNAME": "key", "TF_HTTP_PASSWORD": "secret"}
    for name in ("owner", "user"):
        assert run(name, "init", "-input=false", **keys).returncode == 0
        done = run(name, "apply", "-auto-approve", "-input=false", "-no-color", **keys)
        assert done.returncode == 0, done.stderr
    assert run("user", "output", "-raw", "o", **keys).stdout == "seen"
    assert "secret" not in "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file() and p.suffix != "")
    assert run("user", "plan", "-input=false").returncode != 0
