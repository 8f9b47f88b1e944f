"""A flood is slowed down, a person is not."""

from agent.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_one_at_each_interval() -> None:
    """Five messages at once are a person in a hurry, who waits for an answer then."""
    clock = Clock()
    pace = Pace(5, 1.0, clock)
    assert [pace.allows() for _ in range(5)] == [True] * 5
    clock.now = 1.0
    assert pace.allows()
    clock.now = 1.5
    assert not pace.allows()
    clock.now = 3.5
    assert pace.allows()
    clock.now = 100.0
    assert [pace.allows() for _ in range(6)] == [True] * 5 + [False]


def test_a_flood_that_goes_on_is_refused_as_a_whole() -> None:
    """Two hundred a second are no person; when it is over, a person is heard again."""
    clock = Clock()
    pace = Pace(5, 1.0, clock)
    allowed = 0
    for number in range(2000):
        clock.now = number / 200
        allowed += pace.allows()
    assert allowed == 5
    clock.now += 6.0
    assert pace.allows()
