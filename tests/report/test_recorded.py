"""What a report makes of a recording's events."""

from pathlib import Path

import pytest

from agent.journal import CallEvent
from agent.journal.records import Detail
from agent.recording.events import KIND
from agent.report.happenings import Weight, happenings
from agent.report.recorded import recorded

FILE = Path("recordings/7-days/AJ_1.ogg")


def events(*details: dict[str, Detail]) -> list[CallEvent]:
    """A second after each other, from the second after the call's beginning on."""
    return [CallEvent("AJ_1", 101.0 + number, KIND, of) for number, of in enumerate(details)]


def test_a_call_that_was_not_to_be_recorded_has_none() -> None:
    """Nothing is said of recordings there."""
    assert recorded([CallEvent("AJ_1", 101.0, "error", {"status": "failed"})], 100.0, None) is None


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            [{"status": "not started", "why": "the announcement could not be spoken"}],
            "The call was to be recorded and was not: the announcement could not be spoken.",
        ),
        (
            [{"status": "started"}, {"status": "failed", "why": "No space left on device"}],
            "The recording broke off: No space left on device. What was written before is kept.",
        ),
        (
            [{"status": "started"}, {"status": "paused", "why": "read_card"}],
            "The call was recorded; the recording has no end, and holds what was said until shortly before.",
        ),
        (
            [{"status": "started"}, {"status": "ended", "seconds": 61.0, "paused_seconds": 0.0, "size": 9}],
            "The call was recorded: 1 min 1 s.",
        ),
    ],
)
def test_each_outcome_has_its_words(told: list[dict[str, Detail]], sentence: str) -> None:
    """Somebody who was not there knows what to expect of the file."""
    found = recorded(events(*told), 100.0, FILE)
    assert found is not None
    assert found.sentence == sentence
    assert found.start_s == (None if told[0]["status"] == "not started" else 1.0)
    assert found.data()["file"] == str(FILE)


def test_what_went_wrong_stands_out_among_the_events() -> None:
    """A recording that is not there is a warning, everything else a note."""
    told = happenings(
        events(
            {"status": "started"},
            {"status": "paused", "why": "read_card"},
            {"status": "resumed", "why": "read_card"},
            {"status": "failed", "why": "File too large"},
        ),
        100.0,
    )
    assert [(h.weight, h.text) for h in told] == [
        (Weight.NOTE, "the call is recorded from here on"),
        (Weight.NOTE, "the recording is silent from here on (read_card)"),
        (Weight.NOTE, "the recording goes on"),
        (Weight.WARNING, "the recording breaks off: File too large"),
    ]
