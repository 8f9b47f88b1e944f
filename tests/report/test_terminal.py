"""The report in the terminal: all of it, and nothing that the words of a call could do to the terminal."""

import io
from typing import Literal

from rich.console import Console

from agent.report.report import Report
from agent.report.terminal import print_report


def shown(report: Report, width: int = 100, *, colour: bool = False) -> str:
    """What is printed."""
    out = io.StringIO()
    system: Literal["standard"] | None = "standard" if colour else None
    console = Console(file=out, width=width, force_terminal=colour, highlight=False, color_system=system)
    print_report(console, report)
    return out.getvalue()


async def test_everything_is_there(bad: Report) -> None:
    """Each part under its heading, each turn with its words."""
    text = shown(bad)
    for title in ("Summary", "Time line", "Thread", "Latency", "Events", "Deliveries to the chat thread", "Webhook",
                  "Usage and cost"):  # fmt: skip
        assert f"{title} ─" in text
    for words in ("She is four years old.", "cut off · waited 4.50 s", "typed (chat)", "not yet", "not known",
                  "given up: answered 404", "first words of the model", "groq/llama-3.3-70b"):  # fmt: skip
        assert words in text


async def test_the_summary_says_that_a_model_made_it(good: Report) -> None:
    """With its name and the time."""
    assert "made by the model openai/gpt-4.1-mini, 2025-11-24" in shown(good)
    assert "Thursday" in shown(good)


async def test_words_cannot_colour_or_move_anything(bad: Report) -> None:
    """No escape sequence, control character or markup of a caller reaches the terminal."""
    plain = shown(bad)
    assert not [c for c in plain if ord(c) < 32 and c != "\n"]
    assert "\u202e" not in plain
    assert "[bold]markup[/bold]" in plain
    coloured = shown(bad, colour=True)
    assert "\x1b]0;" not in coloured
    assert "\x1b[31mred" not in coloured


async def test_a_narrow_terminal_holds_it(bad: Report) -> None:
    """No line is longer than the terminal is wide."""
    assert max(len(line.rstrip()) for line in shown(bad, width=60).splitlines()) <= 60


async def test_the_time_line_has_two_lanes_and_events(bad: Report) -> None:
    """Cut replies, typed turns and events can be told apart."""
    lanes = [line for line in shown(bad).splitlines() if line.lstrip().startswith(("caller ", "assistant ", "events "))]
    lanes = [line for line in lanes if any(sign in line for sign in "·█▓▲")]
    assert any("◆" in line for line in lanes)
    assert any("▓" in line and "assistant" in line for line in lanes)
    assert any("▲" in line and "events" in line for line in lanes)
