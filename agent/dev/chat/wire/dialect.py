"""What a dialect of the chat protocol understands and says; the two are `guide.GUIDE` and `unpod.UNPOD`. Pure."""

from typing import Any, Literal, Protocol

from agent.dev.chat.thread.messages import Message
from agent.dev.chat.wire.actions import Action, Bad, Caption

DialectName = Literal["guide", "unpod"]


class Dialect(Protocol):
    """One way of speaking with a client. What it has no frame for is None, and not sent."""

    @property
    def name(self) -> DialectName:
        """Which of the two it is, or is a faulty form of."""

    @property
    def closes_on_bad_frame(self) -> bool:
        """Whether a frame that cannot be used ends the connection, after its error."""

    def parse(self, raw: str) -> list[Action]:
        """What one frame asks for, in order; what cannot be used stands there as `Bad`. Never raises."""

    def message_object(self, message: Message) -> Any:
        """A message as it stands in history."""

    def message_frame(self, message: Message) -> str:
        """A message as everybody in the thread is shown it, its sender included."""

    def caption_frame(self, caption: Caption) -> str | None:
        """What somebody is saying right now."""

    def thinking_frame(self, *, active: bool) -> str | None:
        """The server is about to answer, or no longer."""

    def presence_frame(self, *, agent: bool) -> str | None:
        """Whether a worker answers this conversation."""

    def error_frame(self, error: Bad) -> str:
        """What was wrong."""

    def pong_frame(self) -> str:
        """The answer to a ping."""
