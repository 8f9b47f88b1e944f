"""The language models of a call as one: when one fails, even in the middle of its answer, the next one goes on.

livekit's own adapter gives an answer up whose first words were sent.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr, llm
from livekit.agents.utils import shortuuid

from agent.models.failure import ModelFailed
from agent.models.patience import Patience, in_time
from agent.models.reports import ModelReports
from agent.models.splice import Splice
from agent.models.stage import Candidate, Stage, StageLimits
from agent.turns import readable

# Most of an hour of speech: a model that has not come to an end by then never will.
LONGEST_ANSWER = 50_000


@dataclass(frozen=True, slots=True)
class SpareWords:
    """What is said when the models' own words are missing, in the agent's language.

    Attributes:
        start_again: announces that an answer begins anew.
        cannot_think: stands for an answer that no model gives.
    """

    start_again: str
    cannot_think: str


@dataclass(frozen=True, slots=True)
class _Request:
    chat_ctx: llm.ChatContext
    tools: list[llm.Tool]
    parallel_tool_calls: NotGivenOr[bool]
    tool_choice: NotGivenOr[llm.ToolChoice]
    extra_kwargs: NotGivenOr[dict[str, Any]]

    @property
    def may_be_answered_by_silence(self) -> bool:
        """Whether a tool has been called: often nothing more is to be said then."""
        return bool(self.chat_ctx.items) and self.chat_ctx.items[-1].type == "function_call_output"


class FallbackLLM(llm.LLM[Any]):
    """Several language models in order; see `Stage`. It always answers, if need be with an apology.

    Args:
        candidates: the models; closed by `aclose`.
        limits: when to give one up; its patience is that until the first token, and between tokens.
        words: what is said in between, and when nobody answers.
        reports: told of what happens.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate[llm.LLM[Any]]],
        limits: StageLimits,
        words: SpareWords,
        reports: ModelReports,
    ) -> None:
        super().__init__()
        self.stage = Stage("llm", candidates, limits, reports)
        self.words = words

    @property
    def model(self) -> str:
        """The model that answered last."""
        return self.stage.latest.model

    @property
    def provider(self) -> str:
        """The provider that answered last."""
        return self.stage.latest.provider

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        """See `livekit.agents.llm.LLM.chat`; time-outs and retries are those of the stage."""
        return _FallbackAnswer(
            self, _Request(chat_ctx, tools or [], parallel_tool_calls, tool_choice, extra_kwargs), conn_options
        )

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Connect to the preferred one before it is needed."""
        self.stage.models[0].prewarm(loop=loop)

    async def aclose(self) -> None:
        """Close the models."""
        await super().aclose()
        for model in self.stage.models:
            await model.aclose()


class _FallbackAnswer(llm.LLMStream):
    def __init__(self, owner: FallbackLLM, request: _Request, conn_options: APIConnectOptions) -> None:
        super().__init__(owner, chat_ctx=request.chat_ctx, tools=request.tools, conn_options=conn_options)
        self._owner = owner
        self._request = request
        self._splice = Splice(owner.words.start_again)
        self._called_tools = False
        self._characters = 0

    async def _run(self) -> None:
        try:
            await self._owner.stage.run(self._answer, self._may_be_repeated)
        except ModelFailed:
            if self._may_be_repeated():
                self._say(self._splice.give_up(self._owner.words.cannot_think))

    def _may_be_repeated(self) -> bool:
        """Not once tools are called: the model is asked again with their results, and a second call did all twice."""
        return not self._called_tools and self._characters <= LONGEST_ANSWER

    async def _answer(self, model: llm.LLM[Any], patience: Patience) -> None:
        """Let one model answer; raises what it fails with."""
        request = self._request
        answered = False
        self._splice.begin()
        stream = model.chat(
            chat_ctx=request.chat_ctx,
            tools=request.tools,
            conn_options=APIConnectOptions(max_retry=0, timeout=max(patience.first, patience.stall)),
            parallel_tool_calls=request.parallel_tool_calls,
            tool_choice=request.tool_choice,
            extra_kwargs=request.extra_kwargs,
        )
        async with stream, aclosing(in_time(stream, patience, llm.ChatChunk.has_response)) as chunks:
            async for chunk in chunks:
                answered = self._pass_on(chunk) or answered
        if not answered and not request.may_be_answered_by_silence:
            raise ModelFailed("empty")
        self._say(self._splice.end())

    def _pass_on(self, chunk: llm.ChatChunk) -> bool:
        """Send what is new of it; returns whether it holds anything that could be heard or done."""
        delta = chunk.delta
        words = readable(delta.content or "") if delta is not None else ""
        if delta is not None and words:
            self._characters += len(words)
            if self._characters > LONGEST_ANSWER:
                raise ModelFailed("endless")
            chunk = chunk.model_copy(update={"delta": delta.model_copy(update={"content": self._splice.take(words)})})
        calls_tools = delta is not None and bool(delta.tool_calls)
        self._called_tools = self._called_tools or calls_tools
        self._event_ch.send_nowait(chunk)
        return calls_tools or bool(words.strip())

    def _say(self, words: str) -> None:
        if words:
            self._event_ch.send_nowait(
                llm.ChatChunk(id=shortuuid("chat_"), delta=llm.ChoiceDelta(role="assistant", content=words))
            )
