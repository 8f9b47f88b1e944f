"""What the measurements share: percentiles, an order that is fair, and the line for other programs."""

from collections import Counter

import pytest

from bench.bridge.command import BridgeResult
from bench.bridge.voice import ChatState, VoiceTurn
from bench.interleave import interleaved
from bench.machine import describe_machine
from bench.percentiles import percentile


def test_percentiles_lie_between_the_nearest_values() -> None:
    """As everybody counts them."""
    assert percentile([10.0, 20.0], 50) == 15.0
    assert percentile([float(n) for n in range(101)], 99) == 99.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_each_round_has_each_item_once() -> None:
    """In an order that the seed decides."""
    order = interleaved(["a", "b", "c"], 20, seed=1)
    assert all(Counter(order[n : n + 3]) == Counter("abc") for n in range(0, 60, 3))
    assert order == interleaved(["a", "b", "c"], 20, seed=1)
    assert len({tuple(order[n : n + 3]) for n in range(0, 60, 3)}) > 1


def test_the_machine_is_described_without_its_name() -> None:
    """What matters to the figures, and nothing else."""
    assert set(describe_machine()) == {"cpu", "cores", "memory_gb", "system", "python", "livekit_agents", "load"}


def test_the_bridges_result_for_programs() -> None:
    """Percentiles of the way to the other client; the voice's 95th by that of a healthy chat; missing is missing."""
    turns = [VoiceTurn(ChatState.HEALTHY, 500.0), VoiceTurn(ChatState.DOWN, 550.0), VoiceTurn(ChatState.DOWN, None)]
    result = BridgeResult([1.0, 2.0, 3.0], 99.96, turns, {"cores": 2})
    assert result.to_json() == {
        "visible_ms": {"p50": 2.0, "p99": 2.98},
        "turns_per_s": 100.0,
        "voice_p95_ratio": {"down": 1.1, "flooded": None},
        "machine": {"cores": 2},
    }
