"""From probabilities of speech to events: where it begins and ends. Pure; the rules are those of `inference.VAD`."""

import logging
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import vad
from livekit.local_inference import VAD_WINDOW_SAMPLES

from plugins.windows import SAMPLE_BYTES, WINDOW_S

logger = logging.getLogger("plugins.speech_finder")

EventType = vad.VADEventType


@dataclass(frozen=True, slots=True)
class SpeechRules:
    """When somebody speaks; the values are the defaults of livekit-agents.

    Attributes:
        min_speech: seconds of speech that begin it.
        min_silence: seconds of silence that end it.
        padding: seconds of audio before the speech that its events bring.
        longest: seconds of speech that its events bring at most, without the padding.
        activation: the probability with which speech begins.
        deactivation: the probability at which it does not go on any more.
    """

    min_speech: float = 0.05
    min_silence: float = 0.25
    padding: float = 0.5
    longest: float = 60.0
    activation: float = 0.5
    deactivation: float = 0.35


class SpeechFinder:
    """Takes one window after the other.

    Args:
        rules: when somebody speaks.
        rate: of the audio as it comes.
    """

    def __init__(self, rules: SpeechRules, rate: int) -> None:
        self._rules = rules
        self._rate = rate
        self._audio = _SpeechAudio(int(rules.padding * rate), int(rules.longest * rate))
        self._speaking = False
        self._speech = 0.0  # since it began, pauses included
        self._silence = 0.0  # since speech was last said to have ended
        self._speech_now = 0.0  # without a window of silence
        self._silence_now = 0.0  # without a window of speech
        self._samples = 0
        self._seconds = 0.0

    def window(self, frame: rtc.AudioFrame, probability: float, took: float) -> list[vad.VADEvent]:
        """What a further window tells.

        Args:
            frame: the window as it came.
            probability: of speech in it.
            took: seconds that the model took.
        """
        self._samples += VAD_WINDOW_SAMPLES
        self._seconds += WINDOW_S
        self._audio.add(frame)
        if self._speaking:
            self._speech += WINDOW_S
        else:
            self._silence += WINDOW_S
        events = [self._done(frame, probability, took)]
        rules = self._rules
        if probability >= rules.activation or (self._speaking and probability > rules.deactivation):
            self._speech_now += WINDOW_S
            self._silence_now = 0.0
            if not self._speaking and self._speech_now >= rules.min_speech:
                events.append(self._begin())
        else:
            self._silence_now += WINDOW_S
            self._speech_now = 0.0
            if self._speaking and self._silence_now >= rules.min_silence:
                events.append(self._end())
            if not self._speaking:
                self._audio.forget()
        return events

    def _done(self, frame: rtc.AudioFrame, probability: float, took: float) -> vad.VADEvent:
        return vad.VADEvent(
            type=EventType.INFERENCE_DONE,
            samples_index=self._samples,
            timestamp=self._seconds,
            silence_duration=self._silence,
            speech_duration=self._speech,
            probability=probability,
            inference_duration=took,
            frames=[frame],
            speaking=self._speaking,
            raw_accumulated_silence=self._silence_now,
            raw_accumulated_speech=self._speech_now,
        )

    def _begin(self) -> vad.VADEvent:
        self._speaking = True
        self._silence = 0.0
        self._speech = self._speech_now
        return self._change(EventType.START_OF_SPEECH, self._speech)

    def _end(self) -> vad.VADEvent:
        self._speaking = False
        self._silence = self._silence_now
        speech = max(0.0, self._speech - self._silence_now)
        self._speech = 0.0
        return self._change(EventType.END_OF_SPEECH, speech)

    def _change(self, kind: vad.VADEventType, speech: float) -> vad.VADEvent:
        return vad.VADEvent(
            type=kind,
            samples_index=self._samples,
            timestamp=self._seconds,
            silence_duration=self._silence,
            speech_duration=speech,
            frames=[self._audio.frame(self._rate)],
            speaking=self._speaking,
        )


class _SpeechAudio:
    """The speech as it came, with what was heard just before it; in samples."""

    def __init__(self, padding: int, longest: int) -> None:
        self._padding = padding * SAMPLE_BYTES
        self._most = (padding + longest) * SAMPLE_BYTES
        self._data = bytearray()
        self._full = False

    def add(self, frame: rtc.AudioFrame) -> None:
        """A further window."""
        if space := self._most - len(self._data):
            self._data += frame.data[: space // SAMPLE_BYTES]
        elif not self._full:
            self._full = True
            logger.warning("somebody speaks for very long, the events bring the beginning of it alone")

    def forget(self) -> None:
        """Nobody speaks: what is kept is what comes before the next speech."""
        if len(self._data) > self._padding:
            del self._data[: len(self._data) - self._padding]
            self._full = False

    def frame(self, rate: int) -> rtc.AudioFrame:
        """All of it."""
        return rtc.AudioFrame(bytes(self._data), rate, 1, len(self._data) // SAMPLE_BYTES)
