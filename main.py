"""The reference infrastructure: the environment in, one Terraform stack per team out."""

import gc
import os
from pathlib import Path

from flinkform_constructs import App
from stacks import Setting, declare

gc.disable()  # Everything made here is written and then left: there is nothing to collect.
app = App()
declare(app, Setting.read(Path(__file__).parent, os.environ))
app.synth()
gc.freeze()  # Not at the end either.
