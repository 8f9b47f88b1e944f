"""The parts of `make chaos ARGS=--live` that need no calls: its plan, and what it makes of what it saw."""

from dataclasses import replace

from agent.phrases import Phrase, say
from tests.chaos.live_plan import Victim, make_blows
from tests.chaos.live_verdict import (
    CallLog,
    Gap,
    LiveResult,
    Texts,
    Typed,
    count_silent,
    count_speechless,
    judge_live,
    spread,
)

TURNS = (("a", "hello"), ("b", "apple boat 1"), ("c", "you said apple boat"))


def test_a_seed_always_makes_the_same_blows() -> None:
    """And within ten minutes everything is killed."""
    assert make_blows(5, 600.0) == make_blows(5, 600.0) != make_blows(6, 600.0)
    assert {blow.victim for blow in make_blows(8, 600.0)} == set(Victim)


def test_a_good_run_is_good() -> None:
    """Everything typed is in the journal and the thread once; what was typed as the agent died is only counted."""
    call = CallLog("c", [Typed("apple boat 1", 10.0), Typed("cloud door 3", 19.0)], [Gap(Victim.JOB, 20.0, "x", 21.5)])
    result = result_of(call, Texts(TURNS, TURNS))
    assert result.good
    assert result.in_flight == 1
    assert spread(result.gaps(Victim.JOB)) == {"count": 1, "p50": 1.5, "worst": 1.5}


def test_everything_that_must_not_be_is_seen() -> None:
    """A turn that the journal, the thread or the person lacks, twice, or in the wrong place; nobody, or two agents."""
    lost = result_of(CallLog("c"), Texts(TURNS, TURNS[:2]))
    assert lost.problems["lost"] == 1
    swapped = result_of(CallLog("c"), Texts(TURNS, (TURNS[1], TURNS[0], TURNS[2])))
    assert swapped.problems["out of order"] == 1
    unheard = result_of(CallLog("c", [Typed("cloud door 3", 19.0)]), Texts(TURNS, TURNS))
    assert unheard.problems["not durable"] == 1
    twice = (*TURNS, ("d", "apple boat 1"))
    repeated = result_of(CallLog("c", [Typed("apple boat 1", 10.0)]), Texts(twice, twice))
    assert repeated.problems["repeated"] == 1
    excuse = (*TURNS, ("d", say(Phrase.CANNOT_THINK, "en")))
    assert result_of(CallLog("c"), Texts(excuse, excuse)).problems["could not think"] == 1
    alone = result_of(CallLog("c", gaps=[Gap(Victim.WORKER, 20.0, "x")], crowded=1, given_up=True), Texts(TURNS, TURNS))
    assert [
        alone.problems[name] for name in ("never an agent again", "two agents in a room", "given up too early")
    ] == [1, 1, 1]


def test_a_call_whose_agents_were_killed_too_often_is_rightly_given_up() -> None:
    """That is promised after three takeovers in a row, if the thread says so; a steady call begins to count anew."""
    call = CallLog("c", gaps=[Gap(Victim.JOB, 80.0, "x")], given_up=True, losses=[20.0, 40.0, 60.0, 80.0])
    told = (*TURNS, ("d", say(Phrase.GIVEN_UP, "en")))
    assert result_of(call, Texts(told, told)).good
    assert result_of(call, Texts(TURNS, TURNS)).problems["given up in silence"] == 1
    steady = replace(call, losses=[20.0, 40.0, 60.0, 180.0])
    assert result_of(steady, Texts(told, told)).problems["given up too early"] == 1


def result_of(call: CallLog, texts: Texts) -> LiveResult:
    verdict, in_flight = judge_live([call], {call.conversation: texts})
    found = {"c": texts}
    return LiveResult(5, 1.0, [call], verdict, in_flight, 0, count_speechless(found), count_silent([call], found))
