"""The entry of this repository: an environment in, a stack a team out, and nothing that the platform does not allow."""

import os
from pathlib import Path

from flinkform_constructs import App, ForbiddenOptions, Limits, Owners, RequiredLabels, cdk
from stacks import declare

HERE = Path(__file__).parent

app = App()
rules = cdk.Aspects.of(app)
rules.add(RequiredLabels(team="orders|payments|risk"))
rules.add(Owners(HERE / "CODEOWNERS"))
rules.add(ForbiddenOptions({"state.backend.*": "the platform chooses the backend"}))
rules.add(Limits(parallelism=16, cpu=32))
declare(app, HERE, os.environ)
app.synth()
