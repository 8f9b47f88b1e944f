"""One call: a room, a session with its models, a conversation, and the bridge to the chat thread."""

import asyncio
import contextlib
import logging
import time

from livekit import api
from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    CloseEvent,
    ConversationItemAddedEvent,
    ErrorEvent,
    JobContext,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    llm,
)
from livekit.agents.voice.room_io import RoomOptions, TextInputEvent, TextInputOptions, TextOutputOptions

from agent.assistant import Assistant
from agent.caption_output import CaptionOutput
from agent.chat.bridge import Bridge
from agent.chat.courier import Delivered
from agent.chat.dialect import dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import ThreadMessage
from agent.conversation import Conversation, typed_in_thread
from agent.job import Job
from agent.journal import Journal
from agent.models import CallModels
from agent.presence import Presence
from agent.settings import Settings
from agent.thread_turns import to_turn, unanswered
from agent.transcript import turn_from_item
from agent.turns import Channel, Speaker, Turn
from agent.typed_messages import TypedMessages

logger = logging.getLogger("agent.call")

HISTORY_TIMEOUT_S = 2.0
DELIVERY_TIMEOUT_S = 5.0
WAITING = "…"


class Call:
    """Everything that lives as long as one call.

    Args:
        context: the job that livekit-agents gave us.
        settings: the worker's settings.
        job: what the dispatch said.
        models: what hears, thinks and speaks.
        journal: where turns become durable; the call closes it.
    """

    def __init__(self, context: JobContext, settings: Settings, job: Job, models: CallModels, journal: Journal) -> None:
        self._context = context
        self._settings = settings
        self._job = job
        self._journal = journal
        self._id = context.job.id
        self._conversation = Conversation(job.conversation_id, self._id, journal, self._announce)
        self._session = _create_session(models)
        self._typed = TypedMessages(self._conversation, self._session)
        self._history: asyncio.Future[list[Turn]] = asyncio.get_running_loop().create_future()
        self._bridge: Bridge | None = None
        self._assistant: Assistant | None = None
        self._presence = Presence(context.room, settings.rejoin_seconds, self.end)
        self._tasks: list[asyncio.Task[None]] = []
        self._writer = asyncio.create_task(self._conversation.run(), name="conversation")
        self._end_reason: str | None = None

    async def start(self) -> None:
        """Join the room, read the thread, and greet or answer what waits there."""
        self._context.add_shutdown_callback(self._finish)
        await self._journal.call_started(self._id, self._job.conversation_id, self._context.room.name)
        await self._connect_thread()
        connected = asyncio.create_task(self._context.connect())
        history = await self._read_history()
        await connected
        self._presence.watch()
        self._assistant = Assistant(self._job, history, self._conversation.find)
        self._listen()
        await self._session.start(
            self._assistant, room=self._context.room, room_options=self._room_options(), record=False
        )
        if (waiting := unanswered(history, now=time.time())) is not None:
            self._session.generate_reply(user_input=_as_message(waiting))
        else:
            self._session.say(self._job.agent.greeting)
        self._tasks.append(asyncio.create_task(self._typed.run(), name="typed messages"))
        logger.info("call started", extra={"call_id": self._id, "conversation_id": self._job.conversation_id})

    def end(self, reason: str) -> None:
        """End the call; every way out comes through here, and only the first reason counts."""
        if self._end_reason is None:
            self._end_reason = reason
            self._context.shutdown(reason)

    async def _connect_thread(self) -> None:
        if not self._settings.chat_api_url:
            self._history.set_result([])
            return
        pending = await self._journal.pending(self._job.conversation_id)
        self._bridge = Bridge(
            ChatEndpoint.for_job(self._settings, self._job), dialect_named(self._settings.chat_dialect), pending, self
        )
        self._tasks.append(asyncio.create_task(self._bridge.run(), name="bridge"))

    async def _read_history(self) -> list[Turn]:
        """The thread before the call, if it comes in time; later it is added to the running call."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._history), HISTORY_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the thread cannot be read yet, the call begins without it", extra={"call_id": self._id})
            return []

    def _room_options(self) -> RoomOptions:
        captions = CaptionOutput(lambda text: self._caption(Speaker.ASSISTANT, text))
        return RoomOptions(
            text_input=TextInputOptions(text_input_cb=self._on_room_text),
            text_output=TextOutputOptions(next_in_chain=captions),
            close_on_disconnect=False,  # Presence decides: a reload of the page is no hang-up
        )

    def _listen(self) -> None:
        self._session.on("conversation_item_added", self._on_item)
        self._session.on("user_input_transcribed", self._on_transcript)
        self._session.on("user_state_changed", self._on_user_state)
        self._session.on("agent_state_changed", self._on_agent_state)
        self._session.on("error", self._on_error)
        self._session.on("close", self._on_close)

    # From the session: what was said in the call.

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if not isinstance(event.item, llm.ChatMessage):
            return
        user_turn = self._conversation.last_user_turn()
        reply_to = user_turn.id if user_turn is not None and user_turn.call_id == self._id else None
        if (turn := turn_from_item(event.item, self._job.conversation_id, self._id, reply_to)) is not None:
            self._conversation.add(turn)

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self._caption(Speaker.USER, event.transcript)

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self._caption(Speaker.USER, WAITING if event.new_state == "speaking" else "")

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state != "speaking":
            self._caption(Speaker.ASSISTANT, WAITING if event.new_state == "thinking" else "")

    def _on_error(self, event: ErrorEvent) -> None:
        error = event.error
        logger.error(
            "a model failed", extra={"call_id": self._id, "stage": getattr(error, "type", type(error).__name__)}
        )

    def _on_close(self, event: CloseEvent) -> None:
        self.end(event.reason.value)

    def _on_room_text(self, session: AgentSession[None], event: TextInputEvent) -> None:
        now = time.time()
        if text := event.text.strip():
            stream_id = event.info.stream_id if event.info is not None else f"{now:.6f}"
            turn_id = f"room_{self._id}_{stream_id}"
            self._typed.put(
                Turn(turn_id, self._job.conversation_id, Speaker.USER, Channel.ROOM, text, now, now, call_id=self._id)
            )

    # From the thread: what was written there.

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """The thread before the call (see `ThreadListener`)."""
        turns = [to_turn(message, self._job.conversation_id) for message in messages][-self._settings.history_turns :]
        self._conversation.remember(turns)
        if self._assistant is not None:
            self._tasks.append(asyncio.create_task(self._assistant.add_history(turns), name="late history"))
        if not self._history.done():
            self._history.set_result(turns)

    def thread_message(self, message: ThreadMessage) -> None:
        """A message in the thread (see `ThreadListener`): the echo of ours, one that was typed, or another's."""
        turn = to_turn(message, self._job.conversation_id)
        if self._conversation.find(turn.id) is not None:
            return
        if typed_in_thread(turn):
            self._typed.put(turn)
            return
        self._conversation.remember([turn])
        if self._assistant is not None:
            self._tasks.append(asyncio.create_task(self._assistant.add_history([turn]), name="context"))

    def turn_delivered(self, delivered: Delivered) -> None:
        """The thread has one of our turns (see `ThreadListener`)."""
        self._conversation.delivered(delivered.turn_id, delivered.seq)

    def _announce(self, turn: Turn) -> None:
        if self._bridge is not None:
            self._bridge.deliver(turn)

    def _caption(self, speaker: Speaker, text: str) -> None:
        if self._bridge is not None:
            self._bridge.caption(speaker, text)

    async def _finish(self, reason: str) -> None:
        """The room is left and the last words have taken their place: write, deliver, close."""
        reason = self._end_reason or reason
        self._presence.close()
        self._conversation.finish()
        await self._writer
        if self._bridge is not None:
            await self._bridge.close(DELIVERY_TIMEOUT_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        undelivered = self._bridge.pending if self._bridge is not None else 0
        await self._journal.call_ended(self._id, reason)
        self._journal.close()
        logger.info("call ended", extra={"call_id": self._id, "reason": reason, "undelivered": undelivered})
        if self._end_reason is not None:
            with contextlib.suppress(api.TwirpError):  # it may be gone already
                await self._context.api.room.delete_room(api.DeleteRoomRequest(room=self._context.room.name))


def _create_session(models: CallModels) -> AgentSession[None]:
    return AgentSession(
        vad=models.vad,
        stt=models.stt,
        llm=models.llm,
        tts=models.tts,
        turn_handling={
            "turn_detection": "vad",
            "endpointing": {"min_delay": 0.5, "max_delay": 2.0},
            # "adaptive" would call LiveKit Cloud (DESIGN §7).
            "interruption": {"mode": "vad", "min_duration": 0.3},
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
        aec_warmup_duration=None,
        user_away_timeout=None,
    )


def _as_message(turn: Turn) -> llm.ChatMessage:
    return llm.ChatMessage(role="user", content=[turn.text], id=turn.id, created_at=turn.started_at)
