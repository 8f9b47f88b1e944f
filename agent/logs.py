"""Logging without content or secrets: one line an event, with the few fields that say which call it was."""

import logging
import sys

QUIET = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "openai",
    "websockets",
    "aiohttp.access",
    "livekit",
    "asyncio",
    "watchfiles",
)


class EventFormatter(logging.Formatter):
    """One line: time, level, logger, message, and the record's plain extra fields.

    The library marks extra fields that hold what people said by `lk.pii.`; those are left out, as is everything that
    is no plain value, because it may hold more than it shows.
    """

    PLAIN = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, with a trace where there is one."""
        fields = " ".join(
            f"{key}={value}"
            for key, value in record.__dict__.items()
            if key not in self.PLAIN and not key.startswith(("_", "lk.pii.")) and isinstance(value, str | int | float)
        )
        line = super().format(record)
        head, newline, trace = line.partition("\n")
        return (f"{head}  {fields}" if fields else head) + newline + trace


def configure_logging(level: str) -> None:
    """Send all logs as lines to stderr, at this level; chatty libraries only from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("livekit.agents").setLevel(level)
