"""What became of the agent's speech, from the moments at which something audible arrived."""

import pytest

from bench.interruption.disturbance import SHORTEST_S, sentences, sounds
from bench.interruption.outcome import (
    Disturbed,
    Interruption,
    fate_of,
    fell_silent_ms,
    has_first_word,
    summarise,
)


def heard(*stretches: tuple[float, float]) -> list[float]:
    """Something audible every 10 ms in each stretch of seconds."""
    return [start + step / 100 for start, end in stretches for step in range(round((end - start) * 100))]


def test_the_agent_falls_silent_with_its_last_sound_before_a_long_silence() -> None:
    """A pause of its voice is none, and the answer that comes later is not what it was saying."""
    audible = heard((0.0, 2.0), (2.4, 3.25), (6.0, 8.0))
    assert fell_silent_ms(audible, 3.0) == pytest.approx(240, abs=11)
    assert fell_silent_ms(heard((0.0, 12.0)), 3.0) is None


def test_an_agent_that_never_speaks_again_has_stopped_too() -> None:
    """The silence at the end is as long as any."""
    assert fell_silent_ms(heard((0.0, 3.2)), 3.0) == pytest.approx(190, abs=11)


def test_a_sound_is_passed_over_waited_for_or_taken_for_words() -> None:
    """Three fates; a pause of the voice itself is no silence."""
    assert fate_of(heard((0.0, 2.0), (2.38, 9.0)), 1.9, 2.5, answered=False) == ("went on", 0)
    fate, silent_ms = fate_of(heard((0.0, 2.0), (3.0, 9.0)), 1.9, 2.5, answered=False)
    assert fate == "paused"
    assert silent_ms == pytest.approx(1000, abs=11)
    assert fate_of(heard((0.0, 2.0), (4.0, 9.0)), 1.9, 2.5, answered=True)[0] == "stopped"
    assert fate_of(heard((0.0, 2.0)), 1.9, 2.5, answered=False)[0] == "stopped"


def test_the_first_word_is_looked_for_where_it_should_be() -> None:
    """Number words, capitals and spelling do not matter; a first word that is lost does."""
    assert has_first_word("weasels have eaten it", "Wheezles have eaten it.")
    assert has_first_word("ten of clubs", "10 of clubs.")
    assert not has_first_word("ten of clubs", "Of clubs.")
    assert not has_first_word("ten of clubs", "")


def test_the_summary_counts_what_did_not_stop() -> None:
    """It is in no percentile."""
    found = summarise(
        [Interruption("ours", "a", 200, True, "A."), Interruption("ours", "b", None, False, "")],
        [Disturbed("ours", "cough", "paused", 700, ""), Disturbed("ours", "hum", "stopped", 0, "Hm.")],
    )
    assert (found["p50_ms"], found["missed"], found["interruptions"], found["first_words"]) == (200, 1, 2, 1)
    assert found["sounds"] == {"went on": 0, "paused": 1, "stopped": 1}
    assert found["pause_ms"] == 700


def test_what_is_played_is_long_enough_and_chosen_by_the_seed() -> None:
    """The same ten for the same seed, each with its words; and every sound with where it begins."""
    chosen = sentences(10, 1)
    assert [said.name for said in chosen] == [said.name for said in sentences(10, 1)]
    assert [said.name for said in chosen] != [said.name for said in sentences(10, 2)]
    assert all(said.words and said.end - said.onset >= SHORTEST_S for said in chosen)
    assert {sound.name[:4] for sound in sounds()} == {"coug", "door", "hmm_"}
    assert all(0 <= sound.onset < sound.end <= len(sound.samples) / 16_000 for sound in sounds())
