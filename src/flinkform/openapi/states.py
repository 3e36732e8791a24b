"""The words the API uses for the states of things, and which states are final."""

from __future__ import annotations

from enum import StrEnum


class Job(StrEnum):
    """A run of a deployment: `Job.status.currentJobStatus`."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    FINISHED = "FINISHED"

    @property
    def final(self) -> bool:
        return self in (Job.FAILED, Job.CANCELLED, Job.FINISHED)


class Savepoint(StrEnum):
    """`Savepoint.status.state`."""

    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        return self is not Savepoint.STARTED


class Instance(StrEnum):
    """A workspace: `DescribeInstances`, `Instances[].ClusterStatus`."""

    CREATING = "CREATING"
    RUNNING = "RUNNING"
    MODIFYING = "MODIFYING"
    DISABLE = "DISABLE"
    DELETING = "DELETING"
    DELETED = "DELETED"

    @property
    def final(self) -> bool:
        return self in (Instance.RUNNING, Instance.DISABLE, Instance.DELETED)


class Namespace(StrEnum):
    """`DescribeNamespaces`, `Namespaces[].Status`."""

    CREATING = "CREATING"
    MODIFYING = "MODIFYING"
    DELETING = "DELETING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        return self in (Namespace.SUCCESS, Namespace.FAILED)


class Ticket(StrEnum):
    """A long operation on a draft or a resource plan: `ticketStatus`."""

    EXECUTING = "EXECUTING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        return self is not Ticket.EXECUTING


class Restore(StrEnum):
    """What a job starts from: `restoreStrategy.kind`."""

    NONE = "NONE"
    LATEST_SAVEPOINT = "LATEST_SAVEPOINT"
    FROM_SAVEPOINT = "FROM_SAVEPOINT"
    LATEST_STATE = "LATEST_STATE"


class Stop(StrEnum):
    """How a job is stopped: `stopStrategy` of `StopJob`."""

    NONE = "NONE"
    STOP_WITH_SAVEPOINT = "STOP_WITH_SAVEPOINT"
    STOP_WITH_DRAIN = "STOP_WITH_DRAIN"
