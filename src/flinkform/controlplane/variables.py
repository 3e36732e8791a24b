"""What a shell may say to a control plane, by name; apart from what it means, which takes long to import."""

from __future__ import annotations

S3 = {
    "AWS_ENDPOINT_URL": "s3.endpoint",
    "AWS_ENDPOINT_URL_S3": "s3.endpoint",
    "AWS_REGION": "s3.endpoint.region",
    "AWS_ACCESS_KEY_ID": "s3.access-key",
    "AWS_SECRET_ACCESS_KEY": "s3.secret-key",
}
"""Flink's options by AWS' variables; the later of two wins."""

VARIABLES = frozenset(
    (
        *S3,
        "FLINKFORM_DATABASE_URL",
        "FLINKFORM_SLOTS",
        "FLINKFORM_HEAP",
        "FLINKFORM_NETWORK",
        "FLINKFORM_FAILURES",
        "FLINKFORM_FAILURE_MINUTES",
        "FLINKFORM_OWN_HEAP",
        "FLINKFORM_OWN_SLOTS",
        "FLINKFORM_REGION",
        "FLINKFORM_LEASE",
        "FLINKFORM_LOCK_WAIT",
        "FLINKFORM_SECRETS_KEY",
        "FLINKFORM_TARGETS",
        "FLINKFORM_STORAGE",
        "FLINKFORM_ARCHIVE",
        "FLINKFORM_LOG_LEVEL",
        "FLINKFORM_SAVEPOINTS_NEWEST",
        "FLINKFORM_SAVEPOINTS_AGE",
        "FLINKFORM_AUDIT_AGE",
        "FLINKFORM_ARTIFACTS_AGE",
    )
)
"""What `settings.from_environment` reads, but for the variables that a target names."""
