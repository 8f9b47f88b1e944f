"""The recording of one call: announced first, paused for what is private, and never in the way of the call."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import SpeechHandle

from agent.call.voice_output import Sink
from agent.job import Job
from agent.journal import CallEvent
from agent.journal.forgiving import CallJournal
from agent.journal.records import Detail
from agent.models.reports import Outage, Report
from agent.phrases import Phrase, say
from agent.recording.events import KIND, Status
from agent.recording.folder import path_of
from agent.recording.recorder import Recorder
from agent.recording.taps import PlayedSink
from agent.recording.timeline import Samples
from agent.settings import Settings

logger = logging.getLogger("agent.recording")

# An announcement that was cut off by what somebody typed is said again.
ATTEMPTS = 3
NOT_SPOKEN = "the announcement could not be spoken"
NOT_HEARD = "the announcement was not heard to its end"


def recording_of(
    job: Job, settings: Settings, call_id: str, hearing_rate: int, journal: CallJournal
) -> "CallRecording | None":
    """The recording of a call whose job asks for one and that is spoken; else None. See `CallRecording`."""
    spec = job.recording
    if not spec.enabled or not job.spoken:
        return None
    announcement = spec.announce or say(Phrase.RECORDED, job.agent.language)
    keep_days = spec.keep_days if spec.keep_days is not None else settings.recording_days
    path = path_of(settings.recordings, call_id, keep_days)
    return CallRecording(call_id, announcement, path, keep_days, hearing_rate, journal)


class CallRecording:
    """Records a call from the end of the announcement on.

    Args:
        call_id: the call.
        announcement: what the agent says first.
        path: where the recording goes.
        keep_days: how long it is kept; for the journal.
        hearing_rate: samples a second of what the caller says.
        journal: the call's.
    """

    def __init__(
        self, call_id: str, announcement: str, path: Path, keep_days: int, hearing_rate: int, journal: CallJournal
    ) -> None:
        self._call_id = call_id
        self._announcement = announcement
        self._path = path
        self._keep_days = keep_days
        self._hearing_rate = hearing_rate
        self._speaking_rate = 0
        self._journal = journal
        self._recorder: Recorder | None = None
        self._over = False
        self._session: AgentSession[None] | None = None
        self._announcing: SpeechHandle | None = None
        self._unspoken = False
        self._reasons: Counter[str] = Counter()
        self._writes: set[asyncio.Task[None]] = set()

    # What the call hears and plays comes through here.

    def hear(self, frame: rtc.AudioFrame) -> None:
        """A frame of what the caller says."""
        if self._recorder is None:
            return
        if frame.sample_rate == self._hearing_rate:
            samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)[:, 0]
            self._recorder.heard(samples.copy())
        else:
            self._recorder.give_up(f"the caller is heard at {frame.sample_rate} Hz")

    def playing(self, sink: Sink) -> Sink:
        """The voice's sink, listened to."""
        self._speaking_rate = sink.rate
        return PlayedSink(sink, self._played, self._taken_back)

    # From the announcement to the end.

    def announce(self, session: AgentSession[None]) -> None:
        """Say that the call is recorded, before anything else that the agent says from now on."""
        self._session = session
        self._unspoken = False
        self._announcing = session.say(self._announcement, allow_interruptions=False)

    async def run(self) -> None:
        """Record once the announcement was heard."""
        for _ in range(ATTEMPTS):
            if self._announcing is None or self._session is None:
                raise RuntimeError("nothing was announced")
            await self._announcing
            if self._over:
                return
            if self._unspoken:
                self._note(Status.NOT_STARTED, why=NOT_SPOKEN)
                logger.error("the call is not recorded: %s", NOT_SPOKEN, extra={"call_id": self._call_id})
                return
            if not self._announcing.interrupted:
                self._start()
                return
            try:
                self.announce(self._session)
            except RuntimeError:
                return  # the session is closing
        self._note(Status.NOT_STARTED, why=NOT_HEARD)
        logger.warning("the call is not recorded: %s", NOT_HEARD, extra={"call_id": self._call_id})

    def take(self, report: Report) -> None:
        """Something happened to a model: without a voice nothing is announced, only silence is heard."""
        if isinstance(report, Outage) and report.stage == "tts":
            self._unspoken = True

    @contextmanager
    def paused(self, why: str) -> Iterator[None]:
        """Both channels are silent meanwhile, whatever else pauses or goes on.

        Args:
            why: for the journal: the name of a tool.
        """
        self.pause(why)
        try:
            yield
        finally:
            self.resume(why)

    def pause(self, why: str) -> None:
        """Both channels are silent until `resume` is called as often for each `why`."""
        first = not self._reasons.total()
        self._reasons[why] += 1
        if first and self._recorder is not None:
            self._recorder.pause()
            self._note(Status.PAUSED, why=why)

    def resume(self, why: str) -> None:
        """See `pause`; nothing happens when it was not called."""
        if not self._reasons[why]:
            return
        self._reasons[why] -= 1
        if not self._reasons.total() and self._recorder is not None:
            self._recorder.resume()
            self._note(Status.RESUMED, why=why)

    async def finish(self) -> None:
        """The call is over; returns once everything is on the disk and in the journal."""
        self._over = True
        recorder, self._recorder = self._recorder, None
        if recorder is not None and (written := await recorder.finish()) is not None:
            self._note(
                Status.ENDED,
                seconds=round(written.seconds, 3),
                paused_seconds=round(written.paused_seconds, 3),
                size=written.size,
            )
        await asyncio.gather(*self._writes)

    def _start(self) -> None:
        self._recorder = Recorder(self._path, self._hearing_rate, self._speaking_rate, self._failed)
        self._recorder.start()
        self._note(Status.STARTED, keep_days=self._keep_days)
        if reasons := +self._reasons:
            self._recorder.pause()
            self._note(Status.PAUSED, why=next(iter(reasons)))
        logger.info("the call is recorded from now on", extra={"call_id": self._call_id})

    def _failed(self, why: str) -> None:
        """The rest is not recorded; the call goes on."""
        self._recorder = None
        self._note(Status.FAILED, why=why)
        logger.error("the recording breaks off, the call goes on: %s", why, extra={"call_id": self._call_id})

    def _played(self, after: float, samples: Samples) -> None:
        if self._recorder is not None:
            self._recorder.spoken(after, samples)

    def _taken_back(self, count: int) -> None:
        if self._recorder is not None:
            self._recorder.taken_back(count)

    def _note(self, status: Status, **details: Detail) -> None:
        event = CallEvent(self._call_id, time.time(), KIND, {"status": status.value, **details})
        write = asyncio.create_task(self._journal.record(event), name="recording event")
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)
