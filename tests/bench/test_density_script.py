"""What callers say, encoded."""

from pathlib import Path

import av
import numpy as np
import pytest

from bench.clips import plain_clips
from bench.density.script import PACKET_S, compose, write_script

EVERY_S = 8.0


def test_turns_are_where_the_script_says(tmp_path: Path) -> None:
    """A packet every 20 ms, voice from the first packet of a turn to its last one, room tone after it."""
    script = write_script(tmp_path / "script.ogg", EVERY_S, seed=1, count=2)
    with av.open(str(script.file)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    with av.open(str(script.file)) as container:
        decoded = np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    assert len(packets) * PACKET_S == pytest.approx(script.rest * PACKET_S + 2 * EVERY_S, abs=2 * PACKET_S)
    size = int(PACKET_S * rate)
    loudness = [float(np.sqrt(np.mean(decoded[at : at + size] ** 2))) for at in range(0, len(decoded) - size, size)]
    first, second = script.turns
    assert second.first - first.first == pytest.approx(EVERY_S / PACKET_S, abs=30)
    for turn in script.turns:
        voice = float(np.median(loudness[turn.first : turn.last]))
        after = max(loudness[turn.last + 40 : turn.last + 90])
        assert script.rest <= turn.first < turn.last < len(packets)
        assert voice > 5 * after


def test_turns_that_come_too_fast_are_refused() -> None:
    """The message names the recording that does not fit."""
    clip = max(plain_clips(), key=lambda clip: clip.ends_at)
    with pytest.raises(ValueError, match=clip.name):
        compose([clip], every=clip.ends_at)
