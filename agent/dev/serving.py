"""Serve one of the embedded aiohttp applications until SIGTERM or Ctrl-C."""

import logging

from aiohttp import web
from aiohttp.http import HttpProcessingError


class WithoutContent(logging.Filter):
    """Keeps a log free of errors in HTTP itself: their text quotes what was sent, which may be what people say."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Leave the event and take out its error."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            record.exc_info = None
        return True


def run_app(app: web.Application, host: str, port: int, *, grace: float = 2.0, cancel_abandoned: bool = False) -> None:
    """Listen and serve; raises SystemExit with one line when the port is taken.

    Args:
        app: what to serve.
        host: the address to listen on.
        port: 0 for a free one.
        grace: seconds that requests have to end by themselves after SIGTERM; aiohttp waits up to three times as long.
        cancel_abandoned: whether a request is cancelled when its client goes away.
    """
    logging.getLogger("aiohttp.server").addFilter(WithoutContent())
    try:
        web.run_app(
            app,
            host=host,
            port=port,
            print=None,
            access_log=None,
            shutdown_timeout=grace,
            handle_signals=True,
            handler_cancellation=cancel_abandoned,
        )
    except OSError as error:
        raise SystemExit(f"error: port {port} cannot be used ({error.strerror}): choose another one") from None
