"""Serve one of the embedded aiohttp applications until SIGTERM or Ctrl-C."""

import logging

from aiohttp import web

logger = logging.getLogger("agent.dev.serving")


def run_app(app: web.Application, host: str, port: int) -> None:
    """Listen and serve; raises SystemExit with one line when the port is taken."""
    try:
        web.run_app(app, host=host, port=port, print=None, access_log=None, shutdown_timeout=2.0, handle_signals=True)
    except OSError as error:
        raise SystemExit(f"error: port {port} cannot be used ({error.strerror}): choose another one") from None
