"""flink_job: a deployment and its newest job, brought to a desired state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from flinkform.errors import Conflict, FlinkformError, JobFailed, NotFound, Path, Refused, Unavailable, Unfit
from flinkform.provider import observe, provenance, record, script, upgrade
from flinkform.provider.lifecycle import Work
from flinkform.provider.lists import Document
from flinkform.provider.observe import Phase
from flinkform.provider.oracle import Oracle
from flinkform.provider.plan import PROTECTION, Plan, protected
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.runs import Restore, Runs
from flinkform.provider.session import Result, Session
from flinkform.provider.upgrade import STARTED, VERDICT, Verdict
from flinkform.provider.uploads import Uploads
from flinkform.provider.values import Values, settled
from flinkform.provider.waiting import seconds
from flinkform.resources.job import JAR_SHA256, OURS, RESOURCE, uploaded
from flinkform.schema import document as documents
from flinkform.schema.model import Attribute, Call, Change

TIMEOUTS = {"create": 600.0, "update": 900.0, "delete": 600.0}
_SENT = tuple(a for a in RESOURCE.attributes if a.path and a.writable and a.name not in ("workspace", "namespace"))
"""What a deployment's document is made of; the other two travel beside it."""
_PROCESS = os.urandom(4).hex()
"""What the nonces of this process begin with: two jobs of one apply that have one name are not the same."""


class Jobs:
    """The engine of flink_job in one session."""

    __slots__ = ("_oracle", "_session", "_uploads")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._oracle = Oracle(session.client)
        self._uploads = Uploads(session.client)

    def cached(self, state: Values, private: dict[str, Any]) -> dict[str, Any] | None:
        """Return the state read anew if that needs no call; never waits."""
        found = self._session.lists.cached("ListDeployments", _scope(state))
        document = found.get(str(state.get("deployment_id"))) if found else None
        phase = observe.phase(document) if document else None
        return _told(state, document, phase, private) if document and phase else None

    def read(self, state: Values, private: dict[str, Any]) -> dict[str, Any] | None:
        """Return the state read anew, `None` if it is gone: a list is no proof, so it is asked for alone."""
        found = self._session.lists.fetch("ListDeployments", _scope(state), items="data", by="deploymentId")
        document = found.get(str(state.get("deployment_id"))) or _marked(found.values(), private) or self._found(state)
        return _told(state, document, self._phase(state, document), private) if document else None

    def foresight(self, prior: Values | None, made: Plan, private: dict[str, Any]) -> Callable[[], Plan] | None:
        """Return what completes a plan that carries state over by asking what becomes of it; `None` for all others."""
        at = upgrade.concerns(prior, made, private)
        return partial(self._foreseen, prior or {}, made, at) if at else None

    def _foreseen(self, prior: Values, made: Plan, at: Path) -> Plan:
        wanted = made.values or {}
        if not upgrade.settled(wanted):
            return upgrade.judged(made, Verdict(UNKNOWN), at)
        verdict = upgrade.beforehand(prior, wanted) or self._oracle.ask(*question(prior, wanted))
        return upgrade.judged(made, verdict, at)

    def create(self, planned: Values, result: Result) -> None:
        """Create the deployment, and start its job if it is to run."""
        runs = planned.get("state") == "running"
        if runs and planned.get("sql") is not None:
            script.validate(self._session.client, _scope(planned), planned)
        document = self._made(planned, result)
        self._forget(planned)
        result.private[STARTED] = False
        result.state = record.merged(RESOURCE, {**settled(planned), "state": "suspended"}, document)
        with self._honest(result, planned):
            record.verify(RESOURCE, planned, document, "CreateDeployment")
            if runs:
                work = self._work(result.state, planned, result, "create")
                if (job := work.runs.newest() if _older(document) else None) is not None:
                    work.go_on(job, None, stale=False)
                else:
                    work.start(work.origin)
            self._arrived(planned, result)

    def update(self, prior: Values, planned: Values, result: Result) -> None:
        """Bring the deployment and its job from whatever they are now to *planned*."""
        if planned.get("state_verdict") is UNKNOWN:
            planned = {**planned, "state_verdict": upgrade.UNSAID}
        work = self._work(prior, planned, result, "update")
        with self._honest(result, planned):
            document = self._here(prior)
            job = work.runs.newest()
            if planned.get("restore_from") not in (None, prior.get("restore_from")) and not work.unborn(job):
                text = f"restore_from does nothing to {work.name}, which has run: it goes on from its own state"
                result.warnings.append(text)
            changed = record.differing(RESOURCE, planned, document)
            outdated = bool(document.get("deploymentHasChanged"))
            if outdated or not work.hot(job, changed) or not self._adapted(work, job, changed, document):
                self._renewed(work, job, changed, document)
            self._arrived(planned, result)

    def delete(self, prior: Values, result: Result) -> None:
        """Stop the job, with a savepoint unless told otherwise, and delete the deployment."""
        if prior.get(PROTECTION) is True:
            raise protected(prior)
        work = self._work(prior, prior, result, "delete")
        with self._honest(result, prior):
            if self._found(prior):
                work.end()
                self._session.client.call("DeleteDeployment", _place(prior))
                work.patience.until(f"{work.name} to be gone", lambda: self._found(prior) is None or None)
        self._forget(prior)
        result.state = None

    def _adapted(self, work: Work, job: Document | None, changed: tuple[Attribute, ...], document: Document) -> bool:
        """Update the deployment and have its job take that up while it runs; False if this job never can.

        Some control planes change log levels at once, none does so with parallelism. If the job only could not now, the
        deployment is put back as it was, and the failure raised.
        """
        before = documents.decode(changed, document)
        rescaled = any(attribute.name == "parallelism" for attribute in changed)
        if not self._define(work.wanted, changed, document).get("deploymentHasChanged") and not rescaled:
            return True
        if not rescaled:
            work.result.warnings.append(f"{work.name} had to be stopped for its new log levels")
            return False
        try:
            work.runs.rescale(job or {}, work.patience)
        except (Conflict, NotFound, Refused) as never:
            work.result.warnings.append(f"{work.name} had to be stopped for its new parallelism: {never}")
            return False
        except JobFailed:
            self._define({**work.wanted, **before}, changed, document, back=True)
            raise
        return True

    def _renewed(self, work: Work, job: Document | None, changed: tuple[Attribute, ...], document: Document) -> None:
        """Update the deployment, and have another job go on from what its job left, if it has to be stopped."""
        stale = bool(document.get("deploymentHasChanged")) or _dear(changed)
        if any(attribute.name == "jar" for attribute in changed):
            self._uploads.placed(work.wanted)  # before the job is touched: a jar that is not there must cost nothing
        halted = self._halted(work, job, changed, stale=stale)
        if changed:
            self._define(work.wanted, changed, document)
        if work.wanted.get("state") == "running":
            with self._undone(work, halted, changed, document):
                work.go_on(job, halted, stale=stale)

    def _halted(
        self, work: Work, job: Document | None, changed: tuple[Attribute, ...], *, stale: bool
    ) -> Restore | None:
        """Stop the job unless it may go on as it is; return what it left for the next one."""
        suspend = work.wanted.get("state") != "running"
        if job is None or observe.job_phase(job) is not Phase.ACTIVE or not (suspend or stale):
            return None
        if not suspend and any(a.name == "sql" for a in changed):
            # Before the job is touched: a script with an error in it must cost nothing.
            script.validate(self._session.client, _scope(work.wanted), work.wanted)
        return work.halt(job)

    @contextmanager
    def _undone(
        self, work: Work, halted: Restore | None, changed: tuple[Attribute, ...], before: Document
    ) -> Iterator[None]:
        """Where the new definition cannot take over the state of the job that was stopped for it, bring that back."""
        try:
            yield
        except Unfit as unfit:
            if halted is None or not changed:
                raise
            known = documents.decode(RESOURCE.attributes, before)
            self._define({**work.wanted, **{a.name: known.get(a.name) for a in changed}}, changed, before, back=True)
            try:
                work.resume(halted)
            except FlinkformError as error:
                raise JobFailed(f"{unfit}\n\nthe old definition did not start again either: {error}") from error
            raise Conflict(
                f"{work.name} was not upgraded: {unfit.reason}; it runs on as it was, from {halted.shown}",
                at=(changed[0].name,),
                advice='take the edit back, or set upgrade.on_incompatible = "drop_partial" or "restart_empty"',
            ) from unfit

    def _made(self, planned: Values, result: Result) -> Document:
        """Create the deployment; an answer that was lost is made up for by the nonce, never by the name.

        Where the provider was killed before it had the answer, the next run of the very same release finds what it
        made by the labels that say so.

        Where nobody can say now whether it was made, *result* is a state without its id, and the nonce: the next read
        finds by it what there is, if anything. Terraform replaces that, as all it could not create.
        """
        scope, nonce = _scope(planned), _PROCESS + os.urandom(8).hex()
        body = _body(self._uploads.placed(planned), RESOURCE.api.create)
        origin = self._session.provenance.labels(planned)
        body["labels"] = {**body.get("labels", {}), **origin, record.NONCE: nonce}
        try:
            made: Document = self._session.client.call("CreateDeployment", scope, body)["data"]
        except NotFound as nowhere:
            advice = "expected the resource_id of a flink_workspace and the name of a flink_namespace in it"
            raise NotFound(nowhere.message, at=("namespace",), advice=advice) from nowhere
        except Conflict as refused:
            twin = next((d for d in self._named(planned) if d.get("name") == planned.get("name")), None)
            if twin is None:
                raise
            if self._session.provenance.release and _older(twin) and origin.items() <= twin["labels"].items():
                self._session.say(f"flink_job {planned.get('name')}: adopted, as this very release made it")
                return twin
            known = record.identity(RESOURCE, {**planned, "deployment_id": twin.get("deploymentId")})
            advice = f"choose another name, or import the job that has it with id {known!r}"
            raise Conflict(refused.message, at=("name",), advice=advice) from refused
        except Unavailable as lost:
            result.private |= {record.NONCE: nonce, STARTED: False}
            result.state = {**settled(planned), "state": "suspended", PROTECTION: False}
            mine = _marked(self._named(planned), result.private)
            result.state = None
            if mine is None:
                raise
            self._session.say(f"flink_job {planned.get('name')}: adopted after a lost answer: {lost.message}")
            return mine
        return made

    def _named(self, planned: Values) -> Iterable[Document]:
        """Return the deployments called as *planned*, and perhaps others: filters may be fuzzy."""
        return self._session.client.pages("ListDeployments", {**_scope(planned), "name": str(planned.get("name"))})

    def _define(
        self, planned: Values, changed: tuple[Attribute, ...], document: Document, *, back: bool = False
    ) -> Document:
        """Update the deployment, keep the labels that are ours, and return it as it is read back.

        They say another commit then, unless it is put *back* as it was.
        """
        call = RESOURCE.api.update or Call(operation="UpdateDeployment")
        body = _body(self._uploads.placed(record.cleared(changed, planned)), call)
        kept = {key: value for key, value in (document.get("labels") or {}).items() if key.startswith(OURS)}
        kept.pop(JAR_SHA256, None)  # it is in the body where there is one now
        ours = kept if back else provenance.apart(kept) | self._session.provenance.labels(planned)
        body["labels"] = {**body.get("labels", {}), **ours}
        place = {**_scope(planned), "deploymentId": str(document.get("deploymentId"))}
        self._session.client.call(call.operation, place, body)
        self._forget(planned)
        there = self._here({**planned, "deployment_id": place["deploymentId"]})
        record.verify(RESOURCE, planned, there, call.operation)
        return there

    def _arrived(self, planned: Values, result: Result) -> None:
        """Write down what is there now that everything went well."""
        result.state = record.over(result.state or {}, planned)
        self._forget(planned)
        try:
            result.state = record.merged(RESOURCE, result.state, self._here(result.state))
        except Unavailable as silent:
            # All was done and seen; an error would taint what was just made.
            result.warnings.append(f"{planned.get('name')} could not be read once more: {silent}")

    @contextmanager
    def _honest(self, result: Result, wanted: Values) -> Iterator[None]:
        """On a failure, look once more and let the state say what is there of what was *wanted*."""
        try:
            yield
        except FlinkformError:
            state = result.state or {}
            if result.private.get(STARTED) is False and result.state:
                # Nothing ran that could be lost, and Terraform is going to replace what it could not create.
                result.state[PROTECTION] = False
            self._forget(state)
            with suppress(FlinkformError):  # the first failure says more than a second one
                document = self._found(state)
                seen = {**(result.state or {}), "state": wanted.get("state")}
                result.state = _told(seen, document, self._phase(state, document), {}) if document else None
            raise

    def _found(self, state: Values) -> Document | None:
        if not state.get("deployment_id"):
            return None
        try:
            document: Document = self._session.client.call("GetDeployment", _place(state))["data"]
        except NotFound:
            return None
        return document

    def _here(self, state: Values) -> Document:
        document = self._found(state)
        if document is None:
            raise Conflict(f"{state.get('name')} was deleted since the plan", advice="plan again")
        return document

    def _phase(self, state: Values, document: Document) -> Phase:
        return observe.phase(document) or observe.job_phase(self._runs(state).newest())

    def _runs(self, state: Values) -> Runs:
        return Runs(self._session, _place(state), str(state.get("name")))

    def _work(self, state: Values, wanted: Values, result: Result, operation: str) -> Work:
        verdict = str(result.private.pop(VERDICT, ""))  # it is about this apply and no later one
        given = (wanted.get("timeouts") or {}).get(operation)
        patience = self._session.patience(seconds(given) if given else TIMEOUTS[operation])
        return Work(self._runs(state), patience, wanted, result, verdict, upgrade.reformed(state, wanted))

    def _forget(self, state: Values) -> None:
        self._session.lists.forget("ListDeployments", _scope(state))


def _told(state: Values, document: Document, phase: Phase, private: dict[str, Any]) -> dict[str, Any]:
    """Return *state* brought up to *document*; *private* learns that a job was seen running."""
    if phase is Phase.ACTIVE and private.get(STARTED) is False and (document.get("jobSummary") or {}).get("running"):
        private[STARTED] = True
    return record.merged(RESOURCE, state, document) | {"state": observe.state(document, phase, state.get("state"))}


def _marked(documents: Iterable[Document], private: dict[str, Any]) -> Document | None:
    """Return the deployment that carries the nonce of a create whose answer was lost."""
    nonce = private.get(record.NONCE)
    return next((d for d in documents if (d.get("labels") or {}).get(record.NONCE) == nonce), None) if nonce else None


def _older(document: Document) -> bool:
    """Say whether a provider made a deployment that was killed since, or whose answer was lost, and not this one."""
    nonce = (document.get("labels") or {}).get(record.NONCE, "")
    return bool(nonce) and not nonce.startswith(_PROCESS)


def _body(values: Values, call: Call) -> dict[str, Any]:
    body = documents.encode(_SENT, settled(values), call)
    if values.get("jar") is not None:
        documents.put(body, "artifact.kind", "JAR")
    return body


def question(prior: Values, wanted: Values) -> tuple[dict[str, str], dict[str, Any]]:
    """Return where, and with what, to ask what an update from *prior* to *wanted* does to state."""
    return _place(prior), _updating(prior, wanted)


def _updating(prior: Values, wanted: Values) -> dict[str, Any]:
    """Return what an update from *prior* to *wanted* is going to send; a jar's name stands for it."""
    changed = [a for a in _SENT if prior.get(a.name) != wanted.get(a.name)]
    jar, was = wanted.get("jar") or {}, prior.get("jar") or {}
    if jar.get("source"):
        name = uploaded(str(jar["source"]).rpartition("/")[2], str(jar.get("sha256")))
        wanted = {**wanted, "jar": {**jar, "uri": f"https://later.invalid/{name}"}}  # an apply uploads it
    body = _body(record.cleared(changed, wanted), RESOURCE.api.update or Call(operation="UpdateDeployment"))
    if jar and {**jar, "source": None} == {**was, "source": None}:
        body.pop("artifact")  # the same content is the same program, wherever it was put
    return body


def _dear(changed: tuple[Attribute, ...]) -> bool:
    """Say whether a running job has to be replaced to have what *changed*."""
    return any(a.change >= Change.HOT for a in changed)


def _scope(values: Values) -> dict[str, str]:
    return {"workspace": str(values.get("workspace")), "namespace": str(values.get("namespace"))}


def _place(values: Values) -> dict[str, str]:
    return {**_scope(values), "deploymentId": str(values.get("deployment_id"))}
