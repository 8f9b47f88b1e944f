"""One speaker's turn as it is heard: what to transcribe when, and when the turn is over. No I/O.

Its clock is the audio itself. The owner feeds it windows of audio with their probability of speech, and the results of
what it asks for; it answers with what is to be done. A turn is transcribed as a whole after each pause, so that a
sentence keeps its context; only a long one is settled part by part.
"""

from dataclasses import dataclass, field

from plugins.turn_actions import (
    Action,
    AskSentence,
    AskVoice,
    Caption,
    Dropped,
    Final,
    Interrupt,
    NewSegment,
    Preflight,
    Transcribe,
)
from plugins.turn_policy import LONGEST_S, SHORTEST_S, Evidence, required_silence
from plugins.turn_words import is_backchannel

INAUDIBLE = "[inaudible]"


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """When the turn so far is transcribed, and how often at most; durations in seconds of audio.

    Attributes:
        speech: probability from which a window is speech; once speaking, `speech_goes_on` is enough.
        surely_speech: one between that and this is speech that fades: the turn may be over, and is transcribed. The
            detector takes 20 to 60 ms more until it is silence.
        blip: a shorter sound in a pause does not end it.
        late: how much longer it has been silent than the detector says, which takes the end of a sound for speech;
            what is enough is counted from the last audible sample, some 64 ms (median) before speech fades.
        longest_fading: fading that counts as silence, once there is some; what lasts longer is soft speech.
        pause: fading and silence after which the turn so far is transcribed.
        heard_pause: silence that the recogniser hears at least, if need be repeated; with less it writes a comma.
        again: fading and silence after which words that would be waited for longer than `long_wait` are written anew:
            with more of the real silence many a comma becomes a full stop (docs/turn-taking.md).
        once_more: the same, for words that read finished even so: below `reads_finished`, by the sentence model.
        pause_over_agent: the same as `pause` while the agent speaks, when nothing is gained by hurry.
        voice: fading and silence after which the audio model is asked, once in a pause: it hears 1.2 s, and the more of
            them are silence the less it can tell (docs/turn-taking.md).
        patience_with_models: how much longer its answer is waited for, and that of the sentence model.
        caption_every: speech after which the turn so far is transcribed for the live caption.
        attempts: transcriptions of one segment at most, the one that ends it apart.
        segment: audio after which a longer pause settles the words so far: they are transcribed no more.
        longest_segment: audio after which they are settled without a pause.
        settling: silence that settles a long segment, and after which a sound without words is forgotten.
        patience: silence after which a transcription that failed is asked for again.
        shortest: silence after which a turn is over that sounds and reads finished.
        longest: silence after which any turn is over. What is enough in between is stretched with the two.
    """

    speech: float = 0.5
    speech_goes_on: float = 0.35
    surely_speech: float = 0.8
    blip: float = 0.1
    late: float = 0.06
    longest_fading: float = 0.13
    pause: float = 0.03
    heard_pause: float = 0.16
    again: float = 0.15
    once_more: float = 0.28
    reads_finished: float = -0.5
    long_wait: float = 0.4
    pause_over_agent: float = 0.15
    voice: float = 0.12
    patience_with_models: float = 0.3
    caption_every: float = 1.5
    attempts: int = 12
    segment: float = 15.0
    longest_segment: float = 25.0
    settling: float = 0.5
    patience: float = 1.5
    shortest: float = SHORTEST_S
    longest: float = LONGEST_S

    def stretched(self, silence: float) -> float:
        """The silence that is enough with these limits, where the policy finds so much enough."""
        share = (silence - SHORTEST_S) / (LONGEST_S - SHORTEST_S)
        return self.shortest + share * (self.longest - self.shortest)


@dataclass(slots=True)
class _Segment:
    """The part of the turn that is transcribed as a whole."""

    seconds: float
    captioned_at: float
    attempts: int = 0


@dataclass(slots=True)
class _Pause:
    """The pause that the speaker is in, and what was made of it."""

    asked: int | None = None  # the transcription whose result counts
    asked_at: float | None = None  # of silence
    text: str | None = None
    told: str | None = None  # the words of the whole turn that the owner knows of
    again: int = 0  # how often they were asked for anew
    voice_attempt: int | None = None
    probability: float | None = None
    reading: int | None = None  # the question to the sentence model that is under way
    reading_since: float = 0.0  # of silence
    unfinished: float | None = None


@dataclass(slots=True)
class _Turn:
    """Everything that begins anew with a turn."""

    over_agent: bool
    agent_asked: bool
    segment: _Segment
    speech: float  # seconds of it until now, without a pause
    fading: float = 0.0  # seconds until now, or until silence began
    silence: float = 0.0
    pause: _Pause = field(default_factory=_Pause)
    settled: list[str | None] = field(default_factory=list)  # None: its transcription is under way
    settling: dict[int, int] = field(default_factory=dict)  # attempt: which of the settled parts
    caption: int | None = None  # the attempt for a caption that is under way
    attempts: int = 0
    interrupts: bool = False

    def whole(self, text: str) -> str:
        """All words of the turn, if the current segment has these."""
        return " ".join(part for part in (*self.settled, text) if part)

    def is_backchannel(self, text: str) -> bool:
        """Whether these words only show that the person listens to the agent."""
        return self.over_agent and is_backchannel(text)

    def interruption(self, text: str) -> list[Action]:
        """The first words that are more than that interrupt the agent."""
        if not self.over_agent or self.interrupts or not text or is_backchannel(text):
            return []
        self.interrupts = True
        return [Interrupt()]


class TurnTracker:
    """Follows one speaker, turn after turn.

    Args:
        limits: when to transcribe, and how often.
    """

    def __init__(self, limits: TurnLimits | None = None) -> None:
        self.limits = limits or TurnLimits()
        self._number = 0
        self._turn: _Turn | None = None

    @property
    def open(self) -> bool:
        """Whether a turn is under way."""
        return self._turn is not None

    def wants(self, attempt: int) -> bool:
        """Whether the result of a transcription still matters."""
        turn = self._turn
        return turn is not None and (attempt in (turn.caption, turn.pause.asked) or attempt in turn.settling)

    def begin(self, *, over_agent: bool, agent_asked: bool, seconds: float) -> bool:
        """Speech begins. It opens a turn, or goes on with the one that is open.

        Args:
            over_agent: whether the agent is speaking.
            agent_asked: whether its last words were a question.
            seconds: audio of the segment before this moment.

        Returns:
            Whether a turn was opened.
        """
        if self._turn is not None:
            return False
        self._turn = _Turn(over_agent, agent_asked, _Segment(seconds, captioned_at=seconds), speech=self.limits.blip)
        return True

    def window(self, seconds: float, probability: float) -> list[Action]:
        """A further window of audio, with its probability of speech; it matters only to an open turn."""
        if (turn := self._turn) is None:
            return []
        turn.segment.seconds += seconds
        if probability < (self.limits.speech_goes_on if turn.speech else self.limits.speech):
            turn.speech = 0.0
            turn.silence += seconds
            return [*self._tell(turn), *self._quiet(turn)]
        turn.speech += seconds
        if turn.silence and turn.speech < self.limits.blip:
            turn.silence += seconds
            return []
        goes_on, turn.silence = turn.silence > 0.0, 0.0
        fades = self.limits.blip <= turn.speech and probability < self.limits.surely_speech
        turn.fading = turn.fading + seconds if fades and not goes_on and not turn.over_agent else 0.0
        # A soft voice is no fading one: what was transcribed before its words would lack them.
        if 0.0 < turn.fading <= self.limits.longest_fading:
            return self._ask_transcript(turn)
        return self._speaking(turn)

    def transcript(self, attempt: int, text: str | None) -> list[Action]:
        """What a transcription gave; None when it failed."""
        if (turn := self._turn) is None:
            return []
        if attempt in turn.settling:
            turn.settled[turn.settling.pop(attempt)] = INAUDIBLE if text is None else text
            return self._quiet(turn) if turn.silence else []
        if attempt == turn.caption:
            turn.caption = None
            return [*turn.interruption(turn.whole(text)), Caption(turn.whole(text))] if text else []
        if attempt != turn.pause.asked:
            return []  # the speaker went on
        turn.pause.asked = None
        if text is None:
            return []  # asked again after `patience`
        turn.pause.text = text or turn.pause.text or ""  # what was written once stays, were it not found again
        return [*self._tell(turn), *self._quiet(turn)]

    def voice(self, attempt: int, probability: float) -> list[Action]:
        """What the audio model said."""
        if (turn := self._turn) is None or attempt != turn.pause.voice_attempt:
            return []
        turn.pause.probability = probability
        return self._quiet(turn)

    def sentence(self, attempt: int, unfinished: float | None) -> list[Action]:
        """What the sentence model said; None when there is none, or it failed."""
        if (turn := self._turn) is None or attempt != turn.pause.reading:
            return []
        turn.pause.reading = None
        turn.pause.unfinished = unfinished
        return self._quiet(turn)

    def _speaking(self, turn: _Turn) -> list[Action]:
        if turn.pause != _Pause():
            turn.pause = _Pause()
        segment = turn.segment
        if segment.seconds >= self.limits.longest_segment:
            settling = self._transcribe(turn)
            turn.settling[settling.attempt] = len(turn.settled)
            turn.settled.append(None)
            return [settling, self._new_segment(turn)]
        due = segment.seconds - segment.captioned_at >= self.limits.caption_every
        if not due or turn.caption is not None or segment.attempts >= self.limits.attempts:
            return []
        segment.captioned_at = segment.seconds
        caption = self._transcribe(turn)
        turn.caption = caption.attempt
        return [caption]

    def _tell(self, turn: _Turn) -> list[Action]:
        """What the words of a pause lead to, as soon as it is one."""
        pause = turn.pause
        if pause.text is None or not turn.silence:
            return []
        whole = turn.whole(pause.text)
        if whole == pause.told:
            return []
        pause.told = whole
        if not whole or turn.is_backchannel(whole):
            return []
        pause.reading, pause.reading_since = self._next_number(), turn.silence
        return [*turn.interruption(whole), Preflight(whole), AskSentence(pause.reading, whole)]

    def _quiet(self, turn: _Turn) -> list[Action]:
        if turn.speech:
            return []  # a blip: wait and see
        return [*self._ask_voice(turn), *self._ask_transcript(turn)] or self._decide(turn)

    def _ask_voice(self, turn: _Turn) -> list[Action]:
        if turn.pause.voice_attempt is not None or self._hushed(turn) < self.limits.voice:
            return []
        turn.pause.voice_attempt = self._next_number()
        return [AskVoice(turn.pause.voice_attempt)]

    def _ask_transcript(self, turn: _Turn) -> list[Action]:
        pause, hushed = turn.pause, self._hushed(turn)
        if pause.asked is not None:
            return []
        if pause.text is not None:
            return self._ask_again(turn, pause.text)
        if pause.asked_at is None:
            enough = self.limits.pause_over_agent if turn.over_agent else self.limits.pause
            # Beyond the bound only a pause that looks like an end is worth another one.
            bounded = turn.segment.attempts >= self.limits.attempts and turn.silence < self.limits.settling
            if hushed < enough or bounded:
                return []
        elif hushed - pause.asked_at < self.limits.patience:
            return []
        return [self._transcribe_pause(turn)]

    def _ask_again(self, turn: _Turn, text: str) -> list[Action]:
        pause, limits = turn.pause, self.limits
        reads_finished = pause.unfinished is not None and pause.unfinished < limits.reads_finished
        moments = [limits.again, limits.once_more] if reads_finished else [limits.again]
        if pause.again >= len(moments) or self._hushed(turn) < moments[pause.again]:
            return []
        if not text or turn.over_agent or turn.segment.attempts >= limits.attempts:
            return []
        if not self._models_have_been_heard(turn) or self._required(turn) <= limits.long_wait:
            return []
        pause.again += 1
        return [self._transcribe_pause(turn)]

    def _transcribe_pause(self, turn: _Turn) -> Transcribe:
        turn.caption = None  # it would only keep the recogniser busy
        transcribe = self._transcribe(turn)
        turn.pause.asked, turn.pause.asked_at = transcribe.attempt, self._hushed(turn)
        return transcribe

    def _decide(self, turn: _Turn) -> list[Action]:
        pause = turn.pause
        if pause.text is None or None in turn.settled:
            return []
        whole = turn.whole(pause.text)
        if not whole or turn.is_backchannel(whole):
            return self._drop(turn, "back-channel" if whole else "no words")
        required = self._required(turn)
        silence = self._hushed(turn) + self.limits.late
        if silence >= required and self._models_have_been_heard(turn):
            self._turn = None
            return [Final(whole, silence, required, pause.probability, pause.unfinished, turn.attempts)]
        if turn.segment.seconds >= self.limits.segment and turn.silence >= self.limits.settling:
            turn.settled.append(pause.text)
            pause.text, pause.asked = "", None  # what is being written anew of them is settled, too
            return [self._new_segment(turn)]
        return []

    def _required(self, turn: _Turn) -> float:
        pause = turn.pause
        evidence = Evidence(turn.whole(pause.text or ""), pause.probability, turn.agent_asked, pause.unfinished)
        return self.limits.stretched(required_silence(evidence))

    def _drop(self, turn: _Turn, why: str) -> list[Action]:
        if turn.silence < self.limits.settling:
            return []
        self._turn = None
        return [Dropped(why)]

    def _models_have_been_heard(self, turn: _Turn) -> bool:
        """They take a moment; where they say nothing, the words decide alone after a while."""
        pause, patience = turn.pause, self.limits.patience_with_models
        voice = pause.probability is not None or self._hushed(turn) >= self.limits.voice + patience
        sentence = pause.reading is None or turn.silence >= pause.reading_since + patience
        return voice and sentence

    def _new_segment(self, turn: _Turn) -> NewSegment:
        turn.segment = _Segment(0.0, captioned_at=0.0)
        return NewSegment()

    def _transcribe(self, turn: _Turn) -> Transcribe:
        turn.segment.attempts += 1
        turn.attempts += 1
        return Transcribe(self._next_number(), self._hushed(turn))

    def _hushed(self, turn: _Turn) -> float:
        """Seconds for which nothing is surely speech any more."""
        return turn.silence + (turn.fading if turn.fading <= self.limits.longest_fading else 0.0)

    def _next_number(self) -> int:
        self._number += 1
        return self._number
