"""The picture of a replay: well-formed, complete, and free of what others may have said to break it."""

from xml.etree import ElementTree

import numpy as np
import pytest

from agent.replay.loudspeaker import Utterance
from agent.replay.performance import Performance
from agent.replay.result import ReplayedTurn
from agent.replay.sound import RATE, silence
from agent.replay.timeline import Picture, timeline
from agent.replay.trace import Span, Stage, Transcript
from agent.turns import Channel, Latency, Speaker

NAMESPACE = "{http://www.w3.org/2000/svg}"


def turn(number: int, speaker: Speaker, text: str, start: float, end: float, **members: object) -> ReplayedTurn:
    """A turn of a picture."""
    given = {
        "channel": Channel.VOICE,
        "interrupted": False,
        "reply_to": None,
        "voice_to_voice_ms": None,
        "latency": Latency(),
    }
    return ReplayedTurn(number=number, speaker=speaker, text=text, start=start, end=end, **{**given, **members})  # type: ignore[arg-type]


def picture(seconds: float = 10.0, text: str = "Ten of clubs.") -> ElementTree.Element:
    """The picture of a small call, parsed."""
    turns = [
        turn(1, Speaker.USER, text, 1.0, 2.0, latency=Latency(end_of_turn_ms=400)),
        turn(2, Speaker.ASSISTANT, f"You said: {text}", 2.5, 4.0, reply_to=1, voice_to_voice_ms=510, interrupted=True),
        turn(3, Speaker.USER, "wait", 3.8, 3.8, channel=Channel.ROOM),
    ]
    performance = Performance(
        turns=(),
        begun_at=0.0,
        caller=silence(round(seconds * RATE)),
        agent=silence(round(seconds * RATE)),
        utterances=(Utterance(2.5, 2.52, 4.0, interrupted=True),),
        spans=(Span(Stage.HEARING, 2.0, 2.2), Span(Stage.THINKING, 2.2, 2.21, discarded=True), Span(Stage.USER, 1, 2)),
        transcripts=(Transcript(2.2, text, final=True), Transcript(1.9, "Ten", final=False)),
    )
    drawn = timeline(Picture("call.wav", "10 s", performance, turns, np.zeros(300, np.float32)))
    return ElementTree.fromstring(drawn)


def texts(root: ElementTree.Element) -> list[str]:
    """All words that are shown."""
    return ["".join(found.itertext()) for found in root.iter(f"{NAMESPACE}text")]


def test_everything_that_happened_can_be_seen() -> None:
    """Words of both, what was typed, the wait, the cut, and a bar for each stage."""
    root = picture()
    shown = texts(root)
    assert {"call.wav", "Ten of clubs.", "typed: wait", "510 ms", "cut"} <= set(shown)
    assert any(words.startswith("You said:") for words in shown)
    styles = {found.get("class") for found in root.iter()}
    assert {"hearing", "thinking discarded", "user", "wait", "final", "interim", "vad", "caller", "agent"} <= styles


def test_a_long_call_has_more_rows_and_is_no_wider() -> None:
    """Three minutes are read like lines of music."""
    short, long = (picture(seconds).get("viewBox", "").split() for seconds in (10.0, 180.0))
    assert short[2] == long[2]
    assert float(long[3]) > 10 * 300
    assert "2:59" in texts(picture(180.0))


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", 'a "b" & c', "x" * 500, "]]>", "é😀"])
def test_what_is_said_cannot_break_the_picture(text: str) -> None:
    """It is text and nothing else; what is too long for its place is shortened."""
    root = picture(text=text)
    assert not list(root.iter(f"{NAMESPACE}script"))
    assert max(len(words) for words in texts(root)) < 200


def test_the_picture_needs_nothing_from_elsewhere_and_suits_light_and_dark() -> None:
    """It can be opened from a disk, and in a README."""
    drawn = ElementTree.tostring(picture(), encoding="unicode")
    assert "href" not in drawn
    assert "url(" not in drawn
    assert "prefers-color-scheme: dark" in drawn
