"""What reads how finished a sentence is, beside the voice that says it."""

from typing import Protocol


class SentenceModel(Protocol):
    """A model of the written language, asked of the words so far in each pause."""

    async def unfinished(self, text: str) -> float | None:
        """How unfinished the last sentence of a text reads, whatever mark is behind it: the mean of the logarithms of
        the odds of dots and of anything else, each against a mark that ends a sentence. About −3 to 0 where it may end,
        above 1 where it may not; None when the model cannot be asked.
        """
