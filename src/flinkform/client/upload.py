"""Puts a file where a signed link says. The link is a secret: no error shows it."""

from __future__ import annotations

import time
from http.client import HTTPException
from urllib.parse import urlsplit

from flinkform.client.proxy import local
from flinkform.client.wire import Pool
from flinkform.errors import Denied, Refused, Unavailable


def put(url: str, body: bytes, *, proxy: str = "") -> None:
    """Send *body* once, without a type, which would have to be signed. *proxy* is not for this machine's own links.

    Denied, Refused or Unavailable: it is not there now.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    pool = Pool(f"{parts.scheme}://{parts.netloc}", proxy="" if local(host) else proxy, clock=time.time)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        line = pool.take()
        try:
            answer = line.exchange("PUT", target, {"host": parts.netloc, "user-agent": "flinkform"}, body)
        finally:
            line.connection.close()
    except (OSError, HTTPException) as error:
        raise Unavailable(f"{host} did not take the file: {type(error).__name__}", advice="apply again") from None
    if answer.status in (401, 403):
        raise Denied(f"{host} does not take the file (HTTP {answer.status})", advice="apply again; a link has its time")
    if answer.status >= 500:
        raise Unavailable(f"{host} did not take the file (HTTP {answer.status})", advice="apply again")
    if answer.status >= 300:
        raise Refused(
            f"{host} does not take the file (HTTP {answer.status})",
            operation="PUT",
            code=str(answer.status),
            status=answer.status,
            request_id="",
        )
