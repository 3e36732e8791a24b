"""The entry of this repository: an environment in, Terraform stacks out."""

import os
from pathlib import Path

from flinkform_constructs import App
from stacks import declare

app = App()
declare(app, Path(__file__).parent, os.environ)
app.synth()
