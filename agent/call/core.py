"""What a call is besides its room: the session with its models, the conversation, the brain and the journal.

`Call` adds a room and the chat thread, `agent.replay` a recording.
"""

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from livekit import rtc
from livekit.agents import NOT_GIVEN, NotGivenOr, UserInputTranscribedEvent, llm
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.room_io import RoomOptions

from agent.brains.backend_brain import BackendBrain, BackendLinks
from agent.brains.brain import Brain
from agent.brains.model_brain import Memory, ModelBrain
from agent.call.events import CallEvents
from agent.call.model_trouble import ModelTrouble
from agent.call.session import create_session
from agent.call.spoken_words import SpokenWords
from agent.call.voice_output import Sink, VoiceOutput
from agent.conversation import Conversation
from agent.job import Job
from agent.journal import CallRecord
from agent.journal.forgiving import CallJournal
from agent.manners.activity import Activity
from agent.manners.end_call import end_call_tool
from agent.manners.farewell import Farewell
from agent.manners.manners import Manners
from agent.manners.requests import VoiceRequests
from agent.manners.spoken_language import SpokenLanguage
from agent.metrics.catalogue import CRASHED_PARTS
from agent.models import CallModels
from agent.models.reports import Report
from agent.models.speech_speed import SpeechSpeed
from agent.phrases import Phrase, say
from agent.recording.call_recording import CallRecording
from agent.recording.sensitive_input import SensitiveInput
from agent.settings import Settings
from agent.tools.call_tools import CallTools
from agent.tools.ledger import ToolLedger
from agent.tools.runner import ToolRunner
from agent.tools.spec import ToolSpecs
from agent.turns import Channel, Speaker, Turn
from agent.usage.measure import Stage
from agent.usage.prices import load_prices
from agent.usage.recorder import UsageRecorder

logger = logging.getLogger("agent.call")


def brain_kind(settings: Settings, job: Job) -> Literal["llm", "chat"]:
    """Who answers: the job's word counts, else the worker's."""
    return job.brain or settings.brain


class Opening(Enum):
    """How the agent begins."""

    GREET = "greet, or answer what waits in the thread"
    RESUME = "apologise, and go on where the call broke off"
    WAIT = "wait for the user in silence"


@dataclass(frozen=True, slots=True)
class CallLinks:
    """What the core wants of whoever carries the call.

    Args:
        announce: told of each turn once it is durable.
        caption: shows what a speaker has said so far; the empty text ends it.
        ask_again: posts the user's turn to the chat backend once more.
        show_thinking: shows that an answer is on its way, or no longer.
        end: ends the call, for a reason.
        present: whether somebody is there to hear the agent.
    """

    announce: Callable[[Turn], None]
    caption: Callable[[Speaker, str], None]
    ask_again: Callable[[Turn], None]
    show_thinking: Callable[[bool], None]
    end: Callable[[str], None]
    present: Callable[[], bool]


class CallCore:
    """The part of a call that needs no room.

    Args:
        record: the call.
        settings: the worker's settings.
        job: what the dispatch said.
        models: what hears, thinks and speaks; closed by `close`.
        journal: where the call's turns become durable; closed by `close`.
        sink: where the agent's voice goes.
        links: whoever carries the call.
        tls: how the certificates of tools are checked.
        recording: records the call; None: it is not recorded.

    Raises:
        ToolConfigError: a secret of a tool is not set; it is named.
    """

    def __init__(
        self,
        record: CallRecord,
        settings: Settings,
        job: Job,
        models: CallModels,
        journal: CallJournal,
        sink: Sink,
        links: CallLinks,
        tls: ssl.SSLContext,
        recording: CallRecording | None = None,
    ) -> None:
        self.id = record.id
        self.journal = journal
        self.conversation = Conversation(job.conversation_id, record.id, self.journal, links.announce)
        with_model = brain_kind(settings, job) == "llm"
        self.session = create_session(models, with_model=with_model, interruptions=job.turn_taking.interruptions)
        self._settings = settings
        self._job = job
        self._models = models
        self._links = links
        self._recording = recording
        self._tasks: list[asyncio.Task[None]] = []
        if not with_model and (job.tools.tools or job.tools.mcp):
            logger.warning("tools are not used: the chat backend answers", extra={"call_id": self.id})
        self._language = SpokenLanguage(job.agent.language)
        self.tools = self._call_tools(job.tools if with_model else ToolSpecs(), tls)
        self.brain: Brain = self._model_brain() if with_model else self._backend_brain()
        self.voice = VoiceOutput(sink if recording is None else recording.playing(sink))
        self._events = CallEvents(
            self.id, self.session, self.conversation, self.brain, models.stt, self.voice, links.caption
        )
        self._trouble = ModelTrouble(self.id, self.journal, self.session, self._words)
        models.reports.listener = self._model_reports
        self._usage = UsageRecorder(self.id, models.members, self.journal, load_prices(settings.prices_file))
        self.activity = Activity(self.session, self.conversation, self.brain, lambda: self.tools.running, links.present)
        self._manners = self._make_manners(links.end)
        self._writer = asyncio.create_task(self.conversation.run(), name="conversation")

    async def start(
        self,
        *,
        room: NotGivenOr[rtc.Room] = NOT_GIVEN,
        room_options: NotGivenOr[RoomOptions] = NOT_GIVEN,
    ) -> None:
        """Run the session; nobody says anything before `open`.

        `session.output.audio` is `voice` by then, in a spoken call.

        Args:
            room: whose audio is heard; else what `session.input` was set to.
            room_options: how the room is used.
        """
        self._events.listen()
        self._events.on_dropped = self.activity.sound_was_no_turn
        self.activity.listen()
        self.session.on("user_input_transcribed", self._on_transcript)
        self._usage.listen()
        self.spawn(self.voice.run(), "voice")
        # Without a `session_host`, by which others could watch and drive the session: it would send each event into the
        # room, to everybody there.
        await self.session.start(
            self.brain.assistant, room=room, room_options=room_options, record=False, session_host=False
        )
        if self.session.output.audio is not None and (written := self.session.output.transcription) is not None:
            self.voice.words = self.session.output.transcription = SpokenWords(written)
            self.spawn(self.voice.words.run(), "spoken words")

    def hear(self, frame: rtc.AudioFrame) -> None:
        """Audio that does not come by `session.input`."""
        if self._recording is not None:
            self._recording.hear(frame)
        self._models.vad.push_frame(frame)

    async def open(self, opening: Opening) -> None:
        """Begin the talk.

        Args:
            opening: how.
        """
        offer = self.brain.assistant.update_tools
        if isinstance(self.brain, ModelBrain):
            offer = self.brain.offer
            for note in await self.tools.left_behind():
                self.brain.note(note)
        if self._recording is not None:
            self._recording.announce(self.session)
            self.spawn(self._recording.run(), "recording")
        match opening:
            case Opening.GREET:
                self.brain.begin()
            case Opening.RESUME:
                await self.brain.resume(await self.journal.latest_turns(self._settings.history_turns))
            case Opening.WAIT:
                pass
        self.spawn(self.brain.run(), "brain")
        self.spawn(self.tools.run(offer), "tools")
        self.spawn(self._manners.run(), "manners")
        logger.info("call started", extra={"call_id": self.id, "conversation_id": self._job.conversation_id})

    def room_text(self, text: str, stream_id: str | None = None) -> None:
        """The user typed into the room; nothing but blanks is nothing.

        Args:
            text: what was typed.
            stream_id: the room's id of it, which makes the turn's.
        """
        now = time.time()
        if text := text.strip():
            turn_id = f"room_{self.id}_{stream_id or f'{now:.6f}'}"
            self.brain.room_text(
                Turn(turn_id, self._job.conversation_id, Speaker.USER, Channel.ROOM, text, now, now, call_id=self.id)
            )

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a part of the call beside it, until it ends or the call does."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_report_crash)
        self._tasks = [*(running for running in self._tasks if not running.done()), task]

    async def settle(self) -> None:
        """Nothing more will be said: wait until what was said is written, and what writing tools do, done."""
        if self._recording is not None:
            await self._recording.finish()
        await self.tools.finish()
        await self.conversation.written()

    async def close(self, reason: str) -> None:
        """Write what is not written yet, end what runs beside the call, and close models and journal.

        Args:
            reason: why the call ends.
        """
        self.conversation.finish()
        await self._writer
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._models.aclose()
        await self._trouble.close()
        await self._usage.finish()
        await self.journal.hand_over()
        await self.journal.ended(reason)
        self.journal.close()

    def _words(self, phrase: Phrase) -> str:
        return say(phrase, self._language.now)

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            self._language.heard(event.language, event.transcript)

    def _make_manners(self, end: Callable[[str], None]) -> Manners:
        return Manners(
            self.session,
            self.activity,
            Farewell(self.session, self.activity, end),
            self._job.silence,
            self._job.limits,
            lambda: self._usage.usage.bill.total.amount,
            self._words,
        )

    def _own_tools(self) -> list[llm.RawFunctionTool[..., Any]]:
        if not self._job.agent.may_end_call:
            return []
        said, usual = lambda: self.brain.assistant.reply_text, lambda: self._words(Phrase.GOODBYE)
        return [end_call_tool(lambda reason, goodbye: self._manners.hang_up(reason, goodbye), said, usual)]

    def _model_brain(self) -> ModelBrain:
        memory = Memory(self._settings.history_turns, self._settings.context_tokens)
        return ModelBrain(
            self._job,
            self._models.llm,
            self.conversation,
            self.session,
            memory,
            self.tools,
            self._hand_over_delivery,
            VoiceRequests(lambda: self._language.now, self._words, self._speed()),
            self._own_tools(),
        )

    def _speed(self) -> SpeechSpeed | None:
        """How fast the agent speaks, where it speaks at all."""
        voices = [voice for key, voice in self._models.members.items() if key.stage is Stage.SPEAKING]
        return SpeechSpeed(voices) if self._job.spoken else None

    def _call_tools(self, specs: ToolSpecs, tls: ssl.SSLContext) -> CallTools:
        def say_slow() -> SpeechHandle:
            return self.session.say(self._words(Phrase.STILL_WORKING))

        ledger = ToolLedger(self.journal, self.id)
        recording, language = self._recording, self._job.agent.language
        if recording is None:
            return CallTools(specs, os.environ, tls, ToolRunner(self.conversation, ledger, language, say_slow))
        runner = ToolRunner(self.conversation, ledger, language, say_slow, recording.paused)
        pause = [SensitiveInput(recording).tool] if self._job.recording.pause_tool else []
        return CallTools(specs, os.environ, tls, runner, pause)

    def _backend_brain(self) -> BackendBrain:
        links = BackendLinks(self._links.ask_again, self._links.show_thinking, self._hand_over_delivery)
        return BackendBrain(self._job, self.conversation, self.session, links, self._words)

    def _model_reports(self, report: Report) -> None:
        self._trouble.take(report)
        if self._recording is not None:
            self._recording.take(report)

    def _hand_over_delivery(self) -> None:
        """The chat is given up for this call; the worker goes on trying to deliver its turns."""
        self.spawn(self.journal.hand_over(), "hand over")


def _report_crash(task: asyncio.Task[None]) -> None:
    """A part of the call that ends with an error is a defect: it is said at once, and the rest of the call goes on."""
    if not task.cancelled() and (error := task.exception()) is not None:
        CRASHED_PARTS.inc()
        logger.error("a part of the call crashed: %s", task.get_name(), exc_info=error)
