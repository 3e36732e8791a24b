"""Sign requests and verify them: ACS3-HMAC-SHA256, as the official SDKs do it.

The official clients differ on the wire. The synchronous one sends the path as it signed it; the asynchronous one
signs `jobs/j%3Astop` and sends `jobs/j:stop`. So a path is tried as it arrived, then with each segment decoded and
encoded again; never the path as a whole, which would turn a name's `%2F` into a separator. Queries arrive in many
spellings (`+`, `%20`, `*`), so they are always decoded and encoded again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import gmtime, strftime, strptime
from urllib.parse import parse_qsl, quote, unquote

from flinkform.errors import Refused
from flinkform.openapi.request import PAIRS, Request

ALGORITHM = "ACS3-HMAC-SHA256"
SKEW = 15 * 60
"""Seconds that a request's date may differ from the server's clock."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^\s,]{{1,256}}),\s*SignedHeaders=([^\s,]{{1,4096}}),\s*Signature=([0-9a-fA-F]{{64}})"
)
_MUST = ("host", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce")
"""Headers that must be there and signed, or a request could be sent again elsewhere, later or with another body."""
_NAME = re.compile(r"[\w.\-\[\]]*")
"""What a name in a query may be. It is signed as it is, so one with `=` or `&` could pass for several."""


@dataclass(frozen=True, slots=True)
class Key:
    """An access key; with *token* one of limited life, whose requests must carry it."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def sign(request: Request, key: Key, *, host: str, now: float, nonce: str) -> dict[str, str]:
    """Return all headers of *request*, signed. *now* is Unix time; *nonce* must never be used again."""
    headers = {
        **request.headers,
        "host": host,
        "x-acs-content-sha256": hashlib.sha256(request.body).hexdigest(),
        "x-acs-date": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(now)),
        "x-acs-signature-nonce": nonce,
    }
    if key.token:
        headers |= {"x-acs-accesskey-id": key.id, "x-acs-security-token": key.token}
    signed = sorted(headers)
    text = _canonical(request.method, request.path, request.query.items(), headers, signed)
    credential = f"{ALGORITHM} Credential={key.id},SignedHeaders={';'.join(signed)}"
    return headers | {"authorization": f"{credential},Signature={_signature(key.secret, text)}"}


def verify(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    find: Callable[[str], Key | None],
    now: float,
    replayed: Callable[[str, str], bool],
) -> str:
    """Return the id of the key that signed the request.

    *target* is path and query as they arrived; header names are lower case. *find* looks an access key up;
    *replayed* is asked last, with key id and nonce, and remembers them for at least twice `SKEW`. Raises `Refused`
    with the code and status that the API's gateway uses.
    """
    key_id, signed, signature = _authorization(headers)
    _check_date(headers, now)
    key = find(key_id)
    if key is None:
        raise _refused(headers, "the access key is not known here", code="InvalidAccessKeyId.NotFound", status=404)
    _check_token(headers, key)
    if not hmac.compare_digest(headers["x-acs-content-sha256"].encode(), hashlib.sha256(body).hexdigest().encode()):
        raise _refused(headers, "x-acs-content-sha256 is not the hash of the body", code="SignatureDoesNotMatch")
    path, _, query = target.partition("?")
    pairs = _pairs(headers, query)
    texts = (_canonical(method, spelling, pairs, headers, signed) for spelling in _spellings(path))
    if not any(hmac.compare_digest(_signature(key.secret, text), signature.lower()) for text in texts):
        raise _refused(headers, "the signature does not match the request", code="SignatureDoesNotMatch")
    if replayed(key_id, headers["x-acs-signature-nonce"]):
        raise _refused(headers, "x-acs-signature-nonce was used before", code="SignatureNonceUsed")
    return key_id


def _canonical(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], signed: list[str]
) -> str:
    """Return the text that is signed. Names in the query are not encoded: that is how the SDKs do it."""
    pairs = "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(query))
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed)
    return "\n".join((method, path or "/", pairs, lines, ";".join(signed), headers.get("x-acs-content-sha256", "")))


def _signature(secret: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.digest(secret.encode(), f"{ALGORITHM}\n{digest}".encode(), "sha256").hex()


def _spellings(path: str) -> tuple[str, ...]:
    again = "/".join(quote(unquote(segment), safe="~") for segment in path.split("/"))
    return (path,) if again == path else (path, again)


def _authorization(headers: Mapping[str, str]) -> tuple[str, list[str], str]:
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        message = f"expected a header Authorization: {ALGORITHM} Credential=...,SignedHeaders=...,Signature=..."
        raise _refused(headers, message, code="IncompleteSignature")
    key_id, names, signature = found.groups()
    signed = names.lower().split(";")
    for name in _MUST:
        if not headers.get(name):
            raise _refused(headers, f"expected a header {name}", code="MissingParameter")
    for name in headers:
        if name not in signed and (name in _MUST or name == "workspace" or name.startswith("x-acs-")):
            raise _refused(headers, f"expected {name} among the signed headers", code="IncompleteSignature")
    return key_id, signed, signature


def _check_date(headers: Mapping[str, str], now: float) -> None:
    date = headers["x-acs-date"]
    try:
        sent = timegm(strptime(date, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        message = f"expected x-acs-date such as 2026-01-31T12:00:00Z, got {date[:40]!r}"
        raise _refused(headers, message, code="InvalidTimeStamp.Format") from None
    if abs(now - sent) > SKEW:
        message = f"x-acs-date is {abs(now - sent):.0f} s from the server's clock, at most {SKEW} are allowed"
        raise _refused(headers, message, code="InvalidTimeStamp.Expired")


def _check_token(headers: Mapping[str, str], key: Key) -> None:
    token = headers.get("x-acs-security-token", "")
    if key.token and not token:
        raise _refused(headers, "this key needs x-acs-security-token", code="MissingSecurityToken")
    if not hmac.compare_digest(token.encode(), key.token.encode()):
        code = "InvalidSecurityToken.MismatchWithAccessKey"
        raise _refused(headers, "x-acs-security-token does not belong to the key", code=code)


def _pairs(headers: Mapping[str, str], query: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PAIRS)
    except ValueError:
        raise _refused(headers, f"expected at most {PAIRS} parameters", code="InvalidParameter") from None
    if not all(_NAME.fullmatch(name) for name, _ in pairs):
        raise _refused(headers, "a parameter's name has a character that none has", code="InvalidParameter")
    return pairs


def _refused(headers: Mapping[str, str], message: str, *, code: str, status: int = 400) -> Refused:
    name = headers.get("x-acs-action", "")[:64]
    return Refused(message, operation=name, code=code, status=status, request_id="")
