"""What the journal's events say about tool calls that were never finished."""

from hypothesis import given
from hypothesis import strategies as st

from agent.journal.records import CallEvent
from agent.tools.failure import Status
from agent.tools.ledger import unfinished

STARTS = st.integers(0, 5)


def event(key: int, status: Status, process: int = 1) -> CallEvent:
    """One event of the call with this key."""
    details: dict[str, str | int | float] = {"key": str(key), "tool": f"tool_{key}", "status": status.value}
    if status is Status.STARTED:
        details |= {"pid": process, "process_started": 1.0}
    return CallEvent("call", float(key), "tool", details)


@given(st.lists(st.tuples(STARTS, st.sampled_from([Status.STARTED, Status.OK, Status.UNKNOWN, Status.ERROR]))))
def test_a_call_is_unfinished_from_its_start_to_its_outcome(steps: list[tuple[int, Status]]) -> None:
    """Whatever the order and the other calls: what started last without an outcome after it."""
    latest = dict(steps)
    expected = {str(key) for key, status in latest.items() if status is Status.STARTED}
    assert {begun.key for begun in unfinished([event(*step) for step in steps], lambda _: False)} == expected


def test_a_call_of_a_living_process_is_under_way() -> None:
    """It is not taken for one that was left behind."""
    events = [event(1, Status.STARTED, process=7), event(2, Status.STARTED, process=8)]
    left = unfinished(events, lambda process: process.pid == 7)
    assert [(begun.key, begun.tool, begun.at) for begun in left] == [("2", "tool_2", 2.0)]
