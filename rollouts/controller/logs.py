"""What does a log line look like? For people in text, with colours on a terminal; for machines in JSON."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Literal

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from structlog.typing import Processor

Format = Literal["text", "json"]
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# Where it was, not with which values: those of Secrets may be among them.
_TRACES = ExceptionDictTransformer(show_locals=False)


def configure_logs(level: str = "info", form: Format = "text") -> None:
    """Send all logs to stderr. Nothing that we log comes from Secrets or credentials."""
    number = LEVELS[level]
    renderer: list[Processor]
    if form == "json":
        renderer = [structlog.processors.ExceptionRenderer(_TRACES), structlog.processors.JSONRenderer(default=str)]
    else:
        colours = sys.stderr.isatty()
        plain = structlog.dev.plain_traceback
        renderer = [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # What libraries say through the standard library matters only when something is wrong.
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
