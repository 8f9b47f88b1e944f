"""Moonshine's weights on ONNX Runtime, and what is known of an utterance that was heard before."""

import math

import numpy as np
import pytest

from agent.dev.models.audio_decoding import decode_audio
from agent.dev.models.drafts import MOST, Drafts
from agent.dev.models.moonshine import MOST_TOKENS_PER_S, Moonshine, read_vocabulary, weights
from agent.dev.models.samples import HEARING_RATE, Samples
from tests.support.recordings import RECORDINGS
from tests.support.wer import word_error_rate

SENTENCE = RECORDINGS["sense_and_sensibility_0930"]


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine(weights())


@pytest.fixture(scope="module")
def sentence() -> Samples:
    return decode_audio(SENTENCE.path.read_bytes(), 60.0)


class _Steps:
    """Counts how often the decoder is asked."""

    def __init__(self, moonshine: Moonshine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        step = moonshine._step

        def counted(*args: object) -> object:
            self.count += 1
            return step(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(moonshine, "_step", counted)


def test_what_was_written_before_is_not_written_again(
    moonshine: Moonshine, sentence: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the beginning as a draft the words are the same, and the model is asked for the end alone."""
    alone = moonshine.write(sentence).tokens
    steps = _Steps(moonshine, monkeypatch)
    assert moonshine.write(sentence, alone[:-2]).tokens == alone
    assert steps.count == 3  # the draft, and two tokens; the end is known with the last


def test_a_wrong_draft_changes_nothing(moonshine: Moonshine, sentence: Samples) -> None:
    """What the model would not have written is not taken over, wherever it stands."""
    alone = moonshine.write(sentence).tokens
    assert word_error_rate(SENTENCE.transcript, moonshine.text(alone)) == 0
    assert moonshine.write(sentence, (100, 200, 300)).tokens == alone
    assert moonshine.write(sentence, (*alone[:3], 1234, *alone[4:])).tokens == alone
    assert moonshine.write(sentence, (*alone, 1234)).tokens == alone


def test_a_draft_may_be_longer_than_what_can_be_said(moonshine: Moonshine, sentence: Samples) -> None:
    """The bound of tokens holds for a draft, too."""
    short = sentence[: HEARING_RATE // 2]
    assert len(moonshine.write(short, (500,) * 400).tokens) <= MOST_TOKENS_PER_S


@pytest.mark.parametrize("samples", [1, 100, HEARING_RATE // 10])
def test_the_shortest_sound_is_no_error(moonshine: Moonshine, samples: int) -> None:
    """The filters of the model need more."""
    assert len(moonshine.write(np.zeros(samples, np.float32)).tokens) <= math.ceil(
        MOST_TOKENS_PER_S * samples / HEARING_RATE
    )


def test_lengths_in_the_vocabulary_are_of_one_byte_or_two() -> None:
    """As in the file that comes with the weights."""
    long = b"x" * 300
    assert read_vocabulary(b"\x02ab" + bytes([128 + 300 % 128, 300 // 128]) + long + b"\x00") == [b"ab", long, b""]


def test_an_utterance_that_goes_on_has_a_draft_and_another_has_none() -> None:
    """By its first half second; the last two tokens are not part of it."""
    drafts = Drafts()
    noise = np.random.default_rng(1).standard_normal(3 * HEARING_RATE).astype(np.float32)
    drafts.wrote(noise[: 2 * HEARING_RATE], (5, 6, 7, 8))
    assert drafts.of(noise) == (5, 6)
    assert drafts.of(noise[100:]) == ()


def test_what_was_not_heard_for_longest_is_forgotten() -> None:
    """The memory does not grow."""
    drafts = Drafts()
    for value in range(MOST + 1):
        drafts.wrote(np.full(HEARING_RATE, value, np.float32), (1, 2, 3))
        drafts.wrote(np.zeros(HEARING_RATE, np.float32), (4, 5, 6))
    assert drafts.of(np.full(HEARING_RATE, 1, np.float32)) == ()
    assert drafts.of(np.zeros(HEARING_RATE, np.float32)) == (4,)
    assert drafts.of(np.full(HEARING_RATE, MOST, np.float32)) == (1,)
