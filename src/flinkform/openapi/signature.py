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
from math import inf
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
_USUAL = ("host", "content-type")
"""What all clients sign beside their `x-acs-` headers."""
_NAME = re.compile(r"[\w.\-\[\]]*")
"""What a name in a query may be. It is signed as it is, so one with `=` or `&` could pass for several."""


Find = Callable[[str], "Key | None"]
"""Looks an access key up by its id."""
Replayed = Callable[[str, str], bool]
"""Says whether a key used a nonce before, and remembers that it did now."""


@dataclass(frozen=True, slots=True)
class Key:
    """An access key; with *token* one of limited life, whose requests must carry it until *ends* (Unix time)."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    ends: float = field(default=inf, repr=False)


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
    find: Find,
    now: float,
    replayed: Replayed,
) -> str:
    """Return the id of the key that signed the request.

    *target* is path and query as they arrived; header names are lower case. *find* looks an access key up;
    *replayed* is asked last, with key id and nonce, and remembers them for at least twice `SKEW`. Raises `Refused`
    with the code and status that the API's gateway uses.
    """
    key_id, signed, signature = _authorization(headers)
    check_date(headers["x-acs-date"], now, "x-acs-date")
    key = known(find(key_id))
    check_token(headers.get("x-acs-security-token", ""), key, now)
    check_hash(headers, body)
    path, _, query = target.partition("?")
    pairs = read_pairs(query)
    texts = (_canonical(method, spelling, pairs, headers, signed) for spelling in spellings(path))
    check_any((_signature(key.secret, text) for text in texts), signature.lower())
    check_nonce(replayed, key_id, headers["x-acs-signature-nonce"])
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


def _authorization(headers: Mapping[str, str]) -> tuple[str, list[str], str]:
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        message = f"expected a header Authorization: {ALGORITHM} Credential=...,SignedHeaders=...,Signature=..."
        raise refused(message, code="IncompleteSignature")
    key_id, names, signature = found.groups()
    signed = names.lower().split(";")
    for name in _MUST:
        if not headers.get(name):
            raise refused(f"expected a header {name}", code="MissingParameter")
    # The clients of other languages sign no header of the API's own; one that signs any must sign this one.
    thorough = any(name not in _USUAL and not name.startswith("x-acs-") for name in signed)
    for name in headers:
        must = name in _MUST or name.startswith("x-acs-") or (name == "workspace" and thorough)
        if must and name not in signed:
            raise refused(f"expected {name} among the signed headers", code="IncompleteSignature")
    return key_id, signed, signature


def spellings(path: str) -> tuple[str, ...]:
    """Return the ways in which a client may have written *path* when it signed it."""
    again = "/".join(quote(unquote(segment), safe="~") for segment in path.split("/"))
    return (path,) if again == path else (path, again)


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Return the parameters of a query or form; Refused for too many, or for a name that could pass for several."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=PAIRS)
    except ValueError:
        raise refused(f"expected at most {PAIRS} parameters", code="InvalidParameter") from None
    if not all(_NAME.fullmatch(name) for name, _ in pairs):
        raise refused("a parameter's name has a character that none has", code="InvalidParameter")
    return pairs


def known(key: Key | None) -> Key:
    """Return the key; Refused if there is none."""
    if key is None:
        raise refused("the access key is not known here", code="InvalidAccessKeyId.NotFound", status=404)
    return key


def check_date(text: str, now: float, name: str, *, style: str = "%Y-%m-%dT%H:%M:%SZ") -> None:
    """Refuse a date that is none, or that is more than `SKEW` from the server's clock."""
    try:
        sent = timegm(strptime(text, style))
    except ValueError:
        message = f"expected {name} such as {strftime(style, gmtime(now))}, got {text[:40]!r}"
        raise refused(message, code="InvalidTimeStamp.Format") from None
    if abs(now - sent) > SKEW:
        message = f"{name} is {abs(now - sent):.0f} s from the server's clock, at most {SKEW} are allowed"
        raise refused(message, code="InvalidTimeStamp.Expired")


def check_token(token: str, key: Key, now: float) -> None:
    """Refuse a temporary key without its token, with another one, or after its time."""
    if key.token and not token:
        raise refused("this key needs its security token (x-acs-security-token)", code="MissingSecurityToken")
    if not hmac.compare_digest(token.encode(), key.token.encode()):
        code = "InvalidSecurityToken.MismatchWithAccessKey"
        raise refused("the security token (x-acs-security-token) does not belong to the key", code=code)
    if now >= key.ends:
        raise refused("the temporary key has expired", code="InvalidSecurityToken.Expired", advice="get a new one")


def check_hash(headers: Mapping[str, str], body: bytes) -> None:
    """Refuse a body that is not the one whose hash was sent."""
    sent = headers["x-acs-content-sha256"].encode()
    if not hmac.compare_digest(sent, hashlib.sha256(body).hexdigest().encode()):
        raise refused("x-acs-content-sha256 is not the hash of the body", code="SignatureDoesNotMatch")


def check_any(expected: Iterable[str], signature: str) -> None:
    """Refuse a *signature* that is none of the *expected*; how much of it is right takes no time to tell."""
    if not any(hmac.compare_digest(one.encode(), signature.encode()) for one in expected):
        raise refused("the signature does not match the request", code="SignatureDoesNotMatch")


def check_nonce(replayed: Replayed, key_id: str, nonce: str) -> None:
    """Refuse what was sent before; asked last, so that only a good signature uses a nonce up."""
    if replayed(key_id, nonce):
        raise refused("the signature's nonce was used before", code="SignatureNonceUsed")


def refused(message: str, *, code: str, status: int = 400, advice: str = "") -> Refused:
    """Return the refusal of a request whose operation is not known yet."""
    return Refused(message, operation="", code=code, status=status, request_id="", advice=advice)
