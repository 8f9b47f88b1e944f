"""One call with a recording for its caller: from the first frame until everybody has been silent for a while."""

import asyncio
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.call.caption_output import CaptionOutput
from agent.call.core import CallCore, CallLinks, Opening
from agent.job import Job
from agent.journal import CallRecord, SqliteJournal
from agent.journal.forgiving import CallJournal
from agent.models import CallModels
from agent.replay.loudspeaker import Loudspeaker, Utterance
from agent.replay.microphone import Microphone
from agent.replay.sound import Sound, SoundSource
from agent.replay.tape import Tape
from agent.replay.trace import Span, Trace, Transcript
from agent.settings import Settings
from agent.tools.spec import ToolSpecs
from agent.turns import Turn

CALL_ID = "replay"
# Longer than any wait for the end of a turn, so that nothing is still to come.
SETTLED_S = 4.0
# Somebody who never stops is left, so that a replay ends.
LONGEST_AFTER_END_S = 300.0


@dataclass(frozen=True, slots=True)
class Performance:
    """What happened; times in seconds from the start, but for those of the turns, which are epoch seconds.

    Args:
        turns: as the journal has them.
        begun_at: the epoch seconds at which the tape began.
        caller: the caller's track.
        agent: the agent's track, equally long.
        utterances: the agent's speech, in order.
        spans: when the user was taken to speak, and when the models worked.
        transcripts: the user's words as they came.
        hung_up: when the agent ended the call, and why; None when it did not.
    """

    turns: tuple[Turn, ...]
    begun_at: float
    caller: Sound
    agent: Sound
    utterances: tuple[Utterance, ...]
    spans: tuple[Span, ...]
    transcripts: tuple[Transcript, ...]
    hung_up: tuple[float, str] | None = None


class ReplayedCall:
    """A call without a room; in a running event loop.

    Args:
        settings: the worker's settings.
        job: what a dispatch would say.
        models: what hears, thinks and speaks; the call closes them.
        source: what the caller's microphone hears.
        heard: told of each utterance of the agent when its first audible sample is played.
    """

    def __init__(
        self,
        settings: Settings,
        job: Job,
        models: CallModels,
        source: SoundSource,
        heard: Callable[[Utterance], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._job = job
        self._models = models
        self._source = source
        self._heard = heard
        self._core: CallCore | None = None

    def type(self, text: str) -> None:
        """Type into the room; only while `run` runs."""
        if self._core is None:
            raise RuntimeError("the call does not run")
        self._core.room_text(text)

    async def run(self, *, greet: bool) -> Performance:
        """Play the source to its end, and wait until nothing more happens.

        Args:
            greet: whether the agent begins, as it does in a call.
        """
        with tempfile.TemporaryDirectory(prefix="replay-") as folder:
            journal = SqliteJournal(Path(folder) / "journal.db")
            return await self._run(journal, greet)

    async def _run(self, journal: SqliteJournal, greet: bool) -> Performance:
        begun_at = time.time()
        tape = Tape()
        hung_up: list[tuple[float, str]] = []

        def hang_up(reason: str) -> None:
            hung_up.append((tape.now, reason))

        links = CallLinks(_nobody, _nobody, _nobody, _nobody, hang_up, lambda: True)
        record = CallRecord(CALL_ID, self._job.conversation_id, "replay", begun_at)
        microphone, loudspeaker = Microphone(self._source, tape), Loudspeaker(tape, self._heard)
        # Nothing is done to the world by playing a recording.
        job = self._job.of_team(ToolSpecs())
        tls = ssl.create_default_context()
        calls_journal = CallJournal(journal, record)
        core = CallCore(record, self._settings, job, self._models, calls_journal, loudspeaker, links, tls)
        self._core = core
        loudspeaker.follow(core.voice)
        trace = Trace(core.session, self._models, tape)
        core.session.input.audio = microphone
        core.session.output.audio = core.voice
        core.session.output.transcription = CaptionOutput(_nobody)
        await core.journal.started()
        await core.start()
        await core.open(Opening.GREET if greet else Opening.WAIT)
        await _until_settled(core, microphone, loudspeaker, trace, tape, hung_up)
        trace.finish()
        await core.session.aclose()
        await core.settle()
        turns = tuple(entry.turn for entry in await journal.entries_of_call(CALL_ID))
        await core.close(hung_up[0][1] if hung_up else "the recording is over")
        caller, agent = tape.tracks()
        return Performance(
            turns,
            begun_at,
            caller,
            agent,
            tuple(loudspeaker.utterances),
            tuple(trace.spans),
            tuple(trace.transcripts),
            hung_up[0] if hung_up else None,
        )


async def _until_settled(
    core: CallCore,
    microphone: Microphone,
    loudspeaker: Loudspeaker,
    trace: Trace,
    tape: Tape,
    hung_up: Sequence[tuple[float, str]],
) -> None:
    quiet_since: float | None = None
    ended: float | None = None
    while not hung_up:
        await asyncio.sleep(0.1)
        if not microphone.exhausted:
            continue
        ended = tape.now if ended is None else ended
        busy = loudspeaker.busy or core.session.agent_state != "listening" or core.session.user_state == "speaking"
        quiet_since = None if busy else max(ended, trace.last_change, quiet_since or tape.now)
        if quiet_since is not None and tape.now - quiet_since >= SETTLED_S:
            return
        if tape.now - ended >= LONGEST_AFTER_END_S:
            return


def _nobody(*_: object) -> None:
    """Nobody is there to be told: a replay has no chat thread and no captions."""
