"""The tables; a change here needs a migration beside it, and a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite hands out row numbers by itself only for a column it calls INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

instances = Table(
    "instances",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
    Index(None, "name"),
)

namespaces = Table(
    "namespaces",
    METADATA,
    Column("instance_id", ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
    Index(None, "workspace", "name", unique=True),
)

things = Table(
    "things",
    METADATA,
    Column("type", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("modifier", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
    Column("secret", LargeBinary),
    ForeignKeyConstraint(["workspace", "namespace"], ["namespaces.workspace", "namespaces.name"], ondelete="CASCADE"),
    Index(None, "type", "workspace", "namespace", "name", unique=True),
)

clusters = Table(
    "clusters",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("failure", JSON(none_as_null=True)),
    ForeignKeyConstraint(["workspace", "namespace"], ["namespaces.workspace", "namespaces.name"], ondelete="CASCADE"),
    Index(None, "workspace", "namespace", "name", unique=True),
)

deployments = Table(
    "deployments",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("batch", Boolean, nullable=False),
    Column("creator", Text, nullable=False),
    Column("modifier", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
    Index(None, "workspace", "namespace", "name", unique=True),
    # In the order of a list, backwards, so that its last page costs hardly more than its first.
    Index(None, "workspace", "namespace", "created_at", "id"),
)

labels = Table(
    "labels",
    METADATA,
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Index(None, "key", "value"),
)

runs = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("batch", Boolean, nullable=False),
    Column("creator", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("restore", JSON, nullable=False),
    Column("restored_from", Text),
    Column("began_from", Text),
    Column("intent", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("home", Text),
    Column("retries", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("failure", JSON(none_as_null=True)),
    Column("troubles", JSON, nullable=False, server_default="{}"),
    Column("version", Integer, nullable=False),
    # Large, and wanted by starts alone: whoever reads runs does not read it.
    Column("plan", Text),
    Column("units", Float, nullable=False, server_default="0"),
    Index(None, "deployment_id", "seq", unique=True),
    Index(None, "state"),
    Index(None, "workspace", "namespace", "state", "units"),
)

savepoints = Table(
    "savepoints",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    # No foreign keys: a savepoint outlives the deployment and the run it was taken from.
    Column("deployment_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("stop", Boolean, nullable=False),
    Column("drain", Boolean, nullable=False),
    Column("native", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("trigger", Text),
    Column("home", Text),
    Column("location", Text),
    Column("failure", JSON(none_as_null=True)),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    # The plan of its run, from when that run was deleted.
    Column("plan", Text),
    Index(None, "deployment_id", "created_at"),
    Index(None, "workspace", "namespace", "created_at"),
    Index(None, "run_id"),
    Index(None, "state"),
)

rescales = Table(
    "rescales",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("deployment_id", Text, nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("parallelism", Integer, nullable=False),
    Column("former", Integer, nullable=False),
    Column("tasks", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("failure", JSON(none_as_null=True)),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Index(None, "run_id"),
    Index(None, "state"),
)

events = Table(
    "events",
    METADATA,
    Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("workspace", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("deployment_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "workspace", "namespace", "deployment_id"),
    # A namespace's newest, however many there are.
    Index(None, "workspace", "namespace", "seq"),
)

keys = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The sentences of its policies; null may do everything.
    Column("policies", JSON(none_as_null=True)),
)

tokens = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("key_id", ForeignKey("keys.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("policies", JSON(none_as_null=True)),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    # Bytes, not JSON: a hash is over what stands here, and one that was damaged must still be readable.
    Column("line", LargeBinary, nullable=False),
    Column("hash", Text, nullable=False),
)

chains = Table(
    "chains",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

nonces = Table(
    "nonces",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    Index(None, "seen_at"),
)

states = Table(
    "states",
    METADATA,
    Column("address", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("serial", BigInteger, nullable=False),
    Column("lineage", Text, nullable=False),
    Column("md5", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

locks = Table(
    "locks",
    METADATA,
    Column("address", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
)

meta = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("term", BigInteger, nullable=False),
    Column("home", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
