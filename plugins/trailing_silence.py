"""More of the silence at the end of what was heard, for a recogniser that is asked before there is enough. Pure."""

from collections.abc import Sequence

import numpy as np
from livekit import rtc


def with_silence(frames: Sequence[rtc.AudioFrame], silence: float, wanted: float) -> list[rtc.AudioFrame]:
    """Audio that ends with silence, made to end with as much as is wanted.

    Moonshine writes more commas where a sentence has ended when it hears 60 ms of silence than when it hears 160, and
    full stops everywhere after digital silence. So the room's own goes on, to and fro (docs/turn-taking.md has counts).

    Args:
        frames: the audio; each frame is a window of it.
        silence: how many seconds of it at the end are silent.
        wanted: how many are to be.
    """
    if not frames or silence <= 0.0 or silence >= wanted:
        return list(frames)
    last = frames[-1]
    samples = np.frombuffer(last.data, np.int16).reshape(-1, last.num_channels)
    missing = round((wanted - silence) * last.sample_rate)
    repeated = np.resize(np.concatenate([samples[::-1], samples]), (missing, last.num_channels))
    return [*frames, rtc.AudioFrame(repeated.tobytes(), last.sample_rate, last.num_channels, missing)]
