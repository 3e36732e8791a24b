"""The one file that chooses between the two CDKs; everything else takes `cdk` from here."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import TYPE_CHECKING

from flinkform.errors import Missing

# jsii reads these when Node starts, so before the import below. It complains of an old Node, an odd one (21, 25) and a
# new one, in a box of twelve lines in the middle of whatever runs. The first variable is a list of majors.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20,21,22,23,24")
os.environ.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")

CHOICES = ("cdktf", "cdktn")


def choose(wanted: str) -> ModuleType:
    """Return the CDK called *wanted*, or the first that is installed; never both, as they cannot share a process.

    Raises `Missing` where there is none, or where *wanted* is not one of `CHOICES`.
    """
    if wanted and wanted not in CHOICES:
        raise Missing(f"expected FLINKFORM_CDK to be {' or '.join(CHOICES)}, got {wanted!r}")
    for name in (wanted,) if wanted else CHOICES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    raise Missing(f"{wanted or ' or '.join(CHOICES)} is not installed", advice="run `make`")


if TYPE_CHECKING:
    import cdktf as cdk
else:
    cdk = choose(os.environ.get("FLINKFORM_CDK", ""))

__all__ = ["CHOICES", "NAME", "cdk", "choose", "out_folder", "wants_hcl"]

NAME: str = cdk.__name__


def out_folder() -> str:
    """Return where the CDK's own command line wants the output, else what stock `App` takes."""
    return os.environ.get("CDKTF_OUTDIR") or "cdktf.out"


def wants_hcl() -> bool:
    """Return whether `cdktf synth --hcl` asked; the command line always sets the variable, often to `false`."""
    return os.environ.get("SYNTH_HCL_OUTPUT") == "true"
