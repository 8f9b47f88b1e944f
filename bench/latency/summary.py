"""From single turns to the figures of a table; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

from bench.latency.turn import HeardTurn, Stages
from bench.percentiles import percentile


@dataclass(frozen=True)
class Summary:
    """How one contender did in one table.

    Attributes:
        turns: how many recordings it was told.
        p50_ms, p95_ms: of the turns that were answered and not cut off; None when there are none.
        cut_off: how many times it began to answer before the recording had ended.
        missed: how many recordings it did not answer.
        stages: the median of each stage, as its own library reports it.
    """

    turns: int
    p50_ms: int | None
    p95_ms: int | None
    cut_off: int
    missed: int
    stages: Stages

    def to_json(self) -> dict[str, Any]:
        """The members of the issue's format."""
        return {
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "cut_off": self.cut_off,
            "missed": self.missed,
            "turns": self.turns,
        }


@dataclass(frozen=True)
class Comparison:
    """One table: every contender's summary, and the first two against each other.

    Attributes:
        ratio: median over the recordings of our time divided by stock's, where both answered and cut nobody off.
        ratio_p95: our 95th percentile divided by stock's.
        pairs: how many recordings the first ratio is of.
    """

    name: str
    summaries: dict[str, Summary]
    ratio: float | None
    ratio_p95: float | None
    pairs: int

    def to_json(self) -> dict[str, Any]:
        """Every contender by name, and the ratios."""
        table: dict[str, Any] = {name: summary.to_json() for name, summary in self.summaries.items()}
        return {**table, "ratio": self.ratio, "ratio_p95": self.ratio_p95}


def summarise(turns: Sequence[HeardTurn]) -> Summary:
    """The figures of one contender."""
    times = [turn.reply_ms for turn in turns if turn.reply_ms is not None]
    p50, p95 = (round(percentile(times, percent)) if times else None for percent in (50, 95))
    return Summary(
        turns=len(turns),
        p50_ms=p50,
        p95_ms=p95,
        cut_off=sum(turn.cut_off for turn in turns),
        missed=sum(turn.missed for turn in turns),
        stages=Stages(*(_median([getattr(turn.stages, stage.name) for turn in turns]) for stage in fields(Stages))),
    )


def compare(name: str, turns: Sequence[HeardTurn]) -> Comparison:
    """One table from its turns.

    Args:
        name: what the table is called.
        turns: of all contenders, in any order.
    """
    contenders = list(dict.fromkeys(turn.contender for turn in turns))
    summaries = {who: summarise([turn for turn in turns if turn.contender == who]) for who in contenders}
    ratios = _ratios(turns)
    ours, stock = summaries.get("ours"), summaries.get("stock")
    p95 = None
    if ours is not None and stock is not None and ours.p95_ms is not None and stock.p95_ms:
        p95 = round(ours.p95_ms / stock.p95_ms, 3)
    return Comparison(name, summaries, round(median(ratios), 3) if ratios else None, p95, len(ratios))


def _ratios(turns: Sequence[HeardTurn]) -> list[float]:
    times = {(turn.contender, turn.recording): turn.reply_ms for turn in turns}
    return [
        ours / stock
        for (who, recording), ours in times.items()
        if who == "ours" and ours is not None and (stock := times.get(("stock", recording)))
    ]


def _median(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(median(known)) if known else None
