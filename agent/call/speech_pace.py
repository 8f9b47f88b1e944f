"""How much of a text has been said at a moment of its audio, from when somebody speaks in it; no I/O."""

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from agent.models.cut_sentence import SpeakingRate, letters, rest_of

WINDOW_S = 0.02
# Root mean square of samples (of 32,767) below which nobody speaks.
QUIET = 160.0


class SpeechPace:
    """Lays one reply's text along its audio: letters take equally long, and pauses none of them.

    `text` is what is known of the text, to be added to.

    Args:
        rate: how fast the voice speaks without its pauses, until all of text and audio are there.
    """

    def __init__(self, rate: SpeakingRate) -> None:
        self.text = ""
        self._rate = rate
        # The ends of windows, and how long somebody had spoken by then; seconds.
        self._ends, self._spoken = [0.0], [0.0]
        self._exact: float | None = None

    def add_audio(self, samples: NDArray[np.int16], rate: int) -> None:
        """Further audio.

        Args:
            samples: mono; at least one.
            rate: samples a second.
        """
        starts = np.arange(0, len(samples), int(WINDOW_S * rate))
        sizes = np.diff(starts, append=len(samples))
        power = np.add.reduceat(np.square(samples, dtype=np.float32), starts) / sizes
        speech = np.where(power > QUIET * QUIET, sizes, 0)
        self._spoken += (self._spoken[-1] + np.cumsum(speech) / rate).tolist()
        self._ends += (self._ends[-1] + np.cumsum(sizes) / rate).tolist()

    def complete(self) -> None:
        """Text and audio are all there: the pace is known."""
        self._exact = letters(self.text) / self._spoken[-1] if self._spoken[-1] > 0 else None
        if self._exact is not None:
            self._rate.note(self.text, self._spoken[-1])

    def said(self, seconds: float, ahead: int = 0) -> str:
        """The beginning of the text that has been said when so much of the audio has been played.

        Args:
            seconds: how much was played.
            ahead: so many letters (and digits) more.
        """
        if (spoken := self._spoken_at(seconds)) <= 0.0:
            return ""
        pace = self._rate.letters_per_second if self._exact is None else self._exact
        rest = rest_of(self.text, round(spoken * pace) + ahead)
        return self.text[: len(self.text) - len(rest)]

    def _spoken_at(self, seconds: float) -> float:
        """How long somebody had spoken then."""
        if (place := bisect_left(self._ends, seconds)) >= len(self._ends):
            return self._spoken[-1]
        if place == 0:
            return 0.0
        into = (seconds - self._ends[place - 1]) / (self._ends[place] - self._ends[place - 1])
        return self._spoken[place - 1] + into * (self._spoken[place] - self._spoken[place - 1])
