"""Which number of calls is tried next, and whether one went well; pure."""

from collections.abc import Mapping, Sequence

from bench.density.turns import PATIENCE_S, Turn
from bench.percentiles import percentile

# The 95th percentile of voice to voice may grow so far beyond that of one call.
MOST_GROWTH = 1.3
# And so much larger the share of turns into which the agent speaks: an answer that comes too late to be one.
MOST_CUT_OFF = 0.1


def next_calls(ladder: Sequence[int], outcomes: Mapping[int, bool], refine: bool) -> int | None:
    """The number of calls to be tried next; None when the limit is known.

    Args:
        ladder: the numbers that are tried one after the other, until one does not go well.
        outcomes: whether those that were tried went well.
        refine: look between the last number that went well and the first that did not, too.
    """
    bad = [calls for calls, well in outcomes.items() if not well]
    if not bad:
        return next((calls for calls in ladder if calls not in outcomes), None)
    first_bad = min(bad)
    last_good = most_calls(outcomes)
    return (last_good + first_bad) // 2 if refine and first_bad - last_good > 1 else None


def most_calls(outcomes: Mapping[int, bool]) -> int:
    """The highest number of calls that went well, below all that did not; 0 when none did."""
    first_bad = min((calls for calls, well in outcomes.items() if not well), default=None)
    good = (calls for calls, well in outcomes.items() if well and (first_bad is None or calls < first_bad))
    return max(good, default=0)


def p95_ms(turns: Sequence[Turn]) -> float | None:
    """The 95th percentile of voice to voice; a turn that was not answered counts as one that was waited for in vain.

    None when there are no turns. Those that were cut off are left out: their time is not known.
    """
    times = [turn.reply_ms if turn.reply_ms is not None else PATIENCE_S * 1000 for turn in turns if not turn.cut_off]
    return percentile(times, 95) if times else None


def went_well(turns: Sequence[Turn], of_one_call: Sequence[Turn]) -> bool:
    """Whether the answers came about as soon as with one call, and into no more turns."""
    p95, reference = p95_ms(turns), p95_ms(of_one_call)
    if p95 is None or reference is None:
        return False
    return p95 <= MOST_GROWTH * reference and _cut_off(turns) <= _cut_off(of_one_call) + MOST_CUT_OFF


def _cut_off(turns: Sequence[Turn]) -> float:
    return sum(turn.cut_off for turn in turns) / len(turns)
