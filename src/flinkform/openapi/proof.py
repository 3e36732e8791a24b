"""Which proof of who asks a request carries, and whether it holds: one of three signatures, or a bearer token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flinkform.openapi import legacy, signature
from flinkform.openapi.signature import Find, Key, Replayed, check_date, check_hash, check_nonce, refused


class Scheme(StrEnum):
    """The kinds of proof."""

    ACS3 = "ACS3-HMAC-SHA256"
    ROA = "acs"
    RPC = "HMAC-SHA1"
    BEARER = "BEARERTOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a verifier knows: the keys by id, the bearer tokens, the time (Unix), and the nonces that were used."""

    find: Find
    bearer: Callable[[str], Key | None]
    now: float
    replayed: Replayed


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that held: whose key it was, and the operation that was named, if any."""

    key_id: str
    scheme: Scheme
    action: str


def verify(method: str, target: str, headers: Mapping[str, str], body: bytes, known: Known) -> Proof:
    """Return the proof that a request carries; arguments and failures are those of `signature.verify`."""
    scheme = _scheme(target, headers, body)
    if scheme is Scheme.BEARER:
        key_id = _bearer(target, headers, body, known)
    else:
        check = {Scheme.ACS3: signature.verify, Scheme.ROA: legacy.verify_roa, Scheme.RPC: legacy.verify_rpc}[scheme]
        key_id = check(method, target, headers, body, find=known.find, now=known.now, replayed=known.replayed)
    # The headers of RPC are not signed: there the operation is what its parameters say.
    action = "" if scheme is Scheme.RPC else headers.get("x-acs-action", "")
    if not action and target.partition("?")[0] in ("", "/"):
        action = legacy.parameters(target, headers, body).get("Action", "")
    return Proof(key_id, scheme, action)


def _scheme(target: str, headers: Mapping[str, str], body: bytes) -> Scheme:
    authorization = headers.get("authorization", "")
    if headers.get("x-acs-bearer-token"):
        return Scheme.BEARER
    if authorization:
        return Scheme.ROA if authorization.startswith("acs ") else Scheme.ACS3
    sent = legacy.parameters(target, headers, body)
    return Scheme.BEARER if sent.get("BearerToken") else Scheme.RPC if sent.get("Signature") else Scheme.ACS3


def _bearer(target: str, headers: Mapping[str, str], body: bytes, known: Known) -> str:
    """Check a token; who reads it on its way can use it, so what else was sent only guards against mistakes."""
    sent = {} if headers.get("x-acs-bearer-token") else legacy.parameters(target, headers, body)
    key = known.bearer(headers.get("x-acs-bearer-token") or sent["BearerToken"])
    if key is None:
        raise refused("the bearer token is not known here", code="InvalidBearerToken.NotFound", status=403)
    if known.now >= key.ends:
        raise refused("the bearer token has expired", code="InvalidBearerToken.Expired", status=403)
    if date := headers.get("x-acs-date") or sent.get("Timestamp"):
        check_date(date, known.now, "x-acs-date or Timestamp")
    elif date := headers.get("date"):
        check_date(date, known.now, "date", style=legacy.HTTP_DATE)
    if headers.get("x-acs-content-sha256"):
        check_hash(headers, body)
    if nonce := headers.get("x-acs-signature-nonce") or sent.get("SignatureNonce"):
        check_nonce(known.replayed, key.id, nonce)
    return key.id
