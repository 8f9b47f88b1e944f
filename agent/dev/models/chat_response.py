"""The answer of `POST /v1/chat/completions` in the shapes of the OpenAI API: whole, and in parts word by word."""

import secrets
import time
from collections.abc import Iterator, Sequence

from agent.dev.models.dialogue import Message, Reply, ToolCall


class Completion:
    """One reply. Usage counts words: the responder has no tokens.

    Args:
        model: the model's id.
        reply: what is answered.
        conversation: what it answers.
        max_words: where the reply is cut off.
        choices: how many times it is given; the responder has only one opinion.
    """

    def __init__(
        self, model: str, reply: Reply, conversation: Sequence[Message], *, max_words: int | None, choices: int
    ) -> None:
        words = reply.text.split()
        self._words = words[:max_words]
        self._tool = ToolCall(f"call_{secrets.token_hex(12)}", reply.tool, reply.arguments) if reply.tool else None
        self._finish_reason = "tool_calls" if self._tool else "length" if len(self._words) < len(words) else "stop"
        self._choices = choices
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._model = model
        self._prompt_words = sum(len(message.text.split()) for message in conversation)

    def body(self) -> dict[str, object]:
        """The whole answer."""
        content = None if self._tool else " ".join(self._words)
        message: dict[str, object] = {"role": "assistant", "content": content, "refusal": None}
        if self._tool:
            message["tool_calls"] = [_tool_json(self._tool)]
        choices: list[dict[str, object]] = [
            {"index": index, "message": message, "finish_reason": self._finish_reason, "logprobs": None}
            for index in range(self._choices)
        ]
        return self._envelope("chat.completion", choices) | {"usage": self._usage()}

    def chunks(self, *, include_usage: bool) -> Iterator[dict[str, object]]:
        """The answer in parts; with `include_usage` the last one holds the usage, and no choice."""
        extra: dict[str, object] = {"usage": None} if include_usage else {}
        for index in range(self._choices):
            for delta in self._deltas():
                yield self._chunk(index, delta, None) | extra
            yield self._chunk(index, {}, self._finish_reason) | extra
        if include_usage:
            yield self._envelope("chat.completion.chunk", []) | {"usage": self._usage()}

    def _deltas(self) -> Iterator[dict[str, object]]:
        if self._tool is None:
            yield {"role": "assistant", "content": ""}
            for number, word in enumerate(self._words):
                yield {"content": f" {word}" if number else word}
            return
        begun = ToolCall(self._tool.id, self._tool.name, "")
        yield {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **_tool_json(begun)}]}
        yield {"tool_calls": [{"index": 0, "function": {"arguments": self._tool.arguments}}]}

    def _chunk(self, index: int, delta: dict[str, object], finish_reason: str | None) -> dict[str, object]:
        choice = {"index": index, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return self._envelope("chat.completion.chunk", [choice])

    def _envelope(self, kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model, "choices": choices}

    def _usage(self) -> dict[str, int]:
        words = len(self._words) * self._choices
        return {
            "prompt_tokens": self._prompt_words,
            "completion_tokens": words,
            "total_tokens": self._prompt_words + words,
        }


def _tool_json(tool: ToolCall) -> dict[str, object]:
    return {"id": tool.id, "type": "function", "function": {"name": tool.name, "arguments": tool.arguments}}
