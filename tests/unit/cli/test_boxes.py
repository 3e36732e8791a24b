"""What a failed terraform says, for a person and for a script."""

from __future__ import annotations

from flinkform.cli import boxes
from flinkform.errors import Refused

TWO = """\
flink_job.a: Creating...

Error: CreateDeployment: namespace cpu is used up; raise it (code 1001,
request r-1)

  with flink_job.a,
  on cdk.tf.json line 88, in resource.flink_job.a:
  88:         "namespace": "shop",

Error: job 7 of b is FAILED, expected RUNNING

  with flink_job.b,
  on cdk.tf.json line 70, in resource.flink_job.b:
  70:       {

diagnosis: no slots
  12: why = not
"""


def test_a_part_is_one_box() -> None:
    """Stack, address and attribute; operation, code and request of what the API refused."""
    error = boxes.failure("shop", "apply", TWO)
    refused, failed = error.parts
    assert error.at == ("shop", "flink_job.a", "flink_job.b")
    assert isinstance(refused, Refused)
    assert (refused.operation, refused.code, refused.request_id) == ("CreateDeployment", "1001", "r-1")
    assert refused.at == ("shop", "flink_job.a", "namespace")
    assert refused.message.startswith("CreateDeployment: namespace cpu is used up")
    assert not isinstance(failed, Refused)
    assert failed.at == ("shop", "flink_job.b")
    assert failed.message.startswith("job 7 of b is FAILED, expected RUNNING\n")


def test_an_operation_is_found_behind_other_words() -> None:
    """What stands before the operation's name is about where it was sent."""
    text = "Error: http://h is not able to answer: Note: StartJob: no (code 9, request r)\n"
    (part,) = boxes.failure("shop", "plan", text).parts
    assert isinstance(part, Refused)
    assert part.operation == "StartJob"


def test_without_a_box_the_last_lines_are_told() -> None:
    """A terraform that dies otherwise is told as it is, with no part to look into."""
    error = boxes.failure("shop", "init", "\n".join(f"line {n}" for n in range(30)))
    assert error.message.startswith("terraform init failed in stack shop\nline 10\n")
    assert (error.at, error.parts) == (("shop",), ())
