"""Files that users upload: a link is asked for with an access key, and whoever has the link puts the file there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from flinkform.controlplane import vault
from flinkform.controlplane.api import places
from flinkform.controlplane.api.call import Call, Handler, Params, Services
from flinkform.controlplane.api.failures import refused
from flinkform.controlplane.api.plain import answered, guarded
from flinkform.controlplane.delivery import links
from flinkform.controlplane.delivery.fetch import at, uploaded
from flinkform.controlplane.delivery.shelf import Shelf
from flinkform.errors import Invalid

UPLOAD = "/flinkform/v1/uploads"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def link(call: Call, params: Params, _body: Any) -> dict[str, str]:
    """Answer with where a file is going to be (`jarUrl`), and the link that a PUT brings it to, good for a while."""
    name = params["fileName"]
    if not _NAME.fullmatch(name):
        raise Invalid("expected a file's name of letters, digits, '.', '_' and '-'", at=("fileName",))
    with call.store.read() as db:
        namespace = places.usable(db, params)
    place = uploaded(namespace.workspace, namespace.name, name)
    made = links.Link(place, int(call.services.clock()) + links.SECONDS)
    return {"jarUrl": place, "preSignedUrl": f"{call.host}{UPLOAD}/{made.signed(vault.of(call.services.settings))}"}


class Uploads:
    """Takes the PUT of a link."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def endpoint(self, incoming: Request) -> Response:
        return await guarded(self._put, incoming)

    async def _put(self, incoming: Request) -> Response:
        settings = self._services.settings
        allowed = links.read(incoming.path_params["link"], vault.of(settings), now=self._services.clock())
        shelf = at(settings.home / "artifacts").shelf
        announced = incoming.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > shelf.limit:
            message = f"expected a file of at most {shelf.limit} bytes"
            raise refused(message, code="RequestEntityTooLarge", status=413)
        return answered({"sha256": await _kept(incoming, shelf, allowed.place)})


async def _kept(incoming: Request, shelf: Shelf, place: str) -> str:
    """Write a body to disk as it comes; what is cut off is not kept."""
    with shelf.incoming() as new:
        try:
            async for part in incoming.stream():
                await run_in_threadpool(new.write, part)
        except ClientDisconnect:
            raise refused("the caller left before the file was there", code="RequestTimeout", status=408) from None
        if not new.size:
            raise Invalid("expected a file, got nothing")
        found = await run_in_threadpool(new.keep)
    shelf.name(place, found)
    return found


OPERATIONS: Mapping[str, Handler] = {"GetPreSignedUrlForPutObject": link}
