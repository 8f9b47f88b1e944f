"""Asking the language model for the answer to a typed message, over the OpenAI API."""

import asyncio
import logging
from collections.abc import Sequence

import openai
from openai import AsyncOpenAI
from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionMessageParam,
    ChatCompletionUserMessageParam,
)

from agent.dev.chat.thread.messages import Message
from agent.settings import Settings
from agent.turns import Speaker

logger = logging.getLogger("agent.dev.chat.responder")

INSTRUCTIONS = (
    "You are a helpful assistant. The person talks to you and types to you in one conversation; "
    "the last message was typed. Answer in a few short sentences of plain text."
)
TIMEOUT_S = 60.0  # for a whole answer
FIRST_BYTE_TIMEOUT_S = 20.0
MAX_ANSWER = 20_000  # characters


class ModelUnavailable(RuntimeError):
    """The model gave no answer; the message says why, without content."""


class ResponderClient:
    """The first model of `LLM_MODELS`, asked for whole answers."""

    def __init__(self, settings: Settings) -> None:
        ref = settings.models("llm")[0]
        provider = settings.provider(ref.provider)
        self._model = ref.model
        # Only our own responder is told by which channel each message came: others may refuse the member.
        self._tells_channels = ref.provider == "local"
        self._client = AsyncOpenAI(
            base_url=provider.base_url,
            api_key=provider.api_key.get_secret_value(),
            timeout=openai.Timeout(FIRST_BYTE_TIMEOUT_S, connect=5.0),
            max_retries=1,
        )

    async def answer(self, history: Sequence[Message]) -> str:
        """The answer to the last message of a history.

        Raises:
            ModelUnavailable: the model cannot be reached, refuses, takes too long, or says nothing.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                text = await self._stream(to_chat(history, with_channels=self._tells_channels))
        except TimeoutError:
            raise ModelUnavailable(f"no answer within {TIMEOUT_S:.0f} s") from None
        except openai.APIStatusError as error:
            raise ModelUnavailable(f"the model's server answered {error.status_code}") from None
        except openai.OpenAIError as error:
            raise ModelUnavailable(type(error).__name__) from None
        except (ValueError, TypeError, AttributeError):  # the client does not check what it is sent
            raise ModelUnavailable("the answer is not of the OpenAI API") from None
        if not text:
            raise ModelUnavailable("an empty answer")
        return text

    async def close(self) -> None:
        """Close the connections to the model's server."""
        await self._client.close()

    async def _stream(self, messages: list[ChatCompletionMessageParam]) -> str:
        parts: list[str] = []
        length = 0
        stream = await self._client.chat.completions.create(model=self._model, messages=messages, stream=True)
        async with stream:
            async for chunk in stream:
                piece = chunk.choices[0].delta.content if chunk.choices else None
                if piece:
                    parts.append(piece)
                    length += len(piece)
                if length >= MAX_ANSWER:
                    logger.warning("the model's answer is too long and was cut")
                    break
        return "".join(parts)[:MAX_ANSWER].strip()


def to_chat(history: Sequence[Message], *, with_channels: bool) -> list[ChatCompletionMessageParam]:
    """A history as messages of the OpenAI API; with channels, each of the user's has its channel as `name`."""
    messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": INSTRUCTIONS}]
    for message in history:
        if message.role is Speaker.ASSISTANT:
            messages.append(ChatCompletionAssistantMessageParam(role="assistant", content=message.text))
        else:
            said = ChatCompletionUserMessageParam(role="user", content=message.text)
            if with_channels:
                said["name"] = message.channel.value
            messages.append(said)
    return messages
