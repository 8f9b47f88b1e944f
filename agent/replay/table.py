"""The turns of a replay as a table for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.replay.result import ReplayedTurn
from agent.turns import Channel, Speaker


def print_turns(console: Console, turns: Sequence[ReplayedTurn]) -> None:
    """Print one row for each turn: when, who, what, and how long each stage before it took."""
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("words", overflow="fold", min_width=24)
    for name in ("end of turn", "model", "speech", "voice to voice"):
        table.add_column(name, justify="right", width=8)
    for turn in turns:
        agent = turn.speaker is Speaker.ASSISTANT
        who = "agent" if agent else "caller" if turn.channel is Channel.VOICE else "typed"
        table.add_row(
            f"{turn.start:.2f} s",
            f"[{'green' if agent else 'blue'}]{who}[/]",
            _words(turn),
            _milliseconds(turn.latency.end_of_turn_ms),
            _milliseconds(turn.latency.llm_first_token_ms),
            _milliseconds(turn.latency.tts_first_byte_ms),
            f"[bold]{_milliseconds(turn.voice_to_voice_ms)}[/]" if turn.voice_to_voice_ms is not None else "",
        )
    console.print(table if turns else "nobody said anything that was understood", highlight=False)


def _words(turn: ReplayedTurn) -> Text:
    words = Text(turn.text)
    if turn.interrupted:
        words.append(" (cut)", style="red")
    return words


def _milliseconds(value: int | None) -> str:
    return "" if value is None else f"{value:,}\N{NO-BREAK SPACE}ms"
