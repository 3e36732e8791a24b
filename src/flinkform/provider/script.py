"""Asking the control plane whether a script is right, before anything is made or stopped for it."""

from __future__ import annotations

from collections.abc import Mapping

from flinkform.errors import FlinkformError, Invalid
from flinkform.provider.lists import Caller
from flinkform.provider.values import Values


def validate(client: Caller, scope: Mapping[str, str], wanted: Values) -> None:
    """Raise `Invalid` at `sql` if the script is wrong; where nobody can tell, starting the job will."""
    body = {
        "statement": wanted.get("sql"),
        "batchMode": wanted.get("execution_mode") == "BATCH",
        "flinkConfiguration": dict(wanted.get("flink_options") or {}),
    }
    try:
        verdict = client.call("ValidateSqlStatement", scope, body).get("data") or {}
    except FlinkformError:
        return
    if verdict.get("success") is False:
        details = verdict.get("errorDetails") or {}
        line, column = details.get("lineNumber"), details.get("columnNumber")
        where = f"line {line}, column {column}: " if line else ""
        raise Invalid(
            f"the script is not valid: {where}{details.get('message') or verdict.get('message') or 'no reason given'}",
            at=("sql",),
        )
