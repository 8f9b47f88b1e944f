"""How fast the voices of a call speak, where they can be told: as OpenAI's API calls it, `speed`."""

import inspect
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

# A person who asks for it hears the difference, and the local voice stays clear.
STEP = 0.8
SLOWEST = 0.6
FASTEST = 1.25


@runtime_checkable
class Adjustable(Protocol):
    """A voice that can be told how fast to speak."""

    def update_options(self, *, speed: float) -> None:
        """See livekit-plugins-openai."""


class SpeechSpeed:
    """The speed of all voices of one call.

    Args:
        voices: the text-to-speech models.
    """

    def __init__(self, voices: Iterable[Any]) -> None:
        self._voices: list[Adjustable] = [voice for voice in voices if _is_adjustable(voice)]
        self.speed = 1.0

    @property
    def adjustable(self) -> bool:
        """Whether a voice can be told."""
        return bool(self._voices)

    def slower(self) -> None:
        """From the next sentence on."""
        self._set(max(SLOWEST, self.speed * STEP))

    def faster(self) -> None:
        """From the next sentence on."""
        self._set(min(FASTEST, self.speed / STEP))

    def _set(self, speed: float) -> None:
        self.speed = round(speed, 2)
        for voice in self._voices:
            voice.update_options(speed=self.speed)


def _is_adjustable(voice: Any) -> bool:
    update = getattr(voice, "update_options", None)
    return update is not None and "speed" in inspect.signature(update).parameters
