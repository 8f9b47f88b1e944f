"""How the chat's connection behaves: the options of `WebSocketClient` that CHAT_PROTOCOL asks for.

The defaults of the client are the protocol's already: never after a close with 1000 nor after we closed; refused for
good by 401 and 403; else 1, 2, 4 … at most 30 seconds with jitter, ten attempts.
"""

import asyncio
import random
from dataclasses import replace

from agent.chat.dialect import Dialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import MAX_FRAME_BYTES
from agent.websocket import Address, Options, Stopped, StopReason, WebSocketClient
from agent.websocket.transport import Transport, open_link

CHAT_OPTIONS = Options(max_size=MAX_FRAME_BYTES)


def chat_client(
    endpoint: ChatEndpoint, dialect: Dialect, options: Options = CHAT_OPTIONS, *, transport: Transport = open_link
) -> WebSocketClient:
    """A client for one conversation; the address is made anew at each attempt."""
    options = replace(options, heartbeat=dialect.heartbeat or False)

    async def address() -> Address:
        await asyncio.sleep(random.uniform(*dialect.connect_after))
        where = dialect.websocket(endpoint)
        return Address(where.url, where.params, where.headers)

    return WebSocketClient(address, options, queue_bytes=MAX_FRAME_BYTES, transport=transport)


def explain(stopped: Stopped) -> str:
    """What somebody who reads the log can do about a connection that is not opened again; names no credential."""
    close = stopped.close
    match stopped.reason:
        case StopReason.REFUSED if close is not None and close.status is not None:
            return (
                f"the chat server refused the connection with {close.status}: check CHAT_TOKEN, "
                "the user's token in the job, and CHAT_API_URL"
            )
        case StopReason.REFUSED if close is not None:
            return f"the chat server closed the connection for good with {close.code}: check the user's rights"
        case StopReason.NO_ADDRESS:
            return "CHAT_API_URL is not a WebSocket address"
        case StopReason.EXHAUSTED:
            return f"the chat server cannot be reached: given up after {stopped.attempts} attempts ({close})"
        case _:
            return f"the chat server ended the connection ({close})"
