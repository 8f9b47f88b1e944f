"""The user's explicit yes before a risky tool runs: decided here from the conversation, not by the model. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.tools.consent import is_yes
from agent.turns import Kind, Speaker, Turn


@dataclass(frozen=True, slots=True, repr=False)
class _Asked:
    """What the user was asked to confirm, and their last turn at that time."""

    arguments: str
    after: str | None


class Confirmations:
    """Which calls of tools wait for the user's yes.

    Args:
        language: the agent's language, such as `de` or `de-AT`.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._asked: dict[str, _Asked] = {}

    def take(self, tool: str, arguments: Mapping[str, Any], turns: Sequence[Turn]) -> bool:
        """Whether a call may run now; a yes is used up by it.

        It may when it was asked for before with the same arguments, the agent has spoken since, and the user's latest
        turn, which came after that, is a yes. Otherwise it counts as asked for from now on.

        Args:
            tool: the tool's name.
            arguments: what it is called with.
            turns: the conversation so far.
        """
        called_with = json.dumps(arguments, sort_keys=True, default=str)
        asked = self._asked.pop(tool, None)
        if asked is not None and asked.arguments == called_with and self._is_confirmed(asked, turns):
            return True
        said = [turn.id for turn in turns if _is_by(turn, Speaker.USER)]
        self._asked[tool] = _Asked(called_with, said[-1] if said else None)
        return False

    def _is_confirmed(self, asked: _Asked, turns: Sequence[Turn]) -> bool:
        before = [index for index, turn in enumerate(turns) if turn.id == asked.after]
        if asked.after is not None and not before:
            return False
        since = [turn for turn in turns[before[0] + 1 if before else 0 :] if turn.kind is Kind.SPEECH]
        answers = [index for index, turn in enumerate(since) if _is_by(turn, Speaker.USER)]
        if not answers or not is_yes(since[answers[-1]].text, self._language):
            return False
        return any(_is_by(turn, Speaker.ASSISTANT) for turn in since[: answers[-1]])


def _is_by(turn: Turn, speaker: Speaker) -> bool:
    return turn.speaker is speaker and turn.kind is Kind.SPEECH
