"""Links by which a file is uploaded without an access key: signed, for one name, and only for a while."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from flinkform.controlplane.vault import Vault
from flinkform.errors import Denied

SECONDS = 900
"""How long a link is good."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link lets its bearer do: put a file to the *place* until *ends*, in seconds since the epoch."""

    place: str
    ends: int

    def signed(self, vault: Vault) -> str:
        """The link as text that fits into a path."""
        said = urlsafe_b64encode(json.dumps([self.place, self.ends]).encode()).decode().rstrip("=")
        return f"{said}.{vault.mark(said)}"


def read(text: str, vault: Vault, *, now: float) -> Link:
    """Return what a link allows. Denied: somebody made it up, or it is too old."""
    said, _, mark = text.partition(".")
    if not hmac.compare_digest(mark.encode(), vault.mark(said).encode()):
        raise Denied("the link is not one of ours", advice="ask for another (GetPreSignedUrlForPutObject)")
    place, ends = json.loads(urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    if now > ends:
        raise Denied("the link is too old", advice="ask for another (GetPreSignedUrlForPutObject)")
    return Link(place, ends)
