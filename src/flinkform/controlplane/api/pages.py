"""What people and `flinkform` look at: health, the jobs at a glance, their logs, and Flink's own pages."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from flinkform.controlplane import home
from flinkform.controlplane.api import access, proxy
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.plain import answered, guarded
from flinkform.controlplane.secrets import Secrets
from flinkform.controlplane.store import deployments, instances, namespaces, runs
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.targets import QUEUE
from flinkform.errors import FlinkformError, Invalid, NotFound
from flinkform.resources.job import Target

_ALL = 10_000
_PAGE = 500
_TAIL = 65_536
_MOST = 64 * 1024 * 1024
_POLL = 0.25
_PIECE = 256 * 1024


class Pages:
    """The pages of one control plane."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def healthz(self, _incoming: Request) -> Response:
        """Say that the process is up; asks nothing of anything."""
        return answered({"status": "ok"})

    async def readyz(self, _incoming: Request) -> Response:
        """Say whether jobs can run, and if not (503) why; definitions are served all the same."""
        reasons = await run_in_threadpool(self.reasons)
        return answered({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    def reasons(self) -> list[str]:
        """Return why no job can run, or be trusted to, now; nothing if one can."""
        found = []
        try:
            with self._services.store.read() as db:
                instances.page(db, limit=1)
        except FlinkformError as error:
            found.append(str(error))
        if lack := home.full(self._services.settings.home):
            found.append(lack)
        if not self._services.runtime.alive and (reason := self._services.trouble()):
            found.append(reason)
        return found

    def status(self, incoming: Request) -> dict[str, Any]:
        """Return every job with what it should be and what it is."""
        base = f"{incoming.url.scheme}://{incoming.headers.get('host', incoming.url.netloc)}"
        with self._services.store.read() as db:
            return {"endpoint": base, "jobs": list(self._jobs(db, base))}

    def _jobs(self, db: Connection, base: str) -> Iterator[dict[str, Any]]:
        for one, newest in _deployments(db):
            shared = newest is None or self._services.where(newest) is self._services.runtime
            shown = _job(one, newest, f"{base}/flink" if shared else f"{base}/flink/of/{one.id}")
            if newest is not None and newest.live and (silent := self._services.where(newest).silent):
                shown |= {"state": "UNKNOWN", "trouble": silent}
            yield shown

    async def log(self, incoming: Request) -> Response:
        """Send a deployment's newest job's log; with `follow=true` as it grows, until the job ends."""
        return await guarded(self._log, incoming)

    async def flink(self, incoming: Request) -> Response:
        """Pass a GET on to Flink's REST and UI; without a key only from this machine, to one of its own names.

        The name is checked so that a page from elsewhere in the user's browser cannot reach this one by a DNS
        name of its own.
        """
        if incoming.scope["path"] == "/flink":
            return RedirectResponse("/flink/")
        return await guarded(self._flink, incoming)

    async def _flink(self, incoming: Request) -> Response:
        if not _local(incoming):
            await run_in_threadpool(access.admitted, self._services, incoming.headers, "GetFlinkPages")
        runtime, before = self._services.runtime, "/flink"
        if deployment := incoming.path_params.get("deployment"):
            runtime = self._services.where(await run_in_threadpool(self._newest, deployment))
            before = f"/flink/of/{deployment}"
        status, kind, content = await run_in_threadpool(proxy.fetch, runtime, _path(incoming).removeprefix(before))
        return Response(content, status, {"content-type": kind, "x-content-type-options": "nosniff"})

    async def _log(self, incoming: Request) -> Response:
        deployment = incoming.path_params["deployment"]
        await run_in_threadpool(access.admitted, self._services, incoming.headers, "GetLog", f"deployment/{deployment}")
        run = await run_in_threadpool(self._newest, deployment)
        tail = _tail(incoming.query_params.get("tail", str(_TAIL)))
        if incoming.query_params.get("follow", "").lower() != "true":
            return PlainTextResponse(await run_in_threadpool(self._said, run, tail))
        return StreamingResponse(self._follow(run, tail), media_type="text/plain; charset=utf-8")

    def _newest(self, deployment_id: str) -> Run:
        with self._services.store.read() as db:
            found = runs.page(db, deployment_id, limit=1)
        if not found.items:
            raise NotFound(f"deployment {deployment_id[:80]} does not exist or was never started")
        return found.items[0]

    def _said(self, run: Run, tail: int) -> str:
        """Return the end of the log; of a job that failed before it logged, why."""
        said = self._services.secrets(run).mask(self._services.runtime.log(run.job_id, tail=tail))
        return said or f"{(run.failure or {}).get('message', '')}\n".lstrip("\n")

    async def _follow(self, run: Run, tail: int) -> AsyncIterator[bytes]:
        """Yield the log as it grows; ends one look after the job did, or when the control plane stops."""
        path: Path | None = None
        position, ended, line = 0, False, b""
        secrets = await run_in_threadpool(self._services.secrets, run)
        while not self._services.stopping():
            if path is None and (path := await run_in_threadpool(self._services.runtime.log_path, run.job_id)):
                position = await run_in_threadpool(_start, path, tail)
            piece = b""
            if path is not None:
                piece, position = await run_in_threadpool(_read, path, position)
            if piece:
                # By whole lines, so that no secret is cut in two.
                whole, end, line = (line + piece).rpartition(b"\n")
                yield _masked(secrets, whole + end)
                continue
            if ended:
                yield _masked(secrets, line)
                return
            ended = not await run_in_threadpool(self._live, run.id)
            await anyio.sleep(0 if ended else _POLL)

    def _live(self, run_id: str) -> bool:
        with self._services.store.read() as db:
            found = runs.find(db, run_id)
        return found is not None and found.live


def _path(incoming: Request) -> str:
    """Return path and query as they were sent."""
    raw: bytes = incoming.scope.get("raw_path") or incoming.scope["path"].encode()
    query: bytes = incoming.scope["query_string"]
    return raw.partition(b"?")[0].decode("latin-1") + ("?" + query.decode("latin-1")) * bool(query)


def _deployments(db: Connection) -> Iterator[tuple[deployments.Deployment, Run | None]]:
    """Yield every deployment with its newest run."""
    for instance in instances.page(db, limit=_ALL).items:
        for namespace in namespaces.page(db, instance.id, limit=_ALL).items:
            offset = 0
            while True:
                page = deployments.page(db, namespace.workspace, namespace.name, offset=offset, limit=_PAGE)
                newest = runs.summaries(db, [one.id for one in page.items])
                for one in page.items:
                    yield one, newest[one.id].newest
                offset += _PAGE
                if offset >= page.total:
                    break


def _job(one: deployments.Deployment, newest: Run | None, pages: str) -> dict[str, Any]:
    """Return one job's line; what it should be is what was asked of its newest run, *trouble* why it failed.

    *pages* is where Flink's own begin.
    """
    desired = "running" if newest is not None and newest.intent != "STOP" else "suspended"
    shown = {
        "workspace": one.workspace,
        "namespace": one.namespace,
        "name": one.name,
        "desired": desired,
        "state": newest.state if newest else "SUSPENDED",
        "deployment_id": one.id,
        "job_id": newest.id if newest else "",
        "target": _target(newest.definition if newest else one.document),
        "url": "",
        "trouble": str((newest.failure or {}).get("reason", "")) if newest else "",
    }
    if newest is not None and newest.started_at is not None:
        shown["url"] = f"{pages}/#/job/{'running' if newest.live else 'completed'}/{newest.job_id}/overview"
    return shown


def _target(definition: Mapping[str, Any]) -> str:
    """Return where a job runs as a job file says it; empty for the usual queue."""
    name = Target().decode(definition.get("deploymentTarget") or {})
    return "" if name in (None, QUEUE) else str(name)


def _tail(text: str) -> int:
    if not text.isdecimal() or int(text) > _MOST:
        raise Invalid(f"expected tail=BYTES of at most {_MOST}, got {text[:40]!r}")
    return int(text)


def _masked(secrets: Secrets, data: bytes) -> bytes:
    if not secrets.hidden:
        return data
    return secrets.mask(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _start(path: Path, tail: int) -> int:
    """Return where the first whole line of the last *tail* bytes begins."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size <= tail:
                return 0
            file.seek(size - tail - 1)
            file.readline(_PIECE)
            return file.tell()
    except OSError:
        return 0


def _read(path: Path, position: int) -> tuple[bytes, int]:
    """Return what stands behind *position*, and where that ends; from the start if the file was turned over."""
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) < position:
                position = 0
            file.seek(position)
            piece = file.read(_PIECE)
    except OSError:
        return b"", 0
    return piece, position + len(piece)


def _local(incoming: Request) -> bool:
    """Say whether a request comes from this machine and was meant for it."""
    host = incoming.headers.get("host", "").rsplit(":", 1)[0].strip("[]")
    return _loopback(incoming.client.host if incoming.client else "") and (host == "localhost" or _loopback(host))


def _loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
