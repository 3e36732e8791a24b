"""`python -m flinkform.provider`: the provider from the source tree, for Terraform's dev_overrides."""

from __future__ import annotations

from flinkform.provider.entry import main

main()
