"""Where sounds have their place: each sample once, at its time, and silence everywhere else."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.recording.resampling import resampling
from agent.recording.timeline import JOIN_S, Arrivals, Lane, Pauses, Piece, Samples

RATE = 1000  # one sample is a millisecond
FRAME = 10

delays = st.lists(st.integers(0, 400), min_size=1, max_size=60)
blocks = st.lists(st.integers(0, 700), max_size=12)


def ramp(first: int, count: int) -> Samples:
    """Samples of which each is another, and none silent."""
    return np.arange(first + 1, first + count + 1).astype(np.int16)


@given(delays, st.integers(0, 300))
def test_frames_that_come_late_keep_their_time(late: list[int], began: int) -> None:
    """However late an event loop takes them, and all at once: what comes on time afterwards tells when they were."""
    arrivals = Arrivals(RATE)
    now = 0.0
    for number, delay in enumerate([*late, *[0] * 41]):
        now = max(now, (began + (number + 1) * FRAME + delay) / RATE)
        arrivals.add(now, ramp(number * FRAME, FRAME))
    for number, piece in enumerate(arrivals.take(float("inf"))):
        assert abs(piece.start - (began + number * FRAME) / RATE) < 1e-9
        assert piece.samples[0] == number * FRAME + 1


@given(st.lists(st.tuples(st.integers(0, 800), st.integers(1, 40)), min_size=1, max_size=30), st.integers(0, 3000))
def test_no_frame_is_placed_after_it_came_or_over_another(steps: list[tuple[int, int]], cut: int) -> None:
    """Whatever comes and whenever it is asked for: in order, each frame once."""
    arrivals = Arrivals(RATE)
    now, arrived = 0.0, []
    for wait, count in steps:
        now += wait / RATE
        arrived.append((now, count))
        arrivals.add(now, ramp(0, count))
    first = arrivals.take(cut / RATE)
    assert len(first) == sum(at < cut / RATE for at, _ in arrived)
    pieces = [*first, *arrivals.take(float("inf"))]
    assert [len(piece.samples) for piece in pieces] == [count for _, count in arrived]
    for piece, (at, count) in zip(pieces, arrived, strict=True):
        assert piece.start <= at - count / RATE + 1e-9
    for one, other in pairwise(first):
        assert one.start + len(one.samples) / RATE <= other.start + 1e-9


stretches = st.lists(st.tuples(st.integers(150, 900), st.integers(1, 500)), max_size=8)


@given(stretches, blocks, st.integers(1, 50))
def test_each_stretch_has_its_place_however_it_is_read(
    found: list[tuple[int, int]], ends: list[int], piece_length: int
) -> None:
    """Stretches with gaps between them, handed over in pieces, read in blocks of any size: the same as at once."""
    whole = np.zeros(sum(gap + length for gap, length in found) + 50, np.int16)
    lane = Lane(RATE, resampling(RATE, RATE))
    at = 0
    for gap, length in found:
        at += gap
        whole[at : at + length] = ramp(at, length)
        for start in range(at, at + length, piece_length):
            lane.add(Piece(start / RATE, whole[start : min(start + piece_length, at + length)]), RATE)
        at += length
    places = np.cumsum([0, *ends])[1:]
    read = [lane.take(int(end)) for end in places if end <= len(whole)]
    assert np.array_equal(np.concatenate([*read, lane.take(len(whole))]), whole)


@given(st.lists(st.integers(-90, 90), min_size=1, max_size=40))
def test_what_is_meant_to_go_on_goes_on(jitter: list[int]) -> None:
    """A clock that is not exact neither cuts nor doubles anything."""
    lane = Lane(RATE, resampling(RATE, RATE))
    for number, error in enumerate([0, *jitter]):
        start = 1.0 + number * 0.2 + error / RATE
        assert abs(error / RATE) < JOIN_S
        lane.add(Piece(start, ramp(number * 200, 200)), RATE)
    count = 200 * (len(jitter) + 1)
    assert np.array_equal(lane.take(1000 + count), np.concatenate([np.zeros(1000, np.int16), ramp(0, count)]))


def test_a_stretch_at_another_rate_keeps_its_length() -> None:
    """The caller is heard at 16 kHz and recorded at 24: in pieces it is as long as it was, and begins where it did."""
    lane = Lane(24_000, resampling(16_000, 24_000))
    tone = (np.sin(np.arange(16_000) / 16_000 * 2 * np.pi * 400) * 10_000).astype(np.int16)
    for start in range(0, 16_000, 160):
        lane.add(Piece(0.5 + start / 16_000, tone[start : start + 160]), 16_000)
    lane.end_stretch()
    heard = np.flatnonzero(np.abs(lane.take(48_000)) > 500)
    assert abs(heard[0] - 12_000) < 24
    assert abs(heard[-1] - 36_000) < 24


@given(st.lists(st.integers(1, 500), max_size=10), st.booleans(), blocks)
def test_a_pause_is_silent_and_nothing_else_is(steps: list[int], left_open: bool, ends: list[int]) -> None:
    """In both channels, read in blocks of any size; a pause that nobody ends goes on."""
    pauses = Pauses()
    length = sum(steps) + 100
    expected = np.tile(ramp(0, length), (2, 1))
    at = 0
    for number, step in enumerate(steps):
        if number % 2 == 0:
            pauses.begin(at / RATE)
            pauses.begin((at + 1) / RATE)  # a second word changes nothing
        else:
            pauses.end(at / RATE)
        at += step
    edges = list(np.cumsum([0, *steps[:-1]])) if steps else []
    if len(edges) % 2 and not left_open:
        pauses.end(at / RATE)
        edges.append(at)
    expected_pause = 0
    for start, end in zip(edges[::2], [*edges[1::2], length], strict=False):
        expected[:, start : end + 1] = 0  # the sample that is under way when it ends belongs to it
        expected_pause += end - start
    places = [0, *(int(end) for end in np.cumsum(ends) if end < length), length]
    read = []
    for first, end in pairwise(places):
        block = np.tile(ramp(first, end - first), (2, 1))
        pauses.silence(block, first, RATE)
        read.append(block)
    found = np.concatenate(read, axis=1)
    assert np.array_equal(found == 0, expected == 0) or _by_rounding(found, expected, edges)
    assert abs(pauses.seconds(length / RATE) * RATE - expected_pause) < 1e-6


def _by_rounding(found: Samples, expected: Samples, edges: list[int]) -> bool:
    """Whether they differ in no more than the sample on either side of an edge."""
    differ = np.flatnonzero((found[0] == 0) != (expected[0] == 0))
    return all(np.abs(np.array(edges) - place).min() <= 1 for place in differ)
