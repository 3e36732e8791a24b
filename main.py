"""The reference infrastructure: the environment in, one Terraform stack per team out."""

import os
from pathlib import Path

from flinkform_constructs import App
from stacks import Setting, declare

app = App()
declare(app, Setting.read(Path(__file__).parent, os.environ))
app.synth()
