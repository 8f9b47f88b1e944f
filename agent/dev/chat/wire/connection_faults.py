"""What goes wrong on one connection on purpose; without a plan each step does nothing."""

from collections.abc import Iterable
from dataclasses import replace

from agent.dev.chat.fault_switch import Faults, Subject
from agent.dev.chat.faults import (
    Deaf,
    DeafInNewThread,
    DropAfterStoring,
    DropBeforeStoring,
    DropOnConnect,
    EmptyContent,
    Freeze,
    IdsIgnored,
)
from agent.dev.chat.wire.actions import Post
from agent.dev.chat.wire.client import Client
from agent.dev.chat.wire.dialect import DialectName
from agent.dev.chat.wire.faulty_dialects import GuideOnlyDialect, spoken_to

SOCIAL = "social"
SWALLOWED = frozenset({"0", "null", "false"})


class ConnectionFaults:
    """The faults at the steps of one connection, in the order in which a session takes them.

    Args:
        faults: decides and counts.
        client: the connection.
        app_type: as the client sent it.
    """

    def __init__(self, faults: Faults, client: Client, app_type: str) -> None:
        self._faults = faults
        self._client = client
        self._is_social = app_type == SOCIAL
        self._ends_after: float | None = None

    def choose_dialect(self, name: DialectName) -> None:
        """The client speaks this dialect, as far as it has shown."""
        client = self._client
        chosen = spoken_to(Subject.of(name, client.principal, client.conversation_id), self._faults)
        if isinstance(chosen, GuideOnlyDialect) and chosen != client.dialect:
            self._faults.count(chosen.fault.kind)
        client.dialect = chosen

    def opened(self, others: Iterable[Client], *, is_new_thread: bool) -> None:
        """The connection is open; `others` are those of its thread."""
        subject, client, strike = self._subject, self._client, self._faults.strike
        if strike(DropOnConnect, subject):
            client.abort()
            return
        ages = [client.opened_at - other.opened_at for other in others]
        if is_new_thread and ages and strike(DeafInNewThread, subject, lambda f: max(ages) <= f.window_seconds):
            client.deaf = True
        if strike(Deaf, subject, lambda f: f.when == "connect"):
            client.deaf = True

    def before_storing(self, post: Post) -> Post | None:
        """What is stored of a message, or None when its connection is gone."""
        subject, client, strike = self._subject, self._client, self._faults.strike
        if self._is_social and subject.dialect == "unpod":
            self._faults.count(SOCIAL)
            client.abort()
            return None
        if strike(DropBeforeStoring, subject):
            client.abort()
            return None
        if strike(DropAfterStoring, subject):
            self._ends_after = 0.0
            client.freeze()
        elif post.asks and (frozen := strike(Freeze, subject)):
            self._ends_after = frozen.seconds
            client.freeze()
        if strike(Deaf, subject, lambda f: f.when == "post"):
            client.deaf = True
        if post.text in SWALLOWED and strike(EmptyContent, subject):
            post = replace(post, text="")
        if post.id is not None and strike(IdsIgnored, subject):
            post = replace(post, id=None)
        return post

    def stored(self) -> None:
        """The message that was let through has been stored, or could not be."""
        if self._ends_after is not None:
            self._client.abort(self._ends_after)

    @property
    def _subject(self) -> Subject:
        client = self._client
        return Subject.of(client.dialect.name, client.principal, client.conversation_id)
