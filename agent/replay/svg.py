"""Elements of SVG as text: no more than the timeline needs."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

import numpy as np

from agent.replay.sound import Sound


def element(name: str, attributes: Mapping[str, object], *children: str) -> str:
    """One element; numbers are written short, an underscore in a name is a hyphen, text must be escaped by `text`."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(children)}</{name}>" if children else f"<{name}{given}/>"


def rect(x: float, y: float, width: float, height: float, style: str, *children: str, radius: float = 0.0) -> str:
    """A rectangle of a class of style."""
    box = {"class": style, "x": x, "y": y, "width": width, "height": height}
    return element("rect", {**box, "rx": radius} if radius else box, *children)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A line of a class of style."""
    return element("line", {"class": style, "x1": x1, "y1": y1, "x2": x2, "y2": y2})


def text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    """Words, of a class of style; `anchor` is `start`, `middle` or `end`."""
    return element("text", {"class": style, "x": x, "y": y, "text_anchor": anchor}, escape(words))


def title(words: str) -> str:
    """What is shown when the mouse rests on the element that it is a child of."""
    return element("title", {}, escape(words))


def waveform(samples: Sound, left: float, middle: float, width: float, height: float, style: str) -> str:
    """The outline of a stretch of sound, symmetrical around `middle`; a point for every second pixel."""
    columns = max(1, round(width / 2))
    edges = np.linspace(0, len(samples), columns + 1).astype(int)
    bounds = pairwise(edges)
    loud = [np.abs(samples[a:b].astype(np.int32)).max(initial=0) / 32768 for a, b in bounds]
    # The square root lets soft sounds be seen beside loud ones.
    heights = [max(0.5, float(np.sqrt(value)) * height / 2) for value in loud]
    step = width / columns
    above = [f"{left + i * step:.1f},{middle - h:.1f}" for i, h in enumerate(heights)]
    below = [f"{left + i * step:.1f},{middle + h:.1f}" for i, h in enumerate(heights)]
    return element("polygon", {"class": style, "points": " ".join([*above, *reversed(below)])})


def area(values: Sequence[float], left: float, bottom: float, width: float, height: float, style: str) -> str:
    """Values from 0 to 1 as a filled curve."""
    step = width / max(1, len(values))
    points = [f"{left + i * step:.1f},{bottom - value * height:.1f}" for i, value in enumerate(values)]
    outline = [f"{left:.1f},{bottom}", *points, f"{left + width:.1f},{bottom}"]
    return element("polygon", {"class": style, "points": " ".join(outline)})


def wrap(words: str, width: float, character: float, lines: int) -> list[str]:
    """Words broken into lines of at most `width` pixels, at so many for a character; the last may end in …"""
    limit = max(4, int(width / character))
    broken: list[str] = []
    for word in words.split():
        if broken and len(broken[-1]) + 1 + len(word) <= limit:
            broken[-1] += f" {word}"
        else:
            broken.append(word)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], f"{broken[lines - 1][: limit - 1]}…"]
    return [part if len(part) <= limit else f"{part[: limit - 1]}…" for part in broken]


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(str(value))
