"""`flinkform approve`: one more signature on a release, by somebody else."""

from __future__ import annotations

import argparse
import json

from flinkform.cli import project
from flinkform.release import document, gate, signature
from flinkform.release.git import Repository


def run(options: argparse.Namespace) -> int:
    """Add the signature, and say what is still lacking."""
    here = project.checkout()
    repository = Repository.around(here.root, here.shell)
    sealed = document.read(options.release)
    rules = gate.rules(repository, sealed.release.commit, sealed.release.environment)
    content = sealed.release.content
    signer = signature.verify(here.shell, rules.signers, content, sealed.signature, signature.RELEASE)
    made = sealed.approved(signature.sign(repository, content, signature.APPROVAL))
    found = gate.approvers(made, rules, repository, signer)  # also refuses a key that nobody named
    made.write(options.release)
    lacking = tuple(gate.lacking(sealed.release, rules, found))
    if options.json:
        print(json.dumps({"id": made.release.id, "approved_by": [str(one) for one in found], "lacking": lacking}))
        return 0
    print(f"{made.release.id} is approved by {', '.join(map(str, found)) or 'nobody but who made it'}")
    print("\n".join(lacking) or f"it may be applied: flinkform apply {options.release}")
    return 0
