"""Asks models for the summary of a call: each attempt has a time-out, there are two, and a failure is said as such."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from livekit.agents import APIConnectOptions, APIError, llm

from agent.summary.prompt import MAX_ANSWER, AnswerError, call_of, instructions_of, read_answer
from agent.summary.spec import SummarySpec
from agent.summary.summary import Summary
from agent.turns import Turn

logger = logging.getLogger("agent.summary")

ATTEMPTS = 2
ATTEMPT_S = 30.0
MEND = "That could not be used: {problem}. Answer again, with the JSON object alone."


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A language model and the name that it has in the settings."""

    name: str
    model: llm.LLM[Any]


async def make_summary(
    spec: SummarySpec, turns: Sequence[Turn], models: Sequence[NamedModel], attempt_s: float = ATTEMPT_S
) -> Summary:
    """The summary of a call, or why there is none; takes twice `attempt_s` at most.

    Args:
        spec: what is asked for.
        turns: the call.
        models: those of the call, in the order in which they are tried; at least one. The second attempt is the next
            one's; of a single one it is a second try, which is told what was wrong with the first.
        attempt_s: seconds that an attempt may take.
    """
    if not turns:
        return Summary(time.time(), models[0].name, problem="nothing was said")
    context = llm.ChatContext.empty()
    context.add_message(role="system", content=instructions_of(spec))
    context.add_message(role="user", content=call_of(turns))
    problem = ""
    for attempt in range(ATTEMPTS):
        asked = models[min(attempt, len(models) - 1)]
        try:
            text = await asyncio.wait_for(_ask(asked.model, context, attempt_s), attempt_s)
            answer = read_answer(text, spec)
        except TimeoutError:
            problem = f"the model did not answer within {attempt_s:g} s"
        except APIError as error:
            problem = f"the model failed ({type(error).__name__})"
        except AnswerError as error:
            problem = str(error)
            if len(models) == 1:
                context.add_message(role="assistant", content=text[:MAX_ANSWER])
                context.add_message(role="user", content=MEND.format(problem=problem))
        else:
            return Summary(time.time(), asked.name, answer.text, answer.outcome)
    logger.error("no summary: %s", _without_values(problem), extra={"model": asked.name})
    return Summary(time.time(), asked.name, problem=problem)


async def _ask(model: llm.LLM[Any], context: llm.ChatContext, timeout_s: float) -> str:
    options = APIConnectOptions(max_retry=0, timeout=timeout_s)
    parts: list[str] = []
    size = 0
    async with model.chat(chat_ctx=context, conn_options=options) as stream:
        async for chunk in stream:
            if chunk.delta is not None and chunk.delta.content:
                parts.append(chunk.delta.content)
                size += len(chunk.delta.content)
                if size > MAX_ANSWER:
                    break
    return "".join(parts)


def _without_values(problem: str) -> str:
    """What is wrong with a field may quote the call, which no log may."""
    return problem.partition("schema:")[0].rstrip(" :") or problem
