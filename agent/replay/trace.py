"""What went on in a replay beside the sound: states of the session, transcripts as they came, and the models' work."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)
from livekit.agents.metrics import LLMMetrics, STTMetrics, TTSMetrics

from agent.models import CallModels
from agent.replay.tape import Tape


class Stage(StrEnum):
    """What a span is."""

    USER = "user"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in seconds on the tape: the user speaks for the session's VAD, or a model works.

    `discarded` is true for work of a model that was thrown away.
    """

    stage: Stage
    start: float
    end: float
    discarded: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words of the user as the session had them at a moment, in seconds on the tape."""

    at: float
    text: str
    final: bool


class Trace:
    """Collects what a session and its models tell.

    Args:
        session: the session, not started yet.
        models: its models.
        tape: whose time counts.
    """

    def __init__(self, session: AgentSession[Any], models: CallModels, tape: Tape) -> None:
        self.spans: list[Span] = []
        self.transcripts: list[Transcript] = []
        self.last_change = 0.0
        self._tape = tape
        self._user_since: float | None = None
        session.on("user_state_changed", self._on_user_state)
        session.on("agent_state_changed", self._on_agent_state)
        session.on("user_input_transcribed", self._on_transcript)
        models.stt.recognizer.on("metrics_collected", self._on_metrics)
        models.llm.on("metrics_collected", self._on_metrics)
        models.tts.on("metrics_collected", self._on_metrics)

    def finish(self) -> None:
        """The replay is over."""
        self._end_user_span(self._tape.now)

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self.last_change = self._tape.now
        if event.new_state == "speaking":
            self._user_since = self._tape.now
        else:
            self._end_user_span(self._tape.now)

    def _end_user_span(self, now: float) -> None:
        if self._user_since is not None:
            self.spans.append(Span(Stage.USER, self._user_since, now))
            self._user_since = None

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self.last_change = self._tape.now

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        self.last_change = self._tape.now
        if event.transcript:
            self.transcripts.append(Transcript(self._tape.now, event.transcript, event.is_final))

    def _on_metrics(self, metrics: STTMetrics | LLMMetrics | TTSMetrics) -> None:
        end = self._tape.to_tape(metrics.timestamp)
        start = end - metrics.duration
        match metrics:
            case STTMetrics():
                self.spans.append(Span(Stage.HEARING, start, end))
            case LLMMetrics():
                self.spans.append(Span(Stage.THINKING, start, end, metrics.cancelled))
            case TTSMetrics():
                self.spans.append(Span(Stage.SPEAKING, start, end, metrics.cancelled))
