"""What a verifier insists on, whoever signed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from flinkform.errors import Refused
from flinkform.openapi.operation import operation
from flinkform.openapi.request import Request, build
from flinkform.openapi.signature import Key, sign, verify

NOW = 1_700_000_000
KEY = Key("LTAI1", "secret")
REQUEST = build(operation("GetJob"), {"workspace": "w", "namespace": "n", "jobId": "j"})


def check(
    headers: Mapping[str, str],
    *,
    request: Request = REQUEST,
    target: str = "",
    now: float = NOW,
    replayed: bool = False,
) -> str:
    """Verify *request* with *headers*; nothing else is known than one key."""
    keys = {KEY.id: KEY}
    target = target or request.target
    return verify(request.method, target, headers, request.body, find=keys.get, now=now, replayed=lambda *_: replayed)


def signed(request: Request = REQUEST, key: Key = KEY, now: float = NOW) -> dict[str, str]:
    return sign(request, key, host="h", now=now, nonce="n-1")


def refusal(headers: Mapping[str, str], **how: object) -> tuple[str, int]:
    with pytest.raises(Refused) as caught:
        check(headers, **how)  # type: ignore[arg-type]
    assert caught.value.operation == ""
    assert KEY.secret not in str(caught.value)
    return caught.value.code, caught.value.status


def test_good() -> None:
    """A good signature says whose it is."""
    assert check(signed()) == "LTAI1"


@pytest.mark.parametrize("authorization", ["", "Basic x", "ACS3-HMAC-SHA256", "acs LTAI1:xyz", "x" * 100_000])
def test_no_authorization(authorization: str) -> None:
    """No signature, or one of another kind, is incomplete."""
    assert refusal(signed() | {"authorization": authorization}) == ("IncompleteSignature", 400)


@pytest.mark.parametrize("name", ["host", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"])
def test_headers_that_must_be_there(name: str) -> None:
    """Without these a request could be used again elsewhere, later or with another body."""
    assert refusal({k: v for k, v in signed().items() if k != name}) == ("MissingParameter", 400)


def test_headers_that_must_be_signed() -> None:
    """A header that decides what is done counts only if it is signed."""
    assert refusal(signed() | {"x-acs-extra": "1"}) == ("IncompleteSignature", 400)
    plain = build(operation("ListEditableNamespace"), {"regionId": "r"})
    with pytest.raises(Refused, match="workspace among the signed"):
        check(signed(plain) | {"workspace": "other"}, request=plain)


def test_unknown_key() -> None:
    """A key that is not known has its own code."""
    assert refusal(signed(key=Key("LTAI2", "secret"))) == ("InvalidAccessKeyId.NotFound", 404)


@pytest.mark.parametrize("away", [-901, 901])
def test_date(away: int) -> None:
    """Dates up to 15 minutes from the server's clock are good, older and newer ones are not."""
    assert refusal(signed(), now=NOW + away) == ("InvalidTimeStamp.Expired", 400)
    assert check(signed(), now=NOW + away // 2) == "LTAI1"


def test_date_format() -> None:
    """A date in another format is refused."""
    assert refusal(signed() | {"x-acs-date": "now"}) == ("InvalidTimeStamp.Format", 400)


def test_replay() -> None:
    """A nonce that was used is refused, but only a good signature may use one up."""
    assert refusal(signed(), replayed=True) == ("SignatureNonceUsed", 400)
    assert refusal(signed(key=Key("LTAI1", "wrong")), replayed=True) == ("SignatureDoesNotMatch", 400)


def test_query_names_cannot_hide_others() -> None:
    """Two parameters cannot be passed off as one whose name holds the other."""
    request = build(operation("ListJobs"), {"workspace": "w", "namespace": "n", "deploymentId": "d", "sortName": "s"})
    forged = request.target.replace("=d&sortName=", "%3Dd%26sortName=")
    with pytest.raises(Refused, match="parameter's name"):
        check(signed(request), request=request, target=forged)


def test_secrets_are_not_shown() -> None:
    """A key can be printed."""
    assert repr(Key("id", "secret", "token")) == "Key(id='id')"
