"""Structured logs: one JSON object a line in a bounded file, and readable lines where a person watches."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

import structlog

_KEPT = 3
_SHARED: tuple[structlog.types.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure(path: Path, *, level: str, size: int) -> None:
    """Send every log line of this process, libraries' too, to *path*, turned over at *size* bytes.

    Bodies and headers are never logged, so no secret can be.
    """
    logging.raiseExceptions = False  # a full disk must not turn every request into a traceback on stderr
    file = logging.handlers.RotatingFileHandler(path, maxBytes=size, backupCount=_KEPT, encoding="utf-8", delay=True)
    file.setFormatter(_formatter(structlog.processors.JSONRenderer(ensure_ascii=False)))
    handlers: list[logging.Handler] = [file]
    if sys.stderr.isatty():
        screen = logging.StreamHandler(sys.stderr)
        screen.setFormatter(_formatter(structlog.dev.ConsoleRenderer()))
        handlers.append(screen)
    logging.basicConfig(handlers=handlers, level=level.upper(), force=True)
    # The clients of S3 would log what they sign with.
    for name in ("alembic", "sqlalchemy", "py4j", "boto3", "botocore", "s3transfer", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _formatter(renderer: structlog.types.Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=list(_SHARED),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
