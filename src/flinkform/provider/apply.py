"""The engine of every type that is only kept: create, read, update and delete, from its declaration alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from flinkform.errors import Conflict, FlinkformError, Interrupted, NotFound, Unavailable
from flinkform.openapi.operation import operation
from flinkform.provider import record
from flinkform.provider.lists import Document
from flinkform.provider.plan import PROTECTION, protected
from flinkform.provider.session import Result, Session
from flinkform.provider.values import Values, settled
from flinkform.provider.waiting import Patience
from flinkform.schema import document as documents
from flinkform.schema.model import Call, Resource

PATIENCE = 40 * 60.0
"""Seconds until a kept thing is ready or gone; a workspace takes the cloud up to half an hour."""
_GRACE = 8
"""Looks at a thing that is ready but still as it was, before its update counts as ignored: ten seconds."""
_GONE = ("DELETED", "RELEASED")


class Kept:
    """One type in one session."""

    __slots__ = ("_index", "_key", "_resource", "_session")

    def __init__(self, resource: Resource, session: Session) -> None:
        self._resource = resource
        self._session = session
        self._key = tuple(resource.attribute(name) for name in resource.key)
        last = self._key[-1]
        self._index = last.path or last.name

    def cached(self, state: Values, private: dict[str, Any]) -> dict[str, Any] | None:
        """Return the state read anew if that needs no call; never waits."""
        del private
        api = self._resource.api
        found = self._session.lists.cached(api.list.operation, self._scope(state)) if api.list else None
        document = found.get(str(state.get(self._resource.key[-1]))) if found else None
        return record.merged(self._resource, state, document) if document else None

    def read(self, state: Values, private: dict[str, Any]) -> dict[str, Any] | None:
        """Return the state read anew, `None` if the thing is gone: a list is no proof, so it is asked for alone."""
        del private
        document = self._listed(state).get(str(state.get(self._resource.key[-1]))) or self._one(state)
        return record.merged(self._resource, state, document) if document else None

    def every(self, place: Values) -> list[dict[str, Any]]:
        """Return all things of a *place*, as their states would be."""
        return [record.merged(self._resource, place, document) for document in self._listed(place).values()]

    def create(self, planned: Values, result: Result) -> None:
        """Create it and wait until it is ready; one that is there already is nobody's to take over."""
        chosen = all(attribute.writable for attribute in self._key)
        if chosen and self._one(planned):
            raise self._taken(planned)
        values = {**settled(planned), **self._made(planned, result)}
        result.state = values | {"id": record.identity(self._resource, values)}
        try:
            self._settle(planned, result, self._resource.api.create)
        except Interrupted as stopped:
            # An error would taint what is being made, and the next apply would destroy it and make it anew.
            result.warnings.append(f"{stopped}; the next plan shows how it went")

    def update(self, prior: Values, planned: Values, result: Result) -> None:
        """Send what changed and wait until the API shows it."""
        update = self._resource.api.update
        if update is None:
            raise Conflict(f"a {self._resource.type_name} cannot be changed", advice="replace it")
        changed = [a for a in self._resource.attributes if a.writable and prior.get(a.name) != planned.get(a.name)]
        sent = {a.name: planned.get(a.name) for a in self._resource.attributes if a.writable or a in self._key}
        if result.written or any(attribute in self._resource.sent for attribute in changed):
            self._lock(sent)
            self._call(update, {**record.cleared(changed, sent), **result.written})
        self._settle(planned, result, update)

    def delete(self, prior: Values, result: Result) -> None:
        """Delete it and wait until it is gone; one that is gone already is deleted."""
        if prior.get(PROTECTION) is True:
            raise protected(prior)
        key = {a.name: prior.get(a.name) for a in self._key}
        try:
            self._rest(prior, key, result)
            self._lock(key)
            self._call(self._resource.api.delete, key)
        except NotFound:
            result.state = None
            return
        with self._honest(result):
            what = f"{self._called(prior)} to be gone"
            self._session.patience(PATIENCE).until(what, lambda: self._absent(prior) or None)
        self._forget(prior)
        result.state = None

    def _made(self, planned: Values, result: Result) -> dict[str, Any]:
        """Return what the answer to create tells; an answer that was lost is made up for by looking."""
        api = self._resource.api
        writable = {a.name: planned.get(a.name) for a in self._resource.attributes if a.writable}
        mark = {"Key": record.NONCE, "Value": os.urandom(8).hex()}
        try:
            values = {**settled(writable), **result.written}
            answer = self._call(api.create, values, {api.tags: [mark]} if api.tags else {})
        except Unavailable:
            found = self._lost(planned, mark)
            if found is None:
                raise
            return _told(self._resource, found)
        return _told(self._resource, documents.get(answer, api.answer) or {}) if api.answer else {}

    def _lost(self, planned: Values, mark: Mapping[str, str]) -> Document | None:
        """Return what a create made whose answer did not arrive.

        Nothing had the key a moment ago, so what has it now is it; where the API makes the key, the mark tells. Where
        it takes no mark, nobody can say.
        """
        api = self._resource.api
        if not api.tags or api.list is None:
            return self._one(planned)
        found = self._session.client.pages(api.list.operation, self._scope(planned), items=api.items)
        return next((d for d in found if mark in (d.get("Tags") or ())), None)

    def _settle(self, planned: Values, result: Result, call: Call) -> None:
        """Wait until the API shows the thing as planned, and write down what it shows."""
        state = result.state or {}
        with self._honest(result):
            self._turn(state, planned)
            document = self._ready(state, planned, self._session.patience(PATIENCE))
            record.verify(self._resource, planned, document, call.operation)
        result.state = record.merged(self._resource, record.over(state, planned), document)
        self._forget(result.state)

    def _ready(self, state: Values, planned: Values, patience: Patience) -> Document:
        wait, looks = self._resource.wait, count(1)

        def look() -> Document | None:
            document = self._one(state)
            status = self._status(document) if document else ""
            if document is None or (wait and status in wait.pending):
                return None
            if wait and status not in wait.done:
                why = documents.get(document, wait.why) if wait.why else ""
                told = f"{self._called(state)} is {status}, expected {' or '.join(wait.done)}"
                raise Conflict(f"{told}: {why}" if why else told)
            late = record.differing(self._resource, planned, document) and next(looks) < _GRACE
            return None if late else document

        return patience.until(f"{self._called(state)} to be ready", look)

    def _turn(self, state: Values, wanted: Values) -> None:
        """Have what no update brings about: a thing that shall run is started, one that shall not is stopped."""
        if (switch := self._resource.switch) is None:
            return
        document = self._session.patience(PATIENCE).until(
            f"{self._called(state)} to be still", lambda: self._still(self._one(state))
        )
        attribute, value = self._resource.attribute(switch.attribute), wanted.get(switch.attribute)
        if documents.decode([attribute], document)[attribute.name] != value:
            self._call(switch.calls[str(value)], {a.name: state.get(a.name) for a in self._key})

    def _rest(self, prior: Values, key: Values, result: Result) -> None:
        """Bring a thing that is about to be deleted to rest; NotFound: it is gone."""
        if (switch := self._resource.switch) is None:
            return
        if self._one(key) is None:
            raise NotFound(f"{self._called(prior)} is gone")
        with self._honest(result):
            self._turn(prior, {**prior, switch.attribute: switch.rest})
            what = f"{self._called(prior)} to rest"
            self._session.patience(PATIENCE).until(what, lambda: self._still(self._one(key)))

    def _still(self, document: Document | None) -> Document | None:
        """Return a thing that is not on its way anywhere."""
        wait = self._resource.wait
        return None if wait and document and self._status(document) in wait.pending else document

    def _absent(self, state: Values) -> bool:
        document = self._one(state)
        return document is None or self._status(document) in _GONE

    @contextmanager
    def _honest(self, result: Result) -> Iterator[None]:
        """On a failure, look once more and let the state say what is there."""
        try:
            yield
        except FlinkformError:
            state = result.state or {}
            self._forget(state)
            with suppress(FlinkformError):  # the first failure says more than a second one
                document = self._one(state)
                result.state = record.merged(self._resource, state, document) if document else None
            raise

    def _one(self, values: Values) -> Document | None:
        """Return the one thing *values* name: read, or from a list that is filtered to it; filters may be fuzzy."""
        api, key = self._resource.api, settled({a.name: values.get(a.name) for a in self._key})
        if not all(key.values()):
            return None
        try:
            if api.read:
                found: Document = documents.get(self._call(api.read, key), api.answer) or {}
                return found if str(found.get(self._index)) == str(key[self._key[-1].name]) else None
            return self._among(key)
        except NotFound:
            return None

    def _among(self, key: Values) -> Document | None:
        """Return the one thing of that *key* in its list."""
        api = self._resource.api
        if api.list is None:
            return None
        taken = operation(api.list.operation).fields
        params = {k: v for k, v in documents.encode(self._key, key, api.list).items() if k in taken}
        pages = self._session.client.pages(api.list.operation, params, items=api.items)
        return next((d for d in pages if str(d.get(self._index)) == str(key[self._key[-1].name])), None)

    def _listed(self, values: Values) -> Mapping[str, Document]:
        """Return the list that holds it, by its own part of the key."""
        api = self._resource.api
        if api.list is None:
            return {}
        return self._session.lists.fetch(api.list.operation, self._scope(values), items=api.items, by=self._index)

    def _scope(self, values: Values) -> dict[str, str]:
        """Return the parameters of the list that holds it: its key without its own name."""
        api = self._resource.api
        return documents.encode(self._key[:-1], values, api.list) if api.list else {}

    def _call(self, call: Call, values: Values, more: Values | None = None) -> dict[str, Any]:
        """Call an operation with those of *values* that it takes, and with *more*."""
        called = operation(call.operation)
        sent = {**documents.encode(self._resource.sent, values, call), **(more or {})}
        params = {name: value for name, value in sent.items() if name in called.fields}
        if not called.body:
            return self._session.client.call(call.operation, params)
        # Plans and reads send no body, and the models take as long to load as all of this file.
        from flinkform.openapi.models import model  # noqa: PLC0415

        place = {attribute.path for attribute in self._key[:-1]}
        known = (model(called.product, called.body) or {}).keys() - place
        return self._session.client.call(
            call.operation, params, {name: value for name, value in sent.items() if name in known}
        )

    def _lock(self, values: Values) -> None:
        """Say that we are about to change it, where the API wants to be told."""
        if lock := self._resource.api.lock:
            self._call(lock, {a.name: values.get(a.name) for a in self._key})

    def _status(self, document: Document) -> str:
        wait = self._resource.wait
        path = self._resource.attribute(wait.attribute).path if wait else None
        return str(documents.get(document, path)) if path else ""

    def _forget(self, values: Values) -> None:
        if self._resource.api.list:
            self._session.lists.forget(self._resource.api.list.operation, self._scope(values))

    def _called(self, values: Values) -> str:
        return f"{self._resource.type_name} {values.get('name') or values.get('id')}"

    def _taken(self, planned: Values) -> Conflict:
        name = record.identity(self._resource, planned)
        return Conflict(
            f"{self._called(planned)} exists already",
            at=(self._resource.key[-1],),
            advice=f"import it with id {name!r}, or choose another name",
        )


def _told(resource: Resource, document: Document) -> dict[str, Any]:
    """Return the values that *document* tells."""
    return {name: v for name, v in documents.decode(resource.attributes, document).items() if v is not None}
