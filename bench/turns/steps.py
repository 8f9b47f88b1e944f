"""Waits in steps, as this agent had them before the graded wait: kept to compare with. Pure."""

from plugins.turn_policy import LONGEST_S, SHORTEST_S, Evidence
from plugins.turn_words import read_words, words

_NO_END = """
    a an the my your his its our their this these those every and or but so because if when while which whose than as
    of to in on at for from with by about into onto over under between through without
    i'm you're we're they're i'd i'll let's very quite rather
"""
_NO_END_WITHOUT_STOP = """
    her this that some any each no who where is are was were am be been have has had do does did can could will would
    should may might must i you he she we they it's really not also just like
"""
_BROKEN_OFF_S = 1.2
_NO_STOP_S = 0.3
# From this probability on, so many seconds.
_STEPS = ((0.4, 0.25), (0.25, 0.45), (0.12, 0.8), (0.0, 1.1))


def silence_in_steps(evidence: Evidence) -> float:
    """Seconds of silence after which the turn is over; a question of the agent is left aside."""
    read = read_words(evidence.text)
    if read.fillers:
        return LONGEST_S
    probability = 0.4 if evidence.probability is None else evidence.probability
    needed = next(wait for least, wait in _STEPS if probability >= least)
    last = words(evidence.text)[-1]
    if not read.final_mark:
        needed += _NO_STOP_S
    if last in _NO_END.split() or read.comma or (last in _NO_END_WITHOUT_STOP.split() and not read.final_mark):
        needed = max(needed, _BROKEN_OFF_S)
    return min(max(needed, SHORTEST_S), LONGEST_S)
