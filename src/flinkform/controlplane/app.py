"""The control plane as one ASGI application: which path is answered by what."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route, request_response

from flinkform.controlplane.api.artifacts import UPLOAD, Uploads
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.dispatch import Gateway
from flinkform.controlplane.api.history import History
from flinkform.controlplane.api.pages import Pages
from flinkform.controlplane.api.plain import private
from flinkform.controlplane.api.states import Backend

_STATE = "{environment}/{stack}"
_OWN = "/flinkform/v1"
_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def build(services: Services) -> Starlette:
    """Return the application; whatever is none of our own paths is a request of the OpenAPI."""
    gateway, pages, states = Gateway(services), Pages(services), Backend(services)
    known = partial(private, services)
    served = Starlette(
        routes=[
            Route("/healthz", pages.healthz, methods=["GET"]),
            Route("/readyz", pages.readyz, methods=["GET"]),
            Route("/flink", pages.flink, methods=["GET"]),
            Route("/flink/of/{deployment}/{path:path}", pages.flink, methods=["GET"]),
            Route("/flink/{path:path}", pages.flink, methods=["GET"]),
            Route(f"{_OWN}/status", known("GetStatus", pages.status), methods=["GET"]),
            Route(f"{_OWN}/jobs/{{deployment}}/log", pages.log, methods=["GET"]),
            Route(
                f"{_OWN}/jobs/{{deployment}}/runs",
                known("GetRuns", History(services).answer, "deployment"),
                methods=["GET"],
            ),
            Route(f"{_OWN}/states", known("ListStates", states.listing), methods=["GET"]),
            Route(f"{_OWN}/states/{_STATE}", known("ListStates", states.versions, "state"), methods=["GET"]),
            Route(f"{_OWN}/states/{_STATE}/restore", known("RestoreState", states.restore, "state"), methods=["POST"]),
            Route(f"{_OWN}/states/{_STATE}/unlock", known("UnlockState", states.unlock, "state"), methods=["POST"]),
            Route(f"/state/{_STATE}", states.endpoint, methods=["GET", "POST", "DELETE", "LOCK", "UNLOCK"]),
            Route(f"{UPLOAD}/{{link}}", Uploads(services).endpoint, methods=["PUT"]),
            Route("/{path:path}", gateway.endpoint, methods=_ANY),
        ]
    )
    # What no pattern matches, such as a path with a newline in it, is answered in the API's words too.
    served.router.default = request_response(gateway.endpoint)
    return served
