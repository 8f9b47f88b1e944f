"""What was written lately, so that an utterance that is heard again, and longer, need not be written anew.

A turn is transcribed several times while it grows: for captions, and in each pause. Its recordings begin with the same
samples; what was written of the shorter one is most of what is to be written of the longer one.
"""

import hashlib
from collections import OrderedDict

from agent.dev.models.moonshine import Tokens
from agent.dev.models.samples import HEARING_RATE, Samples

# Recordings are taken for the same utterance when this much of their beginning is the same to the bit: no two
# recordings of a microphone are, but silence that is digital is, whose draft is wrong and costs a few milliseconds.
SAME_S = 0.5
# The last tokens of the shorter one are most likely to change: its end was cut, and a mark was put there.
LEFT_OUT = 2
# So many calls may speak at once; of more, the one not heard for longest is written anew.
MOST = 64


class Drafts:
    """The beginnings of utterances and what was written of them, in memory; not their sound."""

    def __init__(self) -> None:
        self._written: OrderedDict[bytes, Tokens] = OrderedDict()

    def of(self, samples: Samples) -> Tokens:
        """What an utterance probably begins with."""
        return self._written.get(_beginning(samples), ())

    def wrote(self, samples: Samples, tokens: Tokens) -> None:
        """An utterance was written."""
        beginning = _beginning(samples)
        self._written[beginning] = tokens[:-LEFT_OUT]
        self._written.move_to_end(beginning)
        if len(self._written) > MOST:
            self._written.popitem(last=False)


def _beginning(samples: Samples) -> bytes:
    return hashlib.blake2b(samples[: int(SAME_S * HEARING_RATE)].tobytes(), digest_size=16).digest()
