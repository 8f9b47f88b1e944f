"""Taking `today` out of a scene where what is wanted holds: a change of the text alone, so that comments stay. Pure."""

import re
from collections.abc import Sequence

from tests.scenes.check import Verdict

# An expectation is one line.
EXPECTATION = re.compile(r"^\s*- \{event: ")
TODAY = re.compile(r",\s*today: \{[^{}]*\}")


def tightened(text: str, verdicts: Sequence[Verdict]) -> str:
    """The scene without the marks that are not true any more.

    Args:
        text: the scene as YAML.
        verdicts: on each of its expectations, in order.

    Raises:
        ValueError: the expectations do not stand on one line each.
    """
    lines = text.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if EXPECTATION.match(line)]
    if len(places) != len(verdicts):
        raise ValueError("each expectation must stand on a line of its own, as `- {event: …}`")
    for place, verdict in zip(places, verdicts, strict=True):
        if verdict.as_wanted and verdict.expected.today is not None:
            lines[place] = TODAY.sub("", lines[place])
    return "".join(lines)
