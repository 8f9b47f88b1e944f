"""Whose conversation it is: it belongs to the first person who opens it; the worker may open every one."""

from agent.dev.chat.credentials import Kind, Principal
from agent.dev.chat.thread.messages import is_conversation_id
from agent.dev.chat.thread.store import ChatStore, ConversationRecord


class NotYours(Exception):
    """The conversation belongs to somebody else."""


class UnknownConversation(Exception):
    """Nobody has opened this conversation, or its id is none; the message says which."""


def may_open(owner: str | None, principal: Principal) -> bool:
    """Whether somebody may read and write a conversation with this owner."""
    return principal.kind is Kind.AGENT or owner is None or owner == principal.key


async def open_conversation(
    store: ChatStore, conversation_id: str, principal: Principal, *, create: bool
) -> ConversationRecord:
    """The conversation for somebody who may open it; one without an owner becomes theirs.

    Args:
        store: where conversations are kept.
        conversation_id: as the client wrote it.
        principal: who asks. One that the worker opens first has no owner until a person opens it.
        create: whether a conversation that nobody has opened yet is made.

    Raises:
        UnknownConversation: the id is none, or unknown and not to be made.
        NotYours: it belongs to somebody else.
    """
    if not is_conversation_id(conversation_id):
        raise UnknownConversation("a conversation's id is 1 to 128 letters, digits, _ and -")
    if not create and await store.conversation(conversation_id) is None:
        raise UnknownConversation("there is no such conversation")
    claim = None if principal.kind is Kind.AGENT else principal.key
    record = await store.open_conversation(conversation_id, claim)
    if not may_open(record.owner, principal):
        raise NotYours("this conversation belongs to somebody else")
    return record
