"""The log of a running site: one structlog logger on stderr, loaded when the first line is written."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

LogFormat = Literal["text", "json", "off"]
_formats: list[LogFormat] = ["text"]


def choose_format(log_format: LogFormat) -> None:
    """How lines look from now on; call before the first one."""
    _formats[0] = log_format
    log.cache_clear()


@cache
def log() -> BoundLogger:
    """The logger. structlog takes a fifth of a second to load, which nobody should wait for at start."""
    import structlog

    log_format = _formats[0]
    processors: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format == "off":
        processors = [_drop]
    elif log_format == "json":
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain: the usual traceback shows every local variable, so secrets too, and takes seconds to draw.
        plain = structlog.dev.plain_traceback
        colours = sys.stderr.isatty()
        processors.append(structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain))
    structlog.configure(
        processors=processors,
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    return cast("BoundLogger", structlog.get_logger())


def _drop(*_: object) -> str:
    import structlog

    raise structlog.DropEvent
