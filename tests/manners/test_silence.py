"""Silence: when the agent asks, when it leaves, and what begins it anew."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from agent.job.spec import Silence
from agent.manners.silence import SilencePolicy, SilenceStep

STEP_S = 0.2
PATIENCE = st.floats(3.0, 60.0)
PROMPTS = st.integers(1, 10)
# What goes on at each look: nothing, the agent or a tool is at work, or the user acts.
HAPPENING = st.sampled_from(["nothing", "stirred", "acted"])


def looks(policy: SilencePolicy, since: float, until: float) -> list[tuple[float, SilenceStep]]:
    """What is done in between when nothing happens, with the moments."""
    count = int((until - since) / STEP_S)
    steps = [(since + number * STEP_S, policy.step(since + number * STEP_S)) for number in range(1, count + 1)]
    return [(at, step) for at, step in steps if step is not SilenceStep.WAIT]


@given(PATIENCE, PROMPTS)
def test_it_asks_as_often_as_is_wanted_and_then_leaves(patience: float, prompts: int) -> None:
    """Between two steps there is as much silence each time."""
    policy = SilencePolicy(Silence(prompt_after_s=patience, prompts=prompts), 0.0)
    done = looks(policy, 0.0, (patience + STEP_S) * (prompts + 1) + STEP_S)
    assert [step for _, step in done][: prompts + 1] == [SilenceStep.ASK] * prompts + [SilenceStep.LEAVE]
    times = [0.0, *(at for at, _ in done)]
    assert all(later - earlier >= patience - 1e-6 for earlier, later in itertools.pairwise(times))


@given(PATIENCE, PROMPTS, st.lists(st.tuples(st.floats(0.05, 30.0), HAPPENING), max_size=60))
def test_nothing_is_done_before_there_was_silence_for_so_long(
    patience: float, prompts: int, story: list[tuple[float, str]]
) -> None:
    """Whatever happens: no step within `prompt_after_s` of the last happening, no leave without all prompts before."""
    policy = SilencePolicy(Silence(prompt_after_s=patience, prompts=prompts), 0.0)
    now = last = 0.0
    asked = 0
    for seconds, what in story:
        now += seconds
        if what == "acted":
            policy.user_acted(now)
            asked, last = 0, now
        elif what == "stirred":
            policy.stirred(now)
            last = now
        else:
            step = policy.step(now)
            if step is SilenceStep.WAIT:
                assert now - last < patience
                continue
            assert now - last >= patience
            assert (step is SilenceStep.LEAVE) == (asked == prompts)
            asked += step is SilenceStep.ASK
            last = now


@given(PATIENCE, PROMPTS, st.floats(0.0, 100.0))
def test_it_is_known_when_something_is_due(patience: float, prompts: int, stirred: float) -> None:
    """Whoever sleeps until then misses nothing, and has not slept too short."""
    policy = SilencePolicy(Silence(prompt_after_s=patience, prompts=prompts), 0.0)
    policy.stirred(stirred)
    due = policy.due_at
    assert policy.step(due - 0.01) is SilenceStep.WAIT
    assert policy.step(due + 1e-6) is SilenceStep.ASK


@given(st.floats(0.0, 1e6))
def test_without_prompts_it_waits_for_ever(now: float) -> None:
    """An agent that must not ask must not leave either."""
    policy = SilencePolicy(Silence(prompts=0), 0.0)
    assert policy.step(now) is SilenceStep.WAIT
    assert policy.due_at == math.inf


def test_an_old_act_of_the_user_counts_once() -> None:
    """Whoever looks tells the last act again and again: that must not make the agent ask for ever."""
    policy = SilencePolicy(Silence(prompt_after_s=3, prompts=1), 0.0)
    steps = []
    for number in range(1, 100):
        policy.user_acted(0.5)
        steps.append(policy.step(number * 1.0))
    assert steps.index(SilenceStep.LEAVE) > steps.index(SilenceStep.ASK)
