"""When a room that LiveKit does not answer for is tried again, and when no more."""

from agent.worker.unreachable import LOST_AFTER_S, RETRY_S, UnreachableRooms


def test_a_room_is_tried_again_after_a_while_and_its_trouble_has_a_length() -> None:
    """Other rooms are not held up by it; once reached, it begins anew."""
    rooms = UnreachableRooms()
    assert rooms.is_due("a", 100.0)
    assert rooms.note("a", 100.0) == 0.0
    assert not rooms.is_due("a", 100.0 + RETRY_S / 2)
    assert rooms.is_due("b", 100.0)
    assert rooms.is_due("a", 100.0 + RETRY_S)
    assert rooms.note("a", 103.0) == 3.0
    rooms.forget("a")
    assert rooms.note("a", 110.0) == 0.0


def test_what_another_worker_has_taken_over_is_forgotten() -> None:
    """Should the same call break off much later, it is new trouble."""
    rooms = UnreachableRooms()
    rooms.note("a", 100.0)
    rooms.note("b", 101.0 + RETRY_S + LOST_AFTER_S)
    assert rooms.note("a", 102.0 + RETRY_S + LOST_AFTER_S) == 0.0
