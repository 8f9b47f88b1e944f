"""The dialects of servers that are not ours: one that knows the guide alone, one whose processes count on their own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.dev.chat.fault_switch import Faults, Subject
from agent.dev.chat.faults import CollidedPlaces, GuideOnly
from agent.dev.chat.thread.messages import Message
from agent.dev.chat.wire.actions import BAD_JSON, Action, Bad, Caption, Ping, Post
from agent.dev.chat.wire.dialect import Dialect
from agent.dev.chat.wire.fields import dump
from agent.dev.chat.wire.guide import GUIDE, GuideDialect
from agent.dev.chat.wire.unpod import UNPOD, UnpodDialect
from agent.turns import Channel, Speaker


def spoken_to(subject: Subject, faults: Faults) -> Dialect:
    """The dialect in which somebody is answered: their own, unless the plan has a faulty one for them."""
    if subject.dialect == "guide":
        guide_only = faults.find(GuideOnly, subject)
        return GuideOnlyDialect(guide_only) if guide_only is not None else GUIDE
    collided = faults.find(CollidedPlaces, subject)
    return CollidedDialect(collided, faults.count) if collided is not None else UNPOD


@dataclass(frozen=True)
class GuideOnlyDialect(GuideDialect):
    """What the guide documents, without our fields (see `GuideOnly`)."""

    fault: GuideOnly

    def parse(self, raw: str) -> list[Action]:
        """Messages, pings and what is no JSON; everything else is nothing to this server."""
        actions = super().parse(raw)
        return [known for action in actions if (known := self._known(action)) is not None]

    def _known(self, action: Action) -> Action | None:
        match action:
            case Post(text, asks=asks) if asks or self.fault.append:
                return Post(text, Speaker.USER, Channel.CHAT, asks)
            case Ping():
                return action
            case Bad(code) if code == BAD_JSON:
                return action
            case _:
                return None

    def message_object(self, message: Message) -> Any:
        """The text, as the guide's `handleNewMessage(data.payload)` leaves it open."""
        return message.text if self.fault.bare else {"text": message.text}

    def message_frame(self, message: Message) -> str:
        """One of the two shapes of the guide."""
        name, content = ("event", "payload") if self.fault.shape == "event" else ("type", "message")
        return dump({name: "message", content: self.message_object(message)})

    def caption_frame(self, caption: Caption) -> None:
        """It knows no captions."""

    def presence_frame(self, *, agent: bool) -> None:
        """It knows no workers."""


@dataclass(frozen=True)
class CollidedDialect(UnpodDialect):
    """Blocks of which some have the place of the one before (see `CollidedPlaces`); `count` is told of each shown."""

    fault: CollidedPlaces
    count: Callable[[str], None] = field(compare=False)

    def message_object(self, message: Message) -> dict[str, Any]:
        """The two blocks of a collision have the same `block_id`, which is then neither's own."""
        block = super().message_object(message)
        first = message.seq - 1 if self._collides(message) else message.seq
        if (first + 1) % self.fault.every == 0:
            block |= {"seq_number": first, "block_id": f"{message.conversation_id}-{first}"}
        return block

    def message_frame(self, message: Message) -> str:
        """See `UnpodDialect`."""
        if self._collides(message):
            self.count(self.fault.kind)
        return super().message_frame(message)

    def _collides(self, message: Message) -> bool:
        return message.seq % self.fault.every == 0
