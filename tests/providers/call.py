"""The three stages of a call as a test uses them: a question in, words out; a text in, tones out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, llm
from numpy.typing import NDArray

from agent.models import CallModels
from agent.models.reports import Failed, Fallback, Outage, Recovery, Report

WINDOW_S = 0.02
AUDIBLE = 500


@dataclass(frozen=True)
class Answer:
    """What a language model said, and the tools that it called."""

    text: str
    tools: list[str]


@dataclass
class Stages:
    """The models of a call, and what they reported."""

    models: CallModels
    reports: list[Report] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.models.reports.listener = self.reports.append

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Each failure: which model, and why."""
        return [(report.model, report.why) for report in self.reports if isinstance(report, Failed)]

    @property
    def takeovers(self) -> list[tuple[str, str]]:
        """Each takeover: from which model, to which."""
        return [(report.from_model, report.to_model) for report in self.reports if isinstance(report, Fallback)]

    @property
    def outages(self) -> list[str]:
        """The stages for which nobody was left."""
        return [report.stage for report in self.reports if isinstance(report, Outage)]

    @property
    def recoveries(self) -> list[str]:
        """The models that came back."""
        return [report.model for report in self.reports if isinstance(report, Recovery)]

    async def ask(self, tools: list[llm.Tool] | None = None) -> Answer:
        """Ask the language models something."""
        context = llm.ChatContext.empty()
        context.add_message(role="user", content="Count, please.")
        text, called = "", []
        async with self.models.llm.chat(chat_ctx=context, tools=tools) as stream:
            async for chunk in stream:
                if chunk.delta is not None:
                    text += chunk.delta.content or ""
                    called += [call.name for call in chunk.delta.tool_calls]
        return Answer(text, called)

    async def speak(self, text: str) -> list[tuple[int, float]]:
        """Let the voices say a text; returns the tones in order, each with its seconds; 0 is silence."""
        async with self.models.tts.synthesize(text) as stream:
            frame = await stream.collect()
        return tones(np.frombuffer(frame.data, np.int16), frame.sample_rate)

    async def hear(self, seconds: float = 1.0) -> str:
        """Let the recognisers transcribe some audio; raises APIError when none can."""
        frame = rtc.AudioFrame.create(16_000, 1, int(16_000 * seconds))
        options = APIConnectOptions(max_retry=0, timeout=8.0)
        event = await self.models.stt.recognizer.recognize(frame, conn_options=options)
        return event.alternatives[0].text


def tones(samples: NDArray[np.int16], rate: int) -> list[tuple[int, float]]:
    """The tones in a recording, to the next 100 Hz, each with its seconds; short ones are borders."""
    size = int(WINDOW_S * rate)
    found: list[list[Any]] = []
    for start in range(0, len(samples) - size + 1, size):
        window = samples[start : start + size].astype(float)
        tone = 0
        if np.abs(window).max() > AUDIBLE:
            spectrum = np.abs(np.fft.rfft(window * np.hanning(size), 8 * size))
            tone = int(round(int(spectrum.argmax()) * rate / (8 * size), -2))
        if found and found[-1][0] == tone:
            found[-1][1] += WINDOW_S
        else:
            found.append([tone, WINDOW_S])
    return [(tone, seconds) for tone, seconds in found if seconds > 2 * WINDOW_S]
