"""The order of what is compared: in turn, so that whatever else the machine does falls on all alike."""

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def interleaved(items: Sequence[Item], rounds: int, seed: int) -> list[Item]:
    """Each item once in every round, in an order that chance gives to the round."""
    dice = random.Random(seed)
    return [item for _ in range(rounds) for item in dice.sample(items, len(items))]
