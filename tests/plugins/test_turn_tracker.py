"""One speaker's turns, as windows of audio and results of models: what is asked for, and when a turn is over."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from plugins.turn_policy import COMMA_S
from plugins.turn_tracker import INAUDIBLE, TurnLimits, TurnTracker

WINDOW = 0.032
LIMITS = TurnLimits()


class Speaker:
    """Feeds a tracker as a call does, and answers what it asks for as models would."""

    def __init__(self, *, over_agent: bool = False, agent_asked: bool = False, probability: float | None = 0.9) -> None:
        self.tracker = TurnTracker()
        self.unfinished: float | None = None
        self.reads = True
        self.over_agent, self.agent_asked, self.probability = over_agent, agent_asked, probability
        self.text: str | None = "This is said."
        self.actions: list[Action] = []
        self.seconds = 0.0

    def speak(self, seconds: float) -> None:
        """Speech; it opens a turn, or goes on."""
        if not self.tracker.open:
            self.tracker.begin(over_agent=self.over_agent, agent_asked=self.agent_asked, seconds=0.3)
        self._windows(seconds, 0.9)

    def fade(self, seconds: float) -> None:
        """Speech of which the detector is not sure any more."""
        self._windows(seconds, 0.6)

    def pause(self, seconds: float) -> None:
        """Silence."""
        self._windows(seconds, 0.01)

    def of(self, kind: type[Action]) -> list[Action]:
        """The actions of a kind."""
        return [action for action in self.actions if isinstance(action, kind)]

    def _windows(self, seconds: float, probability: float) -> None:
        for _ in range(round(seconds / WINDOW)):
            self.seconds += WINDOW
            self._answer(self.tracker.window(WINDOW, probability))

    def _answer(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self.actions.append(action)
            if isinstance(action, Transcribe):
                self._answer(self.tracker.transcript(action.attempt, self.text))
            elif isinstance(action, AskVoice) and self.probability is not None:
                self._answer(self.tracker.voice(action.attempt, self.probability))
            elif isinstance(action, AskSentence) and self.reads:
                self._answer(self.tracker.sentence(action.attempt, self.unfinished))


def test_a_finished_sentence_ends_soon() -> None:
    """Its transcript is there before the silence is over, so that the answer can be prepared."""
    speaker = Speaker()
    speaker.speak(1.0)
    speaker.pause(1.0)
    kinds = [type(action) for action in speaker.actions]
    assert kinds == [Transcribe, Preflight, AskSentence, AskVoice, Final]
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert final.text == "This is said."
    assert 0.25 <= final.silence < 0.35
    assert final.attempts == 1


def test_the_sentence_model_is_asked_and_believed() -> None:
    """Words that read unfinished are waited for longer than the same words that read finished."""
    waits = []
    for unfinished in (-2.0, 3.0):
        speaker = Speaker(probability=0.5)
        speaker.unfinished = unfinished
        speaker.speak(1.0)
        speaker.pause(5.0)
        (asked,), (final,) = speaker.of(AskSentence), speaker.of(Final)
        assert isinstance(asked, AskSentence)
        assert isinstance(final, Final)
        assert (asked.text, final.unfinished) == ("This is said.", unfinished)
        waits.append(final.silence)
    assert waits[0] < 0.35
    assert waits[1] > 1.5


def test_a_sentence_model_that_does_not_answer_is_not_waited_for() -> None:
    """Then the signs in the words decide, after a while."""
    speaker = Speaker()
    speaker.reads = False
    speaker.speak(1.0)
    speaker.pause(1.0)
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert final.unfinished is None
    assert 0.3 < final.silence < 0.5


def test_the_answer_of_the_sentence_model_to_words_that_went_on_counts_for_nothing() -> None:
    """It was about other words."""
    speaker = Speaker()
    speaker.reads = False
    speaker.speak(1.0)
    speaker.pause(0.1)
    (asked,) = speaker.of(AskSentence)
    assert isinstance(asked, AskSentence)
    speaker.speak(1.0)
    assert speaker.tracker.sentence(asked.attempt, 9.0) == []
    speaker.reads = True
    speaker.pause(1.0)
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert final.unfinished is None


def test_a_pause_inside_a_sentence_does_not_end_it() -> None:
    """The voice says that it goes on: the words before and after are one turn, transcribed as one."""
    speaker = Speaker(probability=0.05)
    speaker.text = "This is"
    speaker.speak(1.0)
    speaker.pause(0.8)
    speaker.text, speaker.probability = "This is what I wanted.", 0.9
    speaker.speak(1.0)
    speaker.pause(1.0)
    finals = [final.text for final in speaker.of(Final) if isinstance(final, Final)]
    assert finals == ["This is what I wanted."]


def test_a_result_that_comes_after_the_speaker_went_on_counts_for_nothing() -> None:
    """It is about words that were not the last."""
    tracker = TurnTracker()
    tracker.begin(over_agent=False, agent_asked=False, seconds=0.5)
    asked = [action for _ in range(8) for action in tracker.window(WINDOW, 0.0) if isinstance(action, Transcribe)]
    assert len(asked) == 1
    for _ in range(10):
        tracker.window(WINDOW, 0.9)
    assert tracker.transcript(asked[0].attempt, "Too early.") == []


def test_the_voice_is_asked_once_in_a_pause() -> None:
    """The longer the silence, the less its model can tell: what it said at the beginning of the pause counts."""
    speaker = Speaker(probability=0.02)
    speaker.text = "I would like what he"
    speaker.speak(1.0)
    speaker.pause(0.5)
    speaker.probability = 0.99
    speaker.pause(0.5)
    assert len(speaker.of(AskVoice)) == 1
    assert speaker.of(Final) == []
    speaker.speak(0.5)
    speaker.pause(0.3)
    assert len(speaker.of(AskVoice)) == 2


def test_without_an_audio_model_the_words_decide() -> None:
    """Its answer is waited for a while, and not for ever."""
    speaker = Speaker(probability=None)
    speaker.speak(1.0)
    speaker.pause(1.0)
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert LIMITS.voice + LIMITS.patience_with_models <= final.silence < 0.6


def test_a_click_in_the_silence_does_not_begin_the_wait_anew() -> None:
    """Nor does it end the turn while it may be the beginning of a word."""
    speaker = Speaker(probability=0.2)
    speaker.speak(1.0)
    speaker.pause(0.32)
    speaker._windows(0.064, 0.9)
    speaker.pause(0.6)
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert len(speaker.of(Preflight)) == 1


def test_speech_that_fades_is_transcribed_before_it_is_silence() -> None:
    """The answer is prepared as soon as it is silent, and the silence counts from the fading on."""
    silences = []
    for fading in (0.0, 0.064):
        speaker = Speaker()
        speaker.speak(1.0)
        speaker.fade(fading)
        assert [type(action) for action in speaker.actions] == ([Transcribe] if fading else [])
        speaker.pause(0.032)
        assert [type(action) for action in speaker.actions][:2] == [Transcribe, Preflight]
        since = speaker.seconds - 0.032
        while not speaker.of(Final):
            speaker.pause(0.032)
        silences.append(speaker.seconds - since)
    assert silences[1] < silences[0]


@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_words_in_a_soft_voice_are_not_lost(pause: float) -> None:
    """What lasts is speech, however soft, also after a pause: what was transcribed before it is not the whole turn."""
    speaker = Speaker(probability=0.05)
    speaker.text = "This is"
    speaker.speak(1.0)
    speaker.pause(pause)
    speaker.fade(0.1)
    speaker.text, speaker.probability = "This is what I wanted.", 0.9
    speaker.fade(0.9)
    speaker.pause(1.0)
    assert [final.text for final in speaker.of(Final) if isinstance(final, Final)] == ["This is what I wanted."]


def test_speech_that_fades_and_goes_on_is_no_pause() -> None:
    """What was transcribed of it is not told; the voice is not asked."""
    speaker = Speaker()
    speaker.speak(1.0)
    speaker.fade(0.1)
    speaker.speak(1.0)
    assert speaker.of(Preflight) == []
    assert speaker.of(AskVoice) == []
    speaker.text = "This is said now."
    speaker.pause(1.0)
    assert [final.text for final in speaker.of(Final) if isinstance(final, Final)] == ["This is said now."]


def test_a_voice_that_fades_while_the_agent_speaks_is_not_hurried() -> None:
    """Nothing is gained, and less sound is easily taken for other words."""
    speaker = Speaker(over_agent=True)
    speaker.speak(1.0)
    speaker.fade(0.1)
    assert speaker.of(Transcribe) == []


def test_words_that_would_be_waited_for_are_written_anew_once() -> None:
    """With more of the real silence the recogniser may end the sentence; then the answer comes soon."""
    waits = []
    for again in ("Seven of clubs,", "Seven of clubs."):
        speaker = Speaker(probability=0.5)
        speaker.text = "Seven of clubs,"
        speaker.speak(1.0)
        speaker.pause(0.1)
        speaker.text = again
        speaker.pause(2.0)
        (final,) = speaker.of(Final)
        assert isinstance(final, Final)
        assert (final.text, final.attempts) == (again, 2)
        assert len(speaker.of(Preflight)) == len({"Seven of clubs,", again})
        waits.append(final.silence)
    assert waits[1] < 0.4 < COMMA_S <= waits[0]


def test_words_that_read_finished_are_written_anew_twice() -> None:
    """Whoever has nothing more to say is answered as soon as the recogniser hears that."""
    attempts = []
    for unfinished in (-1.0, 1.0):
        speaker = Speaker(probability=0.3)
        speaker.text, speaker.unfinished = "They have been carried away by monkeys,", unfinished
        speaker.speak(1.0)
        speaker.pause(3.0)
        (final,) = speaker.of(Final)
        assert isinstance(final, Final)
        attempts.append(final.attempts)
    assert attempts == [3, 2]


def _asked_anew(speech: float, first: str) -> tuple[TurnTracker, int]:
    """A pause after so much speech, in which words are being written anew; and the number of that transcription."""
    tracker = TurnTracker()
    tracker.begin(over_agent=False, agent_asked=False, seconds=0.3)
    for _ in range(round(speech / WINDOW)):
        tracker.window(WINDOW, 0.9)
    asked: list[int] = []
    while len(asked) < 2:
        for action in tracker.window(WINDOW, 0.01):
            if isinstance(action, Transcribe):
                asked.append(action.attempt)
            elif isinstance(action, AskVoice):
                tracker.voice(action.attempt, 0.05)
        if len(asked) == 1:
            tracker.transcript(asked[0], first)
            tracker.sentence(asked[0] + 1, 2.0)
    return tracker, asked[1]


def test_words_that_are_settled_while_they_are_written_anew_stand_once() -> None:
    """What comes after a long segment was settled is about words that the turn has already."""
    tracker, anew = _asked_anew(15.5, "A long story,")
    actions: list[Action] = []
    while not any(isinstance(action, NewSegment) for action in actions):
        actions += tracker.window(WINDOW, 0.01)
    assert tracker.transcript(anew, "A long story.") == []
    while tracker.open:
        actions += tracker.window(WINDOW, 0.01)
    assert [final.text for final in actions if isinstance(final, Final)] == ["A long story,"]


def test_words_that_are_not_found_again_stay() -> None:
    """A recogniser that hears nothing the second time does not take back what was said."""
    tracker, anew = _asked_anew(1.0, "Kangaroo,")
    actions = tracker.transcript(anew, "")
    while tracker.open:
        actions += tracker.window(WINDOW, 0.01)
    assert [final.text for final in actions if isinstance(final, Final)] == ["Kangaroo,"]


def test_words_that_are_surely_finished_are_written_once() -> None:
    """Nothing is asked of the recogniser for nothing."""
    speaker = Speaker()
    speaker.speak(1.0)
    speaker.pause(2.0)
    assert len(speaker.of(Transcribe)) == 1


def test_a_failed_transcription_is_asked_for_again() -> None:
    """What was said is not lost for one error."""
    speaker = Speaker()
    speaker.text = None
    speaker.speak(1.0)
    speaker.pause(LIMITS.patience)
    speaker.text = "Here it is."
    speaker.pause(1.0)
    assert [final.text for final in speaker.of(Final) if isinstance(final, Final)] == ["Here it is."]
    assert len(speaker.of(Transcribe)) == 2


def test_a_sound_without_words_is_forgotten() -> None:
    """A cough, a door: no turn, and the next one is a turn of its own."""
    speaker = Speaker()
    speaker.text = ""
    speaker.speak(0.3)
    speaker.pause(1.0)
    assert speaker.of(Final) == []
    assert speaker.of(Dropped) == [Dropped("no words")]
    speaker.text = "Now."
    speaker.speak(0.5)
    speaker.pause(1.0)
    assert len(speaker.of(Final)) == 1


def test_a_back_channel_is_no_turn_while_the_agent_speaks() -> None:
    """It neither interrupts nor is answered; the same word to a silent agent is an answer."""
    for over_agent, expected in ((True, []), (False, ["Mm-hm."])):
        speaker = Speaker(over_agent=over_agent, agent_asked=True)
        speaker.text = "Mm-hm." if over_agent else "Yeah."
        speaker.speak(0.4)
        speaker.pause(2.5)
        finals = [final for final in speaker.of(Final)]
        assert len(finals) == len(expected)
        assert speaker.of(Interrupt) == []


def test_words_to_the_agent_interrupt_it_once() -> None:
    """By the first caption that has some, else by the first pause."""
    speaker = Speaker(over_agent=True)
    speaker.text = "Wait, I meant something else."
    speaker.speak(4.0)
    speaker.pause(1.0)
    assert speaker.of(Interrupt) == [Interrupt()]
    assert isinstance(speaker.actions[1], Interrupt)
    assert len(speaker.of(Final)) == 1


def test_captions_come_while_somebody_speaks() -> None:
    """From time to time, and each is the whole turn so far."""
    speaker = Speaker()
    speaker.speak(5.0)
    captions = speaker.of(Caption)
    assert 2 <= len(captions) <= 4


def test_a_long_turn_is_settled_part_by_part() -> None:
    """What has been said long ago is transcribed no more, and nothing of it is lost."""
    speaker = Speaker(probability=0.05)
    for number in range(6):
        speaker.text = f"Part {number} and"
        speaker.speak(8.0)
        speaker.pause(0.7)
    speaker.text, speaker.probability = "the end.", 0.9
    speaker.speak(1.0)
    speaker.pause(2.5)
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert final.text.endswith("the end.")
    assert len(speaker.of(NewSegment)) >= 2
    assert final.text.count("Part") == len(speaker.of(NewSegment))


def test_unbroken_speech_is_settled_too() -> None:
    """Half a minute without a breath; a part whose transcription fails is said to be missing."""
    speaker = Speaker()
    speaker.text = "On and on"
    speaker.speak(26.0)
    assert len(speaker.of(NewSegment)) == 1
    speaker.text = None
    speaker.speak(26.0)
    speaker.text = "the end."
    speaker.speak(1.0)
    speaker.pause(1.0)
    (final,) = speaker.of(Final)
    assert isinstance(final, Final)
    assert final.text == f"On and on {INAUDIBLE} the end."


def test_the_attempts_of_a_segment_are_bounded() -> None:
    """Somebody who stammers does not keep the models busy; the end is transcribed all the same."""
    speaker = Speaker(probability=0.05)
    speaker.text = "I"
    for _ in range(30):
        speaker.speak(0.2)
        speaker.pause(0.2)
    assert len(speaker.of(Transcribe)) == LIMITS.attempts
    speaker.text, speaker.probability = "I have it.", 0.9
    speaker.speak(0.5)
    speaker.pause(1.5)
    assert [final.text for final in speaker.of(Final) if isinstance(final, Final)] == ["I have it."]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["speak", "pause"]),
        st.floats(0.03, 3.0),
        st.sampled_from(["Yes.", "and then", "", "mm-hm", None, "I would like to know what it costs."]),
        st.sampled_from([None, 0.05, 0.3, 0.9]),
    ),
    max_size=25,
)


@given(STEPS, st.booleans(), st.booleans())
def test_every_turn_ends_once_and_only_in_silence(
    steps: list[tuple[str, float, str | None, float | None]], over_agent: bool, agent_asked: bool
) -> None:
    """Whatever happens: one end a turn, with words, after enough silence, within the longest wait."""
    speaker = Speaker(over_agent=over_agent, agent_asked=agent_asked)
    turns = 0
    for step, seconds, speaker.text, speaker.probability in steps:
        opened = step == "speak" and not speaker.tracker.open
        turns += opened
        getattr(speaker, step)(seconds)
    speaker.text, speaker.probability = "The end.", 0.9
    speaker.pause(5.0)
    ends = [*speaker.of(Final), *speaker.of(Dropped)]
    assert len(ends) == turns
    assert not speaker.tracker.open
    for final in speaker.of(Final):
        assert isinstance(final, Final)
        assert final.text.strip()
        assert final.silence >= final.required >= 0.25
