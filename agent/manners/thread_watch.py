"""Passes on what happens in the thread, and notes when the user types there."""

from collections.abc import Callable

from agent.chat.bridge import ThreadListener
from agent.chat.courier import Delivered
from agent.chat.frames import ThreadMessage, TypingNotice
from agent.turns import Speaker


class ThreadWatch:
    """See `ThreadListener`.

    Args:
        listener: told of everything.
        user_types: told when a person types.
    """

    def __init__(self, listener: ThreadListener, user_types: Callable[[], None]) -> None:
        self._listener = listener
        self._user_types = user_types

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """See `ThreadListener`."""
        self._listener.thread_read(messages)

    def thread_message(self, message: ThreadMessage) -> None:
        """See `ThreadListener`."""
        self._listener.thread_message(message)

    def thread_typing(self, notice: TypingNotice) -> None:
        """See `ThreadListener`."""
        if notice.active and notice.role is Speaker.USER:
            self._user_types()
        self._listener.thread_typing(notice)

    def thread_lost(self) -> None:
        """See `ThreadListener`."""
        self._listener.thread_lost()

    def turn_delivered(self, delivered: Delivered) -> None:
        """See `ThreadListener`."""
        self._listener.turn_delivered(delivered)

    def turn_given_up(self, turn_id: str) -> None:
        """See `ThreadListener`."""
        self._listener.turn_given_up(turn_id)
