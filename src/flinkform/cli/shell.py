"""`flinkform env`: what a shell, plain terraform and cdktf need to work on this project."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

from flinkform.cli import project, tools
from flinkform.cli.project import Project
from flinkform.errors import FlinkformError
from flinkform.release.git import Repository


def run(options: argparse.Namespace) -> int:
    """Print lines for `eval`, or a JSON object."""
    here = project.find()
    here.login()
    found = variables(here)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in found.items()))
    return 0


def variables(here: Project) -> dict[str, str]:
    """Return the variables that carry endpoint, credentials and tools to terraform, cdktf and the constructs."""
    key, secret = here.credentials()
    found = {
        "FLINKFORM_HOME": str(here.home),
        "FLINKFORM_ENDPOINT": here.endpoint(),
        project.OWN: "" if here.shell.get("FLINKFORM_ENDPOINT") else here.endpoint(),
        "FLINKFORM_ENVIRONMENT": here.environment,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret,
        "TF_HTTP_USERNAME": key,
        "TF_HTTP_PASSWORD": secret,
        "TF_CLI_CONFIG_FILE": str(here.home / "terraform.rc"),
        "CHECKPOINT_DISABLE": "1",
        "FLINKFORM_PYTHON": sys.executable,
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(here.home / "cache" / "jsii"),
        "PATH": _path(here),
    }
    terraform, node = tools.terraform(here.shell), tools.node(here.shell)
    if terraform.found:
        found["TERRAFORM_BINARY_NAME"] = terraform.path
    if node.found:
        found["JSII_NODE"] = node.path
    return found


def provenance(here: Project, commit: str = "", release: str = "") -> dict[str, str]:
    """Return the variables that tell the stacks which commit they are of: that of the checkout unless one is given.

    A checkout with edits is of none. `flinkform env` does not say it: what a shell knows may be old.
    """
    return {"FLINKFORM_COMMIT": commit or _commit(here), "FLINKFORM_RELEASE": release}


def _commit(here: Project) -> str:
    try:
        repository = Repository.around(here.root, here.shell)
        return "" if repository.uncommitted() else repository.resolve("HEAD")
    except FlinkformError:
        return ""


def _path(here: Project) -> str:
    """Return PATH with this Python's own programs in front, so that `python main.py` finds the constructs."""
    mine = str(Path(sys.executable).parent)
    path = here.shell.get("PATH", os.defpath)
    return path if path.split(os.pathsep)[0] == mine else mine + os.pathsep + path
