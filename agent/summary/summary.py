"""A summary as it is kept and told: always with who made it and when, or with why there is none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.turns import to_timestamp


@dataclass(frozen=True, slots=True)
class Summary:
    """What a model made of a call, or why it could not.

    Attributes:
        at: when it was made or given up, in seconds since the epoch.
        model: `provider/model` that made it; of a failure, the last that was asked.
        text: the summary; empty when there is none.
        outcome: the fields that the profile asks for, which fit its schema; None: none were asked for, or it failed.
        problem: why there is no summary; empty when there is one.
    """

    at: float
    model: str
    text: str = ""
    outcome: Mapping[str, Any] | None = None
    problem: str = ""

    def to_json(self) -> str:
        """The form that the journal keeps."""
        return json.dumps(
            {
                "at": self.at,
                "model": self.model,
                "text": self.text,
                "outcome": self.outcome,
                "problem": self.problem,
            }
        )

    @classmethod
    def from_json(cls, line: str) -> "Summary":
        """The inverse of `to_json`; raises ValueError or TypeError when the line is something else."""
        return cls(**json.loads(line))

    def public(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "made_by": "model",
            "model": self.model,
            "at": to_timestamp(self.at),
            "text": self.text,
            "outcome": self.outcome,
            "problem": self.problem or None,
        }
