"""The one file that chooses between the two CDKs; everything else takes `cdk` from here."""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from flinkform.errors import Missing
from flinkform_constructs import plain

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


def _plainly(wanted: str) -> ModuleType | None:
    """Return the words that need no Node, where the run is flinkform's own and can be repeated with the CDK."""
    name = wanted or next((one for one in CHOICES if find_spec(one)), "")
    if not os.environ.get("FLINKFORM_PLAIN") or "CDKTF_CONTEXT_JSON" in os.environ or name not in CHOICES:
        return None
    plain.alone(name)
    return plain


if TYPE_CHECKING:
    import cdktf as cdk
    import jsii
    from constructs import Construct, IValidation
else:
    cdk = constructs = jsii = _plainly(os.environ.get("FLINKFORM_CDK", ""))
    if cdk is None:
        cdk = choose(os.environ.get("FLINKFORM_CDK", ""))
        constructs, jsii = importlib.import_module("constructs"), importlib.import_module("jsii")
    Construct, IValidation = constructs.Construct, constructs.IValidation

__all__ = ["CHOICES", "NAME", "Construct", "IValidation", "cdk", "choose", "jsii", "out_folder", "wants_hcl"]

NAME: str = cdk.__name__


def out_folder() -> str:
    """Return where the CDK's own command line wants the output, else what stock `App` takes."""
    return os.environ.get("CDKTF_OUTDIR") or "cdktf.out"


def wants_hcl() -> bool:
    """Return whether `cdktf synth --hcl` asked; the command line always sets the variable, often to `false`."""
    return os.environ.get("SYNTH_HCL_OUTPUT") == "true"
