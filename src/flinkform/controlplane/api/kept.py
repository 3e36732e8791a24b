"""The operations of every type that is only kept, answered from its declaration alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import vault
from flinkform.controlplane.api import places, shape
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import things
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Conflict, Invalid
from flinkform.openapi import envelope
from flinkform.openapi.models import model
from flinkform.openapi.operation import operation
from flinkform.schema import document as documents
from flinkform.schema import model as schema
from flinkform.schema.codec import Plain
from flinkform.schema.model import Attribute, Change, Origin, Resource

_ALL = 10_000
_NOTHING: tuple[Any, ...] = (None, "", [], {})
"""What an update clears by."""
_NAMES = "\x1f"
"""Between the parts of a name that several attributes make up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for one type beyond its declaration; each is asked within the transaction.

    *fill* completes a document, *check* refuses what is about to be kept (given with what was there before, if
    anything), *show* adds to what is answered, *leave* refuses a removal.
    """

    fill: Callable[[Call, dict[str, Any]], None] = lambda *_: None
    check: Callable[[Call, Connection, Thing, Thing | None], None] = lambda *_: None
    show: Callable[[Call, Connection, Thing], Mapping[str, Any]] = lambda *_: {}
    leave: Callable[[Call, Connection, Thing], None] = lambda *_: None


class Keeper:
    """Answers the operations of one type."""

    def __init__(self, resource: Resource, rules: Rules) -> None:
        self._resource = resource
        self._rules = rules
        self._model = operation(resource.api.create.operation).data
        scope = {a.name for a in resource.scope}
        self._given = tuple(a for a in resource.sent if a.writable and a.path and a.name not in scope)
        self._own = resource.own.path or resource.own.name

    @property
    def operations(self) -> Mapping[str, Handler]:
        """What is answered, by name."""
        api = self._resource.api
        asked = (
            (api.create, self.create),
            (api.read, self.read),
            (api.list, self.index),
            (api.update, self.update),
            (api.delete, self.delete),
        )
        return {declared.operation: handler for declared, handler in asked if declared is not None}

    def create(self, call: Call, params: Params, body: Any) -> dict[str, Any]:
        """Keep a new one. Conflict: its namespace has one like it."""
        sent = dict(self._sent(self._resource.api.create, params, body))
        own = self._resource.own.writable
        with call.store.write() as db:
            namespace = places.usable(db, params)
            document = self._checked({}, sent)
            self._rules.fill(call, document)
            made = Thing(
                type=self._resource.name,
                workspace=namespace.workspace,
                namespace=namespace.name,
                id=str(documents.get(document, self._own)) if own else str(uuid.uuid4()),
                name="",
                creator=call.principal,
                modifier=call.principal,
                created_at=call.now,
                modified_at=call.now,
                document=document,
            )
            made = self._sealed(call, replace(made, name=self._name(made)), sent)
            self._rules.check(call, db, made, None)
            things.create(db, made)
            self._record(call, db, "created", made)
            return self.shown(call, db, made)

    def read(self, call: Call, params: Params, body: Any) -> dict[str, Any]:
        """Answer with one."""
        with call.store.read() as db:
            return self.shown(call, db, self.find(db, self._resource.api.read, params, body))

    def index(self, call: Call, params: Params, _body: Any) -> Listed | list[dict[str, Any]]:
        """List those of a namespace, oldest first."""
        paging = envelope.paging(call.operation)
        page = call.window(params) if paging else None
        usual = (paging.index, paging.size) if paging else ()
        wanted = {f.name: str(params[f.name]) for f in call.operation.query if f.name in params and f.name not in usual}
        with call.store.read() as db:
            namespace = places.namespace(db, params)
            found = things.page(
                db,
                self._resource.name,
                namespace.workspace,
                namespace.name,
                wanted=wanted,
                offset=page.offset if page else 0,
                limit=page.size if page else _ALL,
            )
            shown = [self.shown(call, db, one) for one in found.items]
        return Listed(shown, found.total, page) if page else shown

    def update(self, call: Call, params: Params, body: Any) -> dict[str, Any]:
        """Change what is sent and leave the rest (see `shape.merged`). Conflict: some of it can never change."""
        declared = self._resource.api.update
        sent = dict(self._sent(declared, params, body))
        with call.store.write() as db:
            found = self.find(db, declared, params, body)
            document = self._checked(found.document, sent)
            self._rules.fill(call, document)
            self._unchangeable(found.document, document)
            changed = replace(found, document=document, modifier=call.principal, modified_at=call.now)
            changed = self._sealed(call, replace(changed, name=self._name(changed)), sent)
            self._rules.check(call, db, changed, found)
            call.changed(found.document, document)
            things.replace(db, changed)
            self._record(call, db, "updated", changed)
            return self.shown(call, db, changed)

    def delete(self, call: Call, params: Params, body: Any) -> dict[str, Any] | None:
        """Forget one."""
        with call.store.write() as db:
            found = self.find(db, self._resource.api.delete, params, body)
            shown = self.shown(call, db, found) if call.operation.data else None
            self._rules.leave(call, db, found)
            things.remove(db, found)
            self._record(call, db, "deleted", found)
        return shown

    def find(self, db: Connection, declared: schema.Call | None, params: Params, body: Any) -> Thing:
        """Return the one that a request is about. NotFound."""
        place = (declared and declared.places.get(self._resource.own.name)) or self._own
        wanted = params.get(place) or (body or {}).get(place)
        if not wanted:
            raise shape.missing(place)
        namespace = places.namespace(db, params)
        return things.get(db, self._resource.name, namespace.workspace, namespace.name, str(wanted))

    def shown(self, call: Call, db: Connection, one: Thing) -> dict[str, Any]:
        """Return one as the API shows it: of what the control plane knows of it, those fields that its model has."""
        known = model(call.operation.product, self._model) or {}
        told: dict[str, Any] = {
            "createdAt": one.created_at // 1000,
            "creator": one.creator,
            "creatorName": one.creator,
            "modifiedAt": one.modified_at // 1000,
            "modifier": one.modifier,
            "modifierName": one.modifier,
            "namespace": one.namespace,
            "workspace": one.workspace,
            self._own: one.id,
        }
        ours = {
            name: str(value) if known[name].type == "str" else value for name, value in told.items() if name in known
        }
        return {**one.document, **ours, **self._rules.show(call, db, one)}

    def _sent(self, declared: schema.Call | None, params: Params, body: Any) -> Iterator[tuple[str, Any]]:
        """Yield what a request says, null included, by attribute."""
        for attribute in self._given:
            place = (declared and declared.places.get(attribute.name)) or attribute.path or ""
            for source in (params, body or {}):
                *outer, last = place.split(".")
                inner = documents.get(source, ".".join(outer)) if outer else source
                if isinstance(inner, Mapping) and last in inner:
                    # The SDKs write `[]` for what their user left alone; where it is all that is said, it clears.
                    alone = bool(outer) and inner[last] == [] and len(inner) == 1
                    yield attribute.name, None if alone else inner[last]
                    break

    def _checked(self, before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return *before* with what was *sent*, whole and valid; secrets are left out. Invalid names the field."""
        document = deepcopy(dict(before))
        for attribute in self._given:
            path = attribute.path or ""
            value = sent.get(attribute.name, None if attribute.write_only else documents.get(document, path))
            if value == [] and not isinstance(attribute.codec, Plain):
                value = documents.get(document, path)  # the SDKs write one for objects that their user left alone
            if value in _NOTHING and attribute.default is not None:
                value = attribute.codec.encode(attribute.default)
            if value in _NOTHING:
                if attribute.origin is Origin.REQUIRED and not (attribute.write_only and before):
                    raise Invalid("is required and missing", at=tuple(path.split(".")))
                _drop(document, path)
                continue
            _fits(attribute, value)
            if not attribute.write_only:
                documents.put(document, path, value)
        return document

    def _unchangeable(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for attribute in self._given:
            path = attribute.path or ""
            fixed = attribute.change is Change.REPLACE or attribute is self._resource.own
            if fixed and documents.get(before, path) != documents.get(after, path):
                raise Conflict(f"{path} cannot be changed", advice="delete it and make a new one")

    def _name(self, one: Thing) -> str:
        """Return what no two of a namespace share."""
        parts = [self._resource.attribute(name).path or name for name in self._resource.unique]
        return _NAMES.join(str(documents.get(one.document, part) or "") for part in parts) if parts else one.id

    def _sealed(self, call: Call, one: Thing, sent: Mapping[str, Any]) -> Thing:
        """Return a thing with what is secret of it, if any was sent."""
        secret = {str(a.path): sent[a.name] for a in self._given if a.write_only and sent.get(a.name) not in _NOTHING}
        return replace(one, secret=vault.of(call.services.settings).seal(one, secret)) if secret else one

    def _record(self, call: Call, db: Connection, verb: str, one: Thing) -> None:
        kind = self._resource.name
        what = f"{kind.replace('_', ' ')} {one.document.get('name') or one.id} {verb}"
        call.record(db, f"{kind.upper()}_{verb.upper()}", what, workspace=one.workspace, namespace=one.namespace)


def _fits(attribute: Attribute, value: Any) -> None:
    """Raise Invalid unless *value* is one that Terraform would take; a secret is not shown."""
    at = tuple((attribute.path or "").split("."))
    try:
        decoded = attribute.codec.decode(value)
        if decoded is not None:
            attribute.type.check(decoded, at)
    except Invalid:
        if not attribute.sensitive:
            raise
        raise Invalid("expected another value than the one given, which is secret and not shown", at=at) from None


def _drop(document: dict[str, Any], path: str) -> None:
    """Remove what stands at a dotted place, with the objects that hold nothing else."""
    first, _, rest = path.partition(".")
    inner = document.get(first)
    if rest and isinstance(inner, dict):
        _drop(inner, rest)
    if not rest or inner == {}:
        document.pop(first, None)
