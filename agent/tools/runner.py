"""Runs the tools that the model calls: asks first, records before and after, speaks up, and lets nothing be cancelled.

A call runs in a task of its own that the runner owns. Whoever waits for it may go away (a barge-in, the end of the
call): the task goes on, and its outcome is recorded all the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from livekit.agents import RunContext, function_tool, llm
from livekit.agents.voice import SpeechHandle

from agent.conversation import Conversation
from agent.tools.confirmation import Confirmations
from agent.tools.failure import Status, ToolFailure
from agent.tools.http_answer import cut
from agent.tools.ledger import Begun, NotRecorded, Outcome, ToolLedger
from agent.tools.notes import tool_note, unknown_outcome
from agent.tools.result import ToolResult
from agent.tools.untrusted import wrap
from agent.turns import Turn

logger = logging.getLogger("agent.tools")

SLOW_AFTER_S = 1.5
Privately = Callable[[str], AbstractContextManager[None]]
Run = Callable[[Mapping[str, Any], str], Awaitable[ToolResult]]

ASK_FIRST = (
    "Nothing was done yet. Tell the person exactly what you are about to do and ask whether you should. When they have "
    "answered with a clear yes, call this tool again with the same arguments."
)
IN_DOUBT = "It is not known whether an earlier call of this tool took effect: tell the person that too. "
STILL_RUNNING = "It is still running; its result comes later. Do not call it again."
NOT_RECORDED = "Nothing was done: this cannot be recorded at the moment, and must not run without a record."
ENDING = "The call is ending; it goes on without you."


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model can call.

    Attributes:
        name: its name, of letters, digits, `_` and `-`.
        description: for the model.
        parameters: the JSON Schema of its arguments.
        run: carries out one call, given its arguments and its idempotency key; raises ToolFailure.
        writes: a call may change something.
        confirm: the user has to say yes first.
        note: the result is put into the thread as a note.
        sensitive: the recording of the call is silent while it runs.
        max_characters: how much of the result the model is told.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Run
    writes: bool = True
    confirm: bool = False
    note: bool = False
    sensitive: bool = False
    max_characters: int = 4_000


class ToolRunner:
    """Runs the tools of one call.

    Args:
        conversation: where notes have their place, and what the user's yes is looked for in.
        ledger: records each call.
        language: the agent's language.
        say_slow: says that a tool takes its time.
        privately: entered by a sensitive tool while it runs, with its name.
    """

    def __init__(
        self,
        conversation: Conversation,
        ledger: ToolLedger,
        language: str,
        say_slow: Callable[[], SpeechHandle],
        privately: Privately = lambda _: nullcontext(),
    ) -> None:
        self._conversation = conversation
        self._ledger = ledger
        self._say_slow = say_slow
        self._privately = privately
        self._language = language
        self._confirmations = Confirmations(language)
        self._left_behind: list[Begun] = []
        # Tools whose last call has an unknown outcome: none of them runs again before the user says so.
        self._in_doubt: set[str] = set()
        self._running: dict[asyncio.Task[_Told], bool] = {}
        self._ending = asyncio.Event()
        self._spoke_for: str | None = None

    def function_tool(self, tool: Tool) -> llm.Tool:
        """The tool as livekit-agents calls it."""

        async def call(raw_arguments: dict[str, Any], context: RunContext[None]) -> Any:
            return await self._call(tool, raw_arguments, context)

        schema = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        # The same writing call, while it runs: the model said it twice, or forgot that it did.
        duplicates: Literal["reject", "allow"] = "reject" if tool.writes else "allow"
        return function_tool(call, raw_schema=schema, on_duplicate=duplicates, duplicate_scope="name_and_args")

    async def left_behind(self) -> list[Turn]:
        """See `CallTools.left_behind`. They count as reported when this call ends: one that is killed reports again."""
        self._left_behind = await self._ledger.unfinished()
        self._in_doubt.update(begun.tool for begun in self._left_behind)
        return [unknown_outcome(self._conversation, begun, self._language) for begun in self._left_behind]

    @property
    def running(self) -> bool:
        """Whether a call is under way."""
        return bool(self._running)

    def stop_waiting(self) -> None:
        """The call ends: nobody waits for a tool any more, and what only reads is given up."""
        self._ending.set()
        for task, writes in self._running.items():
            if not writes:
                task.cancel()

    async def finish(self, timeout: float) -> None:
        """Let what writes come to its end, so long (seconds) at most; then it is given up, its outcome unknown."""
        self.stop_waiting()
        if self._running:
            await asyncio.wait(self._running, timeout=timeout)
        left = list(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for begun in self._left_behind:
            await self._ledger.end(begun, Outcome(Status.UNKNOWN))

    async def _call(self, tool: Tool, arguments: Mapping[str, Any], context: RunContext[None]) -> Any:
        """One call by the model; returns or raises what it is told."""
        begun_or_told = await self._begin(tool, arguments)
        if isinstance(begun_or_told, str):
            return begun_or_told
        task = asyncio.create_task(self._carry_out(tool, arguments, begun_or_told), name=f"tool {tool.name}")
        self._running[task] = tool.writes
        task.add_done_callback(self._running.pop)
        ending = asyncio.ensure_future(self._ending.wait())
        first = asyncio.ensure_future(asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED))
        try:
            async with context.with_filler(lambda _: self._speak_up(), delay=SLOW_AFTER_S):
                await context.speech_handle.wait_if_not_interrupted([first])
            if not task.done() and not self._ending.is_set():
                # A barge-in: the model goes on at once and learns the result with its next turn.
                await context.update(STILL_RUNNING, template="{message}", silent=True)
                await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
                return llm.ToolResult(task.result().text if _is_done(task) else ENDING, reply_required=False)
        finally:
            first.cancel()
            ending.cancel()
        if not _is_done(task):
            raise llm.ToolError(ENDING)
        told = task.result()
        if told.is_error:
            raise llm.ToolError(told.text)
        return told.text

    async def _begin(self, tool: Tool, arguments: Mapping[str, Any]) -> Begun | str:
        """The call is recorded and may run; or what the model is told instead."""
        if tool.confirm or tool.name in self._in_doubt:
            if not self._confirmations.take(tool.name, arguments, self._conversation.turns):
                asked = await self._ledger.begin(tool.name, writes=False)
                await self._ledger.end(asked, Outcome(Status.ASKED))
                return (IN_DOUBT if tool.name in self._in_doubt else "") + ASK_FIRST
            self._in_doubt.discard(tool.name)
        try:
            return await self._ledger.begin(tool.name, writes=tool.writes)
        except NotRecorded:
            logger.error("a tool that writes was not run: the journal cannot be written", extra={"tool": tool.name})
            raise llm.ToolError(NOT_RECORDED) from None

    async def _carry_out(self, tool: Tool, arguments: Mapping[str, Any], begun: Begun) -> "_Told":
        """Run it, record how it ended, and say what the model is told. The last thing that a call ever does."""
        try:
            with self._privately(tool.name) if tool.sensitive else nullcontext():
                result = await tool.run(arguments, begun.key)
        except ToolFailure as failure:
            if failure.status is Status.UNKNOWN:
                self._in_doubt.add(tool.name)
            said = cut(failure.said, tool.max_characters)
            told = _Told(f"{failure.message}\n{wrap(tool.name, said)}" if said else failure.message, is_error=True)
            await self._ledger.end(begun, Outcome(failure.status, len(failure.said), len(said), http=failure.http))
            logger.warning("a tool failed", extra={"tool": tool.name, "status": failure.status.value})
            return told
        except asyncio.CancelledError:
            outcome = Outcome(Status.UNKNOWN if tool.writes else Status.CANCELLED)
            await asyncio.shield(self._ledger.end(begun, outcome))
            raise
        said = cut(result.text, tool.max_characters)
        await self._ledger.end(begun, Outcome(Status.OK, result.size, len(said), result.attempts, result.http))
        if tool.note:
            self._conversation.add(tool_note(self._conversation, begun, said))
        return _Told(wrap(tool.name, said), is_error=False)

    def _speak_up(self) -> SpeechHandle | None:
        """Say that it takes a while, once for each turn of the user, however many tools it takes."""
        turn = self._conversation.answering
        if turn is not None and turn == self._spoke_for:
            return None
        self._spoke_for = turn
        return self._say_slow()


@dataclass(frozen=True, slots=True, repr=False)
class _Told:
    """What the model is told of a call."""

    text: str
    is_error: bool


def _is_done(task: asyncio.Task[_Told]) -> bool:
    return task.done() and not task.cancelled()
