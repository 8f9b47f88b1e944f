"""Which calls a worker has on: from the moment in which one is accepted until its process is gone."""

import asyncio
from contextlib import ExitStack

import pytest

from agent.settings import load_settings
from agent.worker.admission import START_S, WINDOW_S, Refusal
from agent.worker.intake import Intake
from agent.worker.load_meter import LoadMeter

CORES = LoadMeter(lambda _: None, lambda _: None).cores


class Worker:
    """An intake of a worker whose time and calls the test sets; a call costs a tenth of the CPU."""

    def __init__(self, **env: str) -> None:
        self.now = 100.0
        self.running: list[str] = []
        settings = load_settings({"WORKER_CALL_CORES": str(0.1 * CORES), **env}, None)
        self.intake = Intake(settings, lambda: self.now)
        self.intake.follow(lambda: self.running)


def test_a_call_counts_while_it_is_accepted_while_it_runs_and_no_longer() -> None:
    """Once, though for a moment it is both; one that LiveKit gave to somebody else counts no more."""
    worker = Worker(WORKER_MAX_CALLS="2")
    with worker.intake.taking("a"):
        assert worker.intake.calls == 1
        worker.running = ["a"]
        assert worker.intake.calls == 1
    with worker.intake.taking("b"):
        assert worker.intake.refusal() is Refusal.CALLS
        assert worker.intake.told == 1.0
    assert worker.intake.calls == 1
    assert worker.intake.told < 1.0
    worker.running = []
    assert (worker.intake.calls, worker.intake.places()) == (0, 2)


def test_a_burst_is_refused_before_it_is_measured() -> None:
    """Seven calls of a tenth each fit below 0.7; when the measure shows less than that, there is room again."""
    worker = Worker()
    with ExitStack() as burst:
        for number in range(7):
            assert worker.intake.refusal() is None
            burst.enter_context(worker.intake.taking(str(number)))
        assert worker.intake.refusal() is Refusal.LOAD
        worker.running = [str(number) for number in range(7)]
    assert worker.intake.refusal() is Refusal.LOAD
    worker.intake.note_measured(0.4)
    assert worker.intake.refusal() is Refusal.LOAD
    worker.now += START_S + WINDOW_S
    assert worker.intake.refusal() is None
    assert worker.intake.load == pytest.approx(0.4)


def test_what_a_call_costs_is_learned_from_calls_that_are_all_measured() -> None:
    """Two that use 0.1 together cost half of what was set, so that twice as many fit."""
    worker = Worker()
    before = worker.intake.places()
    worker.running = ["a", "b"]
    worker.intake.note_used(0.1)
    assert worker.intake.places() < before
    worker.now += START_S + WINDOW_S
    for _ in range(100):
        worker.intake.note_used(0.1)
    assert worker.intake.places() == 2 * before


async def test_the_load_of_this_machine_is_measured() -> None:
    """A share between 0 and 1, after half a second; and what the processes below this one use, never less than 0."""
    measured, used = asyncio.Event(), asyncio.Queue[float]()
    shares: list[float] = []

    def note(share: float) -> None:
        shares.append(share)
        measured.set()

    meter = LoadMeter(note, used.put_nowait)
    running = asyncio.create_task(meter.run())
    await measured.wait()
    assert await used.get() >= 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert all(0 <= share <= 1 for share in shares)
