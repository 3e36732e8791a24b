"""How failures look to Terraform."""

from __future__ import annotations

from flinkform.errors import Invalid, Refused
from flinkform.provider import diagnostics
from flinkform.provider.protocol import protobuf
from flinkform.resources.job import RESOURCE


def test_error() -> None:
    """Summary is the first line, detail the rest, and the attribute is pointed at."""
    told = protobuf.read(diagnostics.error(Invalid("wrong\nbecause", at=("upgrade", "mode"), advice="fix it"), ()))
    assert (told[1], told[2]) == (1, b"wrong")
    assert bytes(told[3]).startswith(b"because")
    assert bytes(told[3]).endswith(b"fix it")
    assert told[4] == b"".join(protobuf.message(1, protobuf.string(1, s)) for s in ("upgrade", "mode"))


def test_refused() -> None:
    """What the API refused says which operation, code and request it was."""
    fault = Refused("no", operation="StartJob", code="42", status=200, request_id="r-1")
    assert protobuf.read(diagnostics.error(fault))[2] == b"StartJob: no (code 42, request r-1)"


def test_warning() -> None:
    """A warning stops nothing."""
    assert protobuf.read(diagnostics.warning("careful")) == {1: 2, 2: b"careful"}


def test_steps() -> None:
    """A step is an attribute's name, a map's key or a list's index."""
    path = diagnostics.path(("labels", "a.b"), RESOURCE.attributes)
    assert path == protobuf.message(1, protobuf.string(1, "labels")) + protobuf.message(1, protobuf.string(2, "a.b"))
    (step,) = [v for _, v in protobuf.fields(diagnostics.path((0,), ()))]
    assert protobuf.fields(bytes(step)).__next__()[0] == 3


def test_bounded() -> None:
    """A log of megabytes does not become a diagnostic of megabytes."""
    assert len(diagnostics.error(Invalid("x" * 5_000_000))) < 50_000
