"""One call: a room, its core (session, conversation, brain, journal), and the bridge to the chat thread."""

import asyncio
import contextlib
import logging
import time

import aiohttp
from livekit import api
from livekit.agents import CloseEvent, CloseReason, JobContext
from livekit.agents.voice.room_io import AudioInputOptions, RoomOptions, TextOutputOptions

from agent.aftercare.plan import aftercare_of, notices_of
from agent.call.caption_output import CaptionOutput
from agent.call.core import CallCore, CallLinks, Opening
from agent.call.events import WAITING
from agent.call.half_said import HalfSaid
from agent.call.presence import Presence
from agent.call.room_hearing import hear_room
from agent.call.room_sink import RoomSink
from agent.call.room_text import RoomText
from agent.chat.bridge import Bridge, Role
from agent.chat.dialect import dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.job import Job
from agent.journal import CallRecord, Journal
from agent.journal.forgiving import CallJournal
from agent.leases import Tenure
from agent.manners.keypad import Keypad
from agent.manners.thread_watch import ThreadWatch
from agent.models import CallModels
from agent.recording.call_recording import recording_of
from agent.settings import Settings
from agent.turns import Speaker, Turn

logger = logging.getLogger("agent.call")

TAKEN_OVER = "taken over"
DELIVERY_TIMEOUT_S = 5.0
HEARING_RATE = 16_000  # what all models that hear want: nobody has to resample
HEARING_WINDOW_MS = 32  # one window of the voice activity detector: in longer frames it would wait for the next one
AGENT_STATE = "lk.agent.state"


class Call:
    """Everything that lives as long as one call.

    Args:
        context: the job that livekit-agents gave us.
        settings: the worker's settings.
        job: what the dispatch said.
        models: what hears, thinks and speaks; the call closes them.
        journal: where turns become durable; the call closes it.
        tenure: the call's hold on its room; the call ends it.

    Raises:
        ToolConfigError: a secret of a tool is not set; it is named.
    """

    def __init__(
        self,
        context: JobContext,
        settings: Settings,
        job: Job,
        models: CallModels,
        journal: Journal,
        tenure: Tenure,
    ) -> None:
        self._context = context
        self._settings = settings
        self._job = job
        self._tenure = tenure
        self._bridge: Bridge | None = None
        record = CallRecord(context.job.id, job.conversation_id, context.job.room.name, time.time())
        links = CallLinks(self._announce, self._caption, self._ask_again, self._show_thinking, self.end, self._anybody)
        fence = tenure.lease.fence if tenure.lease is not None else None
        self._sink = RoomSink()
        aftercare = aftercare_of(job, settings)
        calls_journal = CallJournal(journal, record, fence, aftercare, notices_of(record, aftercare))
        recording = recording_of(job, settings, record.id, HEARING_RATE, calls_journal)
        tls = context.proc.userdata["tls"]
        self._core = CallCore(record, settings, job, models, calls_journal, self._sink, links, tls, recording)
        self._half_said = HalfSaid(self._core.conversation)
        self._keypad = Keypad(context.room, self._core.room_text, self._core.activity.user_acts)
        self._room_text = RoomText(context.room, self._typed)
        self._presence = Presence(context.room, settings.rejoin_seconds, self.end)
        self._end_reason: str | None = None

    async def start(self) -> None:
        """Join the room, read the thread, and greet or answer what waits there."""
        self._context.add_shutdown_callback(self._finish)
        self._tenure.when_lost(self._taken_over)
        await self._core.journal.started()
        connected = asyncio.create_task(self._context.connect())
        if self._settings.chat_api_url:
            self._connect_thread()
            if not self._tenure.resumes:  # else the first word comes before the thread
                await self._core.brain.ready()
        await connected
        self._presence.watch()
        self._core.session.on("close", self._on_close)
        if self._job.spoken:
            self._core.spawn(self._sink.publish(self._context.room), "track")
            self._core.session.output.audio = self._core.voice
        await self._core.start(room=self._context.room, room_options=self._room_options())
        hear_room(self._core.session.input.audio, self._core.hear)
        self._room_text.listen(self._core.session.room_io)
        self._keypad.listen(self._core.session.room_io)
        await self._core.open(Opening.RESUME if self._tenure.resumes else Opening.GREET)

    def end(self, reason: str) -> None:
        """End the call; every way out comes through here, and only the first reason counts."""
        if self._end_reason is None:
            self._end_reason = reason
            self._core.tools.stop_waiting()
            if not self._presence.anybody:  # else the end of a goodbye may be on its way
                self._core.spawn(self._sink.withdraw(), "track leaves")
            self._context.shutdown(reason)

    def _anybody(self) -> bool:
        return self._presence.anybody

    def _typed(self, text: str, stream_id: str) -> None:
        self._keypad.flush()  # what was pressed before comes before
        self._core.room_text(text, stream_id)

    def _taken_over(self) -> None:
        """This process was too slow: another agent is in the room, and what is said here does not count any more."""
        logger.warning("the call was taken over by another process", extra={"call_id": self._core.id})
        self._context.shutdown(TAKEN_OVER)

    def _connect_thread(self) -> None:
        brain = self._core.brain
        self._bridge = Bridge(
            ChatEndpoint.for_job(self._settings, self._job),
            dialect_named(self._settings.chat_dialect),
            self._core.journal.leftovers,
            ThreadWatch(brain, self._core.activity.user_acts),
            role=brain.role,
        )
        self._core.spawn(self._bridge.run(), "bridge")

    def _room_options(self) -> RoomOptions:
        captions = CaptionOutput(lambda text: self._caption(Speaker.ASSISTANT, text))
        microphone = AudioInputOptions(
            sample_rate=HEARING_RATE,
            frame_size_ms=HEARING_WINDOW_MS,
            auto_gain_control=False,  # the words are the same without, down to -20 dB (docs/turn-taking.md)
        )
        return RoomOptions(
            audio_input=microphone if self._job.spoken else False,
            text_input=False,  # RoomText is, within limits
            audio_output=False,  # VoiceOutput is; the room's captions follow it all the same
            text_output=TextOutputOptions(next_in_chain=captions, sync_transcription=False),  # SpokenWords does
            close_on_disconnect=False,  # Presence decides: a reload of the page is no hang-up
        )

    def _on_close(self, event: CloseEvent) -> None:
        """The session gave up: another process may do better. All other reasons are our own doing."""
        if event.reason is CloseReason.ERROR:
            self._context.shutdown("the session failed")

    def _announce(self, turn: Turn) -> None:
        if self._bridge is not None:
            self._bridge.deliver(turn)

    def _caption(self, speaker: Speaker, text: str) -> None:
        if speaker is Speaker.ASSISTANT and self._core.brain.role is Role.ANSWERS:  # else the thread has it whole
            self._tenure.note_saying(self._half_said.so_far("" if text == WAITING else text))
        if self._bridge is not None:
            self._bridge.caption(speaker, text)

    def _ask_again(self, turn: Turn) -> None:
        if self._bridge is not None:
            self._bridge.ask_again(turn)

    def _show_thinking(self, thinking: bool) -> None:
        state = "thinking" if thinking else self._core.session.agent_state
        self._core.spawn(self._context.room.local_participant.set_attributes({AGENT_STATE: state}), "agent state")

    async def _finish(self, reason: str) -> None:
        """The room is left and the last words have taken their place: write, deliver, close."""
        reason = self._end_reason or reason
        self._presence.close()
        self._keypad.close()
        await self._room_text.aclose()
        await self._core.settle()
        if self._end_reason is not None:
            await self._tenure.release()
        else:
            await self._tenure.abandon()  # a deploy, a crash, a lost connection: whoever is still there is called back
        if self._bridge is not None:
            await self._bridge.close(DELIVERY_TIMEOUT_S)
        await self._core.close(reason)
        await self._sink.aclose()
        logger.info(
            "call ended",
            extra={
                "call_id": self._core.id,
                "reason": reason,
                "undelivered": self._bridge.pending if self._bridge is not None else 0,
                "journal": "failed" if self._core.journal.failed else "well",
            },
        )
        if self._end_reason is not None:
            # The room may be gone already, and with it the server.
            with contextlib.suppress(api.TwirpError, aiohttp.ClientError, TimeoutError):
                await self._context.api.room.delete_room(api.DeleteRoomRequest(room=self._context.room.name))
