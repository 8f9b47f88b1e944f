"""The two dialects of the chat protocol behind one face: what is sent, what is read, and where. Pure.

Source: CHAT_PROTOCOL. What a dialect has no frame for is None and not sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.chat import frames, unpod
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import Malformed, ServerFrame, ThreadMessage
from agent.turns import Speaker, Turn
from agent.websocket.heartbeat import Heartbeat

HISTORY_PAGE = 200
# unpod's seq_number can collide across server processes: this many places before the known end are read once more.
COLLISIONS = 50


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect and what to send along; holds credentials, so it is never logged."""

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of history; `next` is None on the last one."""

    messages: list[ThreadMessage]
    next: Address | None


class Dialect(Protocol):
    """One way of speaking with a chat server."""

    newest_first: bool
    # Seconds to wait before connecting, chosen at random up to this: see UnpodDialect.
    connect_after: tuple[float, float]
    heartbeat: Heartbeat | None

    def websocket(self, endpoint: ChatEndpoint) -> Address:
        """Where the conversation's WebSocket is."""

    def history(self, endpoint: ChatEndpoint, after: int) -> Address:
        """Where the first page of what came after this `seq` is."""

    def read_page(self, endpoint: ChatEndpoint, asked: Address, body: Any, after: int) -> HistoryPage:
        """Read the page that was asked for; raises ValueError when it is not what the protocol says."""

    def decode(self, raw: str | bytes) -> ServerFrame:
        """Read one frame; never raises."""

    def encode_turn(self, turn: Turn) -> str:
        """The frame that stores and shows a turn and asks for no answer."""

    def encode_question(self, turn: Turn) -> str:
        """The frame that stores and shows a user's turn and has the thread's backend answer it."""

    def encode_caption(self, role: Speaker, text: str) -> str | None:
        """The frame of a live caption."""

    def encode_attach(self, attached: bool) -> str | None:
        """The frame that says whether a worker answers this conversation."""


class GuideDialect:
    """What the integration guide documents, with our fields."""

    newest_first = False
    connect_after = (0.0, 0.0)
    heartbeat: Heartbeat | None = None

    def websocket(self, endpoint: ChatEndpoint) -> Address:
        """Credentials stand in the query, as the guide's clients send them."""
        return Address(endpoint.websocket_base(), params=endpoint.credentials())

    def history(self, endpoint: ChatEndpoint, after: int) -> Address:
        """Oldest first, from a place in the thread on."""
        return Address(
            endpoint.http_base() + "messages/",
            params={**endpoint.credentials(), "after": str(after), "limit": str(HISTORY_PAGE)},
        )

    def read_page(self, endpoint: ChatEndpoint, asked: Address, body: Any, after: int) -> HistoryPage:
        """The last page is the one that is not full; where the next one begins, `next` or the last `seq` says."""
        results = _results(body)
        messages = [m for item in results if not isinstance(m := frames.decode_message(item), Malformed)]
        following = body.get("next")
        if not isinstance(following, int):
            following = max((m.seq for m in messages if m.seq is not None), default=0)
        more = len(results) >= HISTORY_PAGE and following > int(asked.params["after"])
        return HistoryPage(messages, self.history(endpoint, following) if more else None)

    def decode(self, raw: str | bytes) -> ServerFrame:
        """See `frames.decode`."""
        return frames.decode(raw)

    def encode_turn(self, turn: Turn) -> str:
        """See `frames.encode_turn`."""
        return frames.encode_turn(turn)

    def encode_question(self, turn: Turn) -> str:
        """See `frames.encode_question`."""
        return frames.encode_question(turn)

    def encode_caption(self, role: Speaker, text: str) -> str | None:
        """See `frames.encode_caption`."""
        return frames.encode_caption(role, text)

    def encode_attach(self, attached: bool) -> str | None:
        """See `frames.encode_attach`."""
        return frames.encode_attach(attached)


class UnpodDialect:
    """What the Unpod block service does."""

    newest_first = True
    # Two clients that open a new thread in the same instant can leave one deaf.
    connect_after = (0.05, 0.25)
    heartbeat: Heartbeat | None = Heartbeat(message=unpod.PING)

    def websocket(self, endpoint: ChatEndpoint) -> Address:
        """The token goes into the header: it then stands in no address and no log."""
        return Address(endpoint.websocket_base(), endpoint.app_type_only(), endpoint.authorization())

    def history(self, endpoint: ChatEndpoint, after: int) -> Address:
        """Newest first; pages are counted, and `after` only says where to stop."""
        return self._page(endpoint, 1)

    def read_page(self, endpoint: ChatEndpoint, asked: Address, body: Any, after: int) -> HistoryPage:
        """The last page is the one without a next, or the one that reaches what is known."""
        results = _results(body)
        messages = [m for item in results if not isinstance(m := unpod.decode_block(item), Malformed)]
        reached = any(m.seq is not None and m.seq <= after - COLLISIONS for m in messages)
        more = bool(body.get("next")) and bool(results) and not reached
        return HistoryPage(messages, self._page(endpoint, int(asked.params["page"]) + 1) if more else None)

    def decode(self, raw: str | bytes) -> ServerFrame:
        """See `unpod.decode`."""
        return unpod.decode(raw)

    def encode_turn(self, turn: Turn) -> str:
        """See `unpod.encode_turn`."""
        return unpod.encode_turn(turn)

    def encode_question(self, turn: Turn) -> str:
        """See `unpod.encode_question`."""
        return unpod.encode_question(turn)

    def encode_caption(self, role: Speaker, text: str) -> str | None:
        """There are no captions: an unknown frame would close the connection with 1003."""
        return None

    def encode_attach(self, attached: bool) -> str | None:
        """There is no attach."""
        return None

    def _page(self, endpoint: ChatEndpoint, number: int) -> Address:
        params = {**endpoint.app_type_only(), "page": str(number), "page_size": str(HISTORY_PAGE)}
        return Address(endpoint.http_base() + "messages/", params, endpoint.authorization())


def dialect_named(name: Literal["guide", "unpod"]) -> Dialect:
    """The dialect of `CHAT_DIALECT`."""
    return GuideDialect() if name == "guide" else UnpodDialect()


def _results(body: Any) -> list[Any]:
    results = body.get("results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        raise ValueError("history without results")
    return results
