"""The agent's words as they are spoken, for the live caption in the thread."""

from collections.abc import Callable

from livekit.agents.voice.io import TextOutput


class CaptionOutput(TextOutput):
    """Receives the spoken text in step with the audio, after the room's own transcription.

    Args:
        show: told of everything said so far in the current utterance.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(label="captions", next_in_chain=None)
        self._show = show
        self._said = ""

    async def capture_text(self, text: str) -> None:
        """Further words of the utterance."""
        self._said += text
        self._show(self._said)

    def flush(self) -> None:
        """The utterance is over."""
        self._said = ""
