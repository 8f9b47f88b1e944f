"""Speech at another pace and the same pitch, with PyAV (FFmpeg)."""

import math

import av.error
import av.filter
import numpy as np

from agent.dev.models.audio_encoding import to_frame
from agent.dev.models.samples import SPEAKING_RATE, Samples


def change_speed(samples: Samples, speed: float) -> Samples:
    """The same speech in 1/speed of the time at the same pitch; speed is between 0.25 and 4.

    FFmpeg's `atempo` drops samples beyond a factor of two, so larger changes are made in two steps.
    """
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="flt", sample_rate=SPEAKING_RATE, layout="mono", time_base=None)
    steps = 1 if 0.5 <= speed <= 2.0 else 2
    filters = [graph.add("atempo", f"{math.pow(speed, 1 / steps):.6f}") for _ in range(steps)]
    graph.link_nodes(source, *filters, graph.add("abuffersink")).configure()
    graph.push(to_frame(samples))
    graph.push(None)
    parts: list[Samples] = []
    while True:
        try:
            frame = graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            break
        if isinstance(frame, av.AudioFrame):
            parts.append(frame.to_ndarray()[0])
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
