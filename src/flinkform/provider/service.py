"""The calls of plugin protocol 6: from bytes to values, to the room that decides, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from threading import Event
from typing import Any, TypeVar

from flinkform.errors import FlinkformError, Invalid, Unavailable
from flinkform.provider import check, describe, diagnostics, record, sources
from flinkform.provider.apply import Kept
from flinkform.provider.job import Jobs
from flinkform.provider.plan import Plan, plan
from flinkform.provider.protocol import grpc, protobuf
from flinkform.provider.protocol.faults import Malformed
from flinkform.provider.session import Result, Session
from flinkform.provider.upgrade import noted
from flinkform.provider.values import Form, Values
from flinkform.resources import DATA_SOURCES, RESOURCES, job
from flinkform.schema.model import Attribute, DataSource, Moved, Resource

PREFIX = b"/tfplugin6.Provider/"
_WRITE_ONLY = 2
"""The field of ClientCapabilities by which core says that it knows write-only attributes."""

T = TypeVar("T")

Message = Mapping[int, Any]
"""A request: the last value of each field, by number."""
Connect = Callable[[Values, Event], Session]
"""Makes a session of a provider block; the event is set when Terraform wants an end."""


class Kind:
    """A resource type with the form of its values."""

    __slots__ = ("bounded", "form", "inner", "names", "resource", "secret")

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.form = Form(resource.attributes)
        self.bounded = tuple(a for a in resource.attributes if check.bounded(a.type) or a.exclusive)
        self.secret = tuple(a.name for a in resource.attributes if a.write_only)
        self.names = frozenset(a.name for a in resource.attributes)
        self.inner = tuple((a.name, {b.name for b in a.nested}, a.default) for a in resource.attributes if a.nested)

    def current(self, values: Mapping[str, Any]) -> bool:
        """Say whether a state has today's shape, which nearly every one has."""
        if values.keys() != self.names:
            return False
        inner = ((values[name], names, default) for name, names, default in self.inner)
        return all(default is None if value is None else value.keys() == names for value, names, default in inner)

    def written(self, config: Values | None) -> dict[str, Any]:
        """Return what a configuration has for write-only attributes."""
        return {name: value for name in self.secret if (value := (config or {}).get(name)) is not None}

    def engine(self, session: Session) -> Kept | Jobs:
        """Return what carries out changes of this type."""
        return Jobs(session) if self.resource is job.RESOURCE else Kept(self.resource, session)


class Service:
    """The provider, as `protocol.plugin` serves it: `methods` maps a path to what answers it."""

    def __init__(self, connect: Connect, *, schema: bytes = b"") -> None:
        self._connect = connect
        self._schema = schema
        self._stop = Event()
        self._session: Session | None = None
        self._engines: dict[bytes, Kept | Jobs] = {}
        self._settings = Form(describe.SETTINGS)
        self._kinds = {r.type_name.encode(): Kind(r) for r in RESOURCES}
        self._sources = {d.type_name.encode(): (d, Form(describe.answered(d))) for d in DATA_SOURCES}
        self.methods = {PREFIX + name.encode(): self._edge(call, field) for name, call, field in self._calls()}

    def stop(self) -> None:
        """End every wait; what was asked of the API stays asked."""
        self._stop.set()

    def _calls(self) -> tuple[tuple[str, Callable[[Message], grpc.Answer], int], ...]:
        """Return name, method and the number of the answer's diagnostics, call by call."""
        return (
            ("GetMetadata", lambda _: describe.metadata(), 2),
            ("GetProviderSchema", self._get_schema, 4),
            ("ValidateProviderConfig", self._validate_provider, 2),
            ("ValidateResourceConfig", self._validate_resource, 1),
            ("ValidateDataResourceConfig", self._validate_source, 1),
            ("UpgradeResourceState", self._upgrade, 2),
            ("ConfigureProvider", self._configure, 1),
            ("ReadResource", self._read, 2),
            ("PlanResourceChange", self._plan, 4),
            ("ApplyResourceChange", self._apply, 3),
            ("ImportResourceState", self._import, 2),
            ("MoveResourceState", self._move, 2),
            ("ReadDataSource", self._read_source, 2),
            ("GetFunctions", lambda _: b"", 2),
            ("StopProvider", self._stop_provider, 1),
        )

    def _edge(self, call: Callable[[Message], grpc.Answer], field: int) -> Callable[[bytes], grpc.Answer]:
        """Return the method that turns every failure of *call* into diagnostics, in its thread as on the loop."""

        def method(data: bytes) -> grpc.Answer:
            request = protobuf.read(data)
            attributes = self._attributes(request)
            answer = guarded(lambda: call(request), field, attributes)
            if isinstance(answer, grpc.Later):
                work = answer.work
                return grpc.Later(lambda: guarded(work, field, attributes))
            return answer

        return method

    def _attributes(self, request: Message) -> tuple[Attribute, ...]:
        kind = self._kinds.get(request.get(1) or b"")
        return kind.resource.attributes if kind else describe.SETTINGS

    def _get_schema(self, _: Message) -> bytes:
        self._schema = self._schema or describe.provider_schema()
        return self._schema

    def _validate_provider(self, request: Message) -> bytes:
        return _checked(describe.SETTINGS, self._settings.load(request.get(1, b"")), 2)

    def _validate_resource(self, request: Message) -> bytes:
        kind = self._kind(request[1])
        config = kind.form.glance(request[2])
        if kind.secret and not protobuf.read(request.get(3, b"")).get(_WRITE_ONLY) and (found := kind.written(config)):
            raise Invalid(
                "needs Terraform 1.11 or OpenTofu 1.11, which keep it out of plan and state", at=(min(found),)
            )
        return _checked(kind.bounded, config, 1)

    def _validate_source(self, request: Message) -> bytes:
        source, form = self._sources[request[1]]
        return _checked(source.arguments, form.load(request[2]), 1)

    def _configure(self, request: Message) -> bytes:
        # One process may serve many commands (reattach): each starts with nothing remembered.
        self._stop = Event()
        self._session = self._connect(self._settings.load(request.get(2, b"")) or {}, self._stop)
        self._engines = {name: kind.engine(self._session) for name, kind in self._kinds.items()}
        return b"".join(protobuf.message(1, diagnostics.warning(text)) for text in self._session.warnings)

    def _upgrade(self, request: Message) -> bytes:
        kind = self._kind(request[1])
        text = protobuf.read(request.get(3, b"")).get(1, b"")
        version, ours = request.get(2, 0), kind.resource.version
        if version > ours or not isinstance(text, bytes):
            raise Invalid(
                f"expected a state of {kind.resource.type_name} of version {ours} at most, got {version}",
                advice="use the version of flinkform that wrote it, or a newer one",
            )
        values = json.loads(text)
        if not kind.current(values):
            text = json.dumps(record.completed(kind.resource.attributes, values)).encode()
        return protobuf.message(1, protobuf.bytes_(2, text))

    def _read(self, request: Message) -> grpc.Answer:
        kind, current, kept = self._kind(request[1]), request[2], request.get(3, b"")
        state, private = kind.form.glance(current) or {}, _private(kept)
        before = dict(private)
        engine = self._engine(request[1])

        def answer(found: Values | None) -> bytes:
            # What did not change goes back as the bytes it came in.
            told = current if found == state else kind.form.dump(found)
            learned = kept if private == before else _kept(private)
            return protobuf.message(1, told) + protobuf.bytes_(3, learned)

        cached = engine.cached(state, private)
        if cached is not None:
            return answer(cached)
        return grpc.Later(lambda: answer(engine.read(state, private)))

    def _plan(self, request: Message) -> grpc.Answer:
        kind, engine = self._kind(request[1]), self._engines.get(request[1])
        look = kind.form.glance
        prior = look(request[2])
        made = plan(kind.resource, prior=prior, proposed=look(request[3]), config=look(request[4]))
        private = request.get(5, b"")
        if made.values is prior and prior is not None:
            return protobuf.message(1, request[2]) + protobuf.bytes_(3, private)
        ask = engine.foresight(prior, made, _private(private)) if isinstance(engine, Jobs) else None
        if ask is None:
            return _planned(kind, made, private)

        def work() -> bytes:
            foreseen = ask()
            return _planned(kind, foreseen, _kept(noted(_private(private), foreseen)))

        return grpc.Later(work)

    def _apply(self, request: Message) -> grpc.Answer:
        kind, engine = self._kind(request[1]), self._engine(request[1])
        prior, planned = kind.form.load(request[2]), kind.form.load(request[3])
        # Loaded, not glanced at: what is in it for a write-only attribute must not stay in memory.
        written = kind.written(kind.form.load(request.get(4, b""))) if kind.secret else {}
        result = Result(state=prior, written=written, private=_private(request.get(5, b"")))

        def change() -> bytes:
            if planned is None:
                engine.delete(prior or {}, result)
            elif prior is None:
                engine.create(planned, result)
            else:
                engine.update(prior, planned, result)
            return b""

        def work() -> bytes:
            failures = guarded(change, 3, kind.resource.attributes)
            warnings = (protobuf.message(3, diagnostics.warning(text)) for text in result.warnings)
            state = protobuf.message(1, kind.form.dump(result.state))
            private = protobuf.bytes_(2, _kept(result.private) if result.state else b"")
            return b"".join((state, private, failures, *warnings))

        return grpc.Later(work)

    def _import(self, request: Message) -> bytes:
        kind = self._kind(request[1])
        state = record.imported(kind.resource, request.get(2, b"").decode())
        return protobuf.message(1, protobuf.bytes_(1, request[1]), protobuf.message(2, kind.form.dump(state)))

    def _move(self, request: Message) -> bytes:
        kind, version = self._kind(request[5]), request.get(3, 0)
        source = _source(kind.resource, request.get(1, b"").decode(), request.get(2, b"").decode())
        text = protobuf.read(request.get(4, b"")).get(1, b"")
        if version > source.version or not isinstance(text, bytes) or not text:
            raise Invalid(
                f"expected a state of {source.type} of version {source.version}, got {version if text else 'none'}",
                advice=f"bring it in by an import block of {kind.resource.type_name}",
            )
        return protobuf.message(1, kind.form.dump(record.moved(kind.resource, source, json.loads(text))))

    def _read_source(self, request: Message) -> grpc.Answer:
        source, form = self._sources[request[1]]
        config, session = form.load(request[2]) or {}, self._configured()
        return grpc.Later(lambda: _source_answer(source, form, config, session))

    def _stop_provider(self, _: Message) -> bytes:
        self.stop()
        return b""

    def _kind(self, name: bytes) -> Kind:
        kind = self._kinds.get(name)
        if kind is None:
            raise Invalid(f"expected a type of this provider, got {name.decode()!r}")
        return kind

    def _engine(self, name: bytes) -> Kept | Jobs:
        self._configured()
        return self._engines[name]

    def _configured(self) -> Session:
        if self._session is None:
            raise Unavailable("the provider was called before it was configured")
        return self._session


def guarded(work: Callable[[], T], field: int, attributes: Iterable[Attribute]) -> T | bytes:
    """Return what *work* does, or its failure as a Diagnostic in *field*: the one edge where all failures end."""
    try:
        return work()
    except FlinkformError as fault:
        return protobuf.message(field, diagnostics.error(fault, attributes))
    except Malformed:
        raise
    except Exception as unexpected:  # noqa: BLE001  the edge of the process: Terraform is told, and goes on
        return protobuf.message(field, diagnostics.bug(unexpected))


def _planned(kind: Kind, made: Plan, private: bytes) -> bytes:
    attributes = kind.resource.attributes
    return b"".join(
        (
            protobuf.message(1, kind.form.dump(made.values)),
            *(protobuf.message(2, diagnostics.path(at, attributes)) for at in made.replace),
            protobuf.bytes_(3, private),
            *(protobuf.message(4, diagnostics.error(fault, attributes)) for fault in made.faults),
            *(protobuf.message(4, diagnostics.warning(text)) for text in made.warnings),
        )
    )


def _checked(attributes: Iterable[Attribute], values: Values | None, field: int) -> bytes:
    kept = tuple(attributes)
    return b"".join(protobuf.message(field, diagnostics.error(f, kept)) for f in check.faults(kept, values or {}))


def _source_answer(source: DataSource, form: Form, config: Values, session: Session) -> bytes:
    return protobuf.message(1, form.dump(sources.read(source, config, session)))


def _source(resource: Resource, provider: str, name: str) -> Moved:
    """Return what the type *name* of *provider* is to ours, whichever mirror it was installed from."""
    for source in resource.moved:
        if (source.provider, source.type) == (provider.rpartition("/")[2], name):
            return source
    known = ", ".join(source.type for source in resource.moved)
    raise Invalid(
        f"{resource.type_name} cannot take over the state of {name} of {provider or 'no provider'}"
        + (f", expected one of {known}" if known else ""),
        advice=f"take it out of the state by a removed block; bring it in by an import block of {resource.type_name}",
    )


def _private(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data)) if data else {}


def _kept(private: Mapping[str, Any]) -> bytes:
    return json.dumps(private).encode() if private else b""
