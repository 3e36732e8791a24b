"""Which of the two CDKs is used: cdktf unless told otherwise, and everything here holds for both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flinkform.errors import Missing
from flinkform_constructs import _cdk

ROOT = Path(__file__).parents[2]


def test_cdktf_is_the_default() -> None:
    """Without a word the archived but agreed library is taken; a variable says the other."""
    assert _cdk.choose("").__name__ == "cdktf"
    assert os.environ.get("FLINKFORM_CDK", "cdktf") == _cdk.NAME


def test_an_unknown_library_is_refused() -> None:
    """The message says which names there are."""
    with pytest.raises(Missing, match="expected FLINKFORM_CDK to be cdktf or cdktn, got 'cdk8s'"):
        _cdk.choose("cdk8s")


@pytest.mark.skipif(bool(os.environ.get("FLINKFORM_CDK")), reason="this is the run for one library")
def test_everything_holds_for_cdktn() -> None:
    """The whole folder passes with the other library; one process cannot hold both."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)]
    shell = {**os.environ, "FLINKFORM_CDK": "cdktn"}
    done = subprocess.run(command, cwd=ROOT, env=shell, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
