"""The caller's loudspeaker: plays what the agent says in its time, and writes down what was really heard."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from livekit.agents.voice.io import PlaybackFinishedEvent

from agent.call.voice_output import VoiceOutput
from agent.replay.sound import RATE, Sound
from agent.replay.tape import Tape

AUDIBLE = 500  # of 32,767, as in the tests at a room's other end


@dataclass(slots=True)
class Utterance:
    """One stretch of the agent's speech; times in seconds on the tape.

    `audible` is the moment of the first audible sample, None while there is none; `ended` that of the last one played.
    """

    began: float
    audible: float | None = None
    ended: float = 0.0
    interrupted: bool = False


class Loudspeaker:
    """A sink for the agent's voice (see `agent.call.voice_output.Sink`); `utterances` is what it was given to play.

    Args:
        tape: where it is written down.
        heard: told of each utterance when its first audible sample is queued.
    """

    def __init__(self, tape: Tape, heard: Callable[[Utterance], None] = lambda _: None) -> None:
        self.utterances: list[Utterance] = []
        self._tape = tape
        self._heard = heard
        self._end = 0  # of what is queued, in samples on the tape
        self._busy = False

    def follow(self, voice: VoiceOutput) -> None:
        """Know from the voice when an utterance begins and ends."""
        voice.on("playback_started", self._on_started)
        voice.on("playback_finished", self._on_finished)

    @property
    def busy(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self._busy

    @property
    def rate(self) -> int:
        """See `Sink`."""
        return RATE

    async def ready(self) -> None:
        """See `Sink`: the caller is there."""

    async def send(self, samples: Sound) -> None:
        """See `Sink`."""
        start = max(round(self._tape.now * RATE), self._end)
        self._tape.add_agent(start, samples)
        self._end = start + len(samples)
        if self.utterances:
            self._notice(self.utterances[-1], start, samples)

    def queued(self) -> float:
        """See `Sink`."""
        # Less than a sample is nothing: a timer for it would not let the clock go on.
        return max(0.0, round(self._end / RATE - self._tape.now, 6))

    def clear(self) -> int:
        """See `Sink`."""
        queued_until, self._end = self._end, min(self._end, round(self._tape.now * RATE))
        self._tape.cut_agent(self._end)
        return queued_until - self._end

    def _on_started(self) -> None:
        self._busy = True
        self.utterances.append(Utterance(self._tape.now))

    def _on_finished(self, event: PlaybackFinishedEvent) -> None:
        self._busy = False
        if not self.utterances:
            return  # cut before its first sample
        utterance = self.utterances[-1]
        utterance.interrupted = event.interrupted
        utterance.ended = self._end / RATE
        if utterance.audible is not None and utterance.audible >= utterance.ended:
            utterance.audible = None  # it was queued, and taken back

    def _notice(self, utterance: Utterance, place: int, samples: Sound) -> None:
        audible = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
        if utterance.audible is None and len(audible):
            utterance.audible = (place + int(audible[0])) / RATE
            self._heard(utterance)
