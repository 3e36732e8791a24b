"""Verify the signatures of older clients: HMAC-SHA1, over headers and path (ROA) or over all parameters (RPC).

They promise less than ACS3-HMAC-SHA256 does. ROA leaves out the header `workspace`, and a body whose `Content-MD5`
was not sent: Python's SDK (`signature_algorithm="v2"`) sends none, Java's and Node's cores do. What is sent is checked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from urllib.parse import quote

from flinkform.openapi.request import FORM
from flinkform.openapi.signature import (
    Find,
    Replayed,
    check_any,
    check_date,
    check_nonce,
    check_token,
    known,
    read_pairs,
    refused,
    spellings,
)

_ROA = re.compile(r"acs ([^\s:]{1,256}):([A-Za-z0-9+/=]{1,64})")
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_PLAIN = ("accept", "content-md5", "content-type", "date")
_FIXED = {"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0"}
_MUST = ("AccessKeyId", "Signature", "SignatureNonce", "Timestamp", "Action")


def verify_roa(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    find: Find,
    now: float,
    replayed: Replayed,
) -> str:
    """Return the id of the key that signed `authorization: acs KEY:SIGNATURE`; as `signature.verify` does."""
    found = _ROA.fullmatch(headers.get("authorization", ""))
    if not found:
        raise refused("expected a header authorization: acs KEY:SIGNATURE", code="IncompleteSignature")
    key_id, signature = found.groups()
    for name in ("date", "x-acs-signature-nonce"):
        if not headers.get(name):
            raise refused(f"expected a header {name}", code="MissingParameter")
    check_date(headers["date"], now, "date", style=HTTP_DATE)
    key = known(find(key_id))
    check_token(headers.get("x-acs-security-token", ""), key, now)
    _check_md5(headers, body)
    check_any((_hmac(key.secret, text) for text in _roa_texts(method, target, headers, body)), signature)
    check_nonce(replayed, key_id, headers["x-acs-signature-nonce"])
    return key_id


def verify_rpc(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    find: Find,
    now: float,
    replayed: Replayed,
) -> str:
    """Return the id of the key that signed all parameters of query and form; as `signature.verify` does."""
    sent = parameters(target, headers, body)
    for name in _MUST:
        if not sent.get(name):
            raise refused(f"expected a parameter {name}", code="MissingParameter")
    for name, value in _FIXED.items():
        if sent.get(name) != value:
            raise refused(f"expected {name} {value}", code="IncompleteSignature")
    if body and not is_form(headers):
        raise refused(f"expected a body of type {FORM}: no other is signed", code="IncompleteSignature")
    check_date(sent["Timestamp"], now, "Timestamp")
    key = known(find(sent["AccessKeyId"]))
    check_token(sent.get("SecurityToken", ""), key, now)
    pairs = "&".join(f"{_quoted(name)}={_quoted(sent[name])}" for name in sorted(sent) if name != "Signature")
    check_any([_hmac(f"{key.secret}&", f"{method}&%2F&{_quoted(pairs)}")], sent["Signature"])
    check_nonce(replayed, key.id, sent["SignatureNonce"])
    return key.id


def parameters(target: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Return the parameters of query and form; of two of one name that which an operation would be given."""
    pairs = read_pairs(target.partition("?")[2])
    if is_form(headers):
        pairs += read_pairs(body.decode("utf-8", "replace"))
    return dict(pairs)


def is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def _roa_texts(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Yield what may have been signed: clients differ in the path, in empty parameters, and in the type of nothing."""
    path, _, query = target.partition("?")
    pairs = sorted(dict(read_pairs(query)).items())
    own = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers) if name.startswith("x-acs-"))
    types = [headers] if body else [headers, {**headers, "content-type": ""}]
    for spelling, empty, given in product(spellings(path), ("", "="), types):
        plain = "".join(f"{given.get(name, '')}\n" for name in _PLAIN)
        yield f"{method}\n{plain}{own}{spelling}{_resource(pairs, empty)}"


def _resource(pairs: Sequence[tuple[str, str]], empty: str) -> str:
    return "?" * bool(pairs) + "&".join(f"{name}={value}" if value else name + empty for name, value in pairs)


def _check_md5(headers: Mapping[str, str], body: bytes) -> None:
    sent = headers.get("content-md5")
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest())
    if sent and not hmac.compare_digest(sent.encode(), digest):
        raise refused("content-md5 is not the hash of the body", code="SignatureDoesNotMatch")


def _hmac(secret: str, text: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def _quoted(text: str) -> str:
    return quote(text, safe="~")
