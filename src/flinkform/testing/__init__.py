"""What tests of an infrastructure repository need: a control plane of their own, plans to look at, golden files.

The fixtures `flinkform_repository` and `flinkform_golden` come by themselves where flinkform is installed.
"""

from flinkform.testing.golden import Golden
from flinkform.testing.plans import Change, Plan, assert_plan, assert_plan_empty
from flinkform.testing.repository import Repository, opened

__all__ = ["Change", "Golden", "Plan", "Repository", "assert_plan", "assert_plan_empty", "opened"]
