"""When nobody says anything: ask a few times whether somebody is there, then take leave. No I/O."""

import math
from enum import Enum

from agent.job.spec import Silence


class SilenceStep(Enum):
    """What is to be done about silence."""

    WAIT = "nothing"
    ASK = "ask whether somebody is there"
    LEAVE = "say goodbye and end the call"


class SilencePolicy:
    """Counts silence in seconds of any clock that does not go back.

    Args:
        silence: how long and how often.
        now: when the call begins.
    """

    def __init__(self, silence: Silence, now: float) -> None:
        self._silence = silence
        self._quiet_since = self._user_acted_at = now
        self._asked = 0

    def stirred(self, at: float) -> None:
        """Somebody spoke, or an answer was under way, until this moment: the silence begins anew."""
        self._quiet_since = max(self._quiet_since, at)

    def user_acted(self, at: float) -> None:
        """The user said or typed something last then: the silence begins anew, and so does the asking."""
        self.stirred(at)
        if at > self._user_acted_at:
            self._user_acted_at = at
            self._asked = 0

    @property
    def due_at(self) -> float:
        """When something is to be done if nobody does anything until then."""
        return self._quiet_since + self._silence.prompt_after_s if self._silence.prompts else math.inf

    def step(self, now: float) -> SilenceStep:
        """What is to be done now; what is told is taken to be done."""
        if not self._silence.prompts or now - self._quiet_since < self._silence.prompt_after_s:
            return SilenceStep.WAIT
        self._quiet_since = now
        if self._asked == self._silence.prompts:
            return SilenceStep.LEAVE
        self._asked += 1
        return SilenceStep.ASK
