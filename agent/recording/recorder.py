"""Writes one recording: takes sounds without ever waiting, and encodes and writes them in a thread of its own."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from agent.recording.ogg_file import RATE, OggFile
from agent.recording.resampling import resampling
from agent.recording.timeline import Arrivals, Lane, Pauses, Piece, Samples

logger = logging.getLogger("agent.recording")

# What is heard is written so much later: until then the agent may take back what it has not said, and frames that come
# late find their place.
BEHIND_S = 1.0
WRITE_EVERY_S = 0.5
# A disk that hangs for so long is given up.
MOST_BEHIND_S = 60.0
FINISH_TIMEOUT_S = 5.0

TOO_SLOW = "the disk is too slow"


@dataclass(frozen=True, slots=True)
class Written:
    """What a recording has become."""

    seconds: float
    paused_seconds: float
    size: int


class Recorder:
    """Records from `start` to `finish`. All methods are called on the event loop and return at once, but for `finish`.

    Args:
        path: where.
        hearing_rate: samples a second of what the caller says.
        speaking_rate: samples a second of what the agent says.
        failed: told once, on the event loop, why the recording ends here.
        clock: seconds, at the pace of the real ones.
    """

    def __init__(
        self,
        path: Path,
        hearing_rate: int,
        speaking_rate: int,
        failed: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._rates = (hearing_rate, speaking_rate)
        self._tell_failed = failed
        self._clock = clock
        self._began = clock()
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # what follows is used by both sides
        self._arrivals = Arrivals(hearing_rate)
        self._spoken: deque[Piece] = deque()
        self._pauses = Pauses()
        self._written_until = 0.0
        self._stopping = threading.Event()
        self._end: float | None = None
        self._failed = False
        self._written = Written(0.0, 0.0, 0)
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def start(self) -> None:
        """Begin; the recording's first moment is that of the construction."""
        self._thread.start()

    def heard(self, samples: Samples) -> None:
        """The caller's next samples have just arrived."""
        now = self._now()
        with self._lock:
            if self._failed or self._end is not None:
                return
            self._arrivals.add(now, samples)
            late = now - self._written_until > MOST_BEHIND_S
        if late:
            self.give_up(TOO_SLOW)

    def spoken(self, after: float, samples: Samples) -> None:
        """The agent's next samples, which begin to be heard after so many seconds."""
        start = self._now() + after
        with self._lock:
            if not self._failed and self._end is None:
                self._spoken.append(Piece(start, samples))

    def taken_back(self, count: int) -> None:
        """So many of the agent's last samples will not be heard."""
        with self._lock:
            while count > 0 and self._spoken:
                last = self._spoken.pop()
                if (left := len(last.samples) - count) > 0:
                    self._spoken.append(Piece(last.start, last.samples[:left]))
                count -= len(last.samples)

    def pause(self) -> None:
        """From now on both channels are silent."""
        now = self._now()
        with self._lock:
            self._pauses.begin(now)

    def resume(self) -> None:
        """From now on they are not any more."""
        now = self._now()
        with self._lock:
            self._pauses.end(now)

    async def finish(self) -> Written | None:
        """The end; returns once everything is on the disk. None: it has failed."""
        with self._lock:
            self._end = self._now()
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, FINISH_TIMEOUT_S)
        if self._thread.is_alive():
            self.give_up(TOO_SLOW)
        return None if self._failed else self._written

    def give_up(self, why: str) -> None:
        """The rest of the call is not recorded; what is on the disk stays."""
        if not self._failed:
            self._failed = True
            self._stopping.set()
            self._tell_failed(why)

    def _now(self) -> float:
        return self._clock() - self._began

    # In the thread.

    def _run(self) -> None:
        try:
            with OggFile(self._path) as file:
                self._write(file)
                file.finish()
                self._written = Written(file.seconds, self._pauses.seconds(file.seconds), file.size)
        except (OSError, av.FFmpegError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
        except Exception as error:
            logger.exception("the recording ends with a defect")
            why = type(error).__name__
        else:
            return
        self._loop.call_soon_threadsafe(self.give_up, why)

    def _write(self, file: OggFile) -> None:
        lanes = [Lane(RATE, resampling(rate, RATE)) for rate in self._rates]
        while True:
            stopping = self._stopping.wait(WRITE_EVERY_S)
            if self._failed:
                return
            until = self._collect(lanes)
            end, first = round(until * RATE), round(file.seconds * RATE)
            if end > first:
                block = np.stack([lane.take(end) for lane in lanes])
                with self._lock:
                    self._pauses.silence(block, first, RATE)
                file.write(block)
                with self._lock:
                    self._written_until = until
            if stopping:
                return

    def _collect(self, lanes: list[Lane]) -> float:
        """Bring what can be placed into the lanes; returns until when they are complete."""
        hearing, speaking = lanes
        with self._lock:
            over = self._end is not None
            until = self._end if self._end is not None else max(0.0, self._now() - BEHIND_S)
            certain = float("inf") if over else until + BEHIND_S / 2
            heard = self._arrivals.take(certain)
            spoken: list[Piece] = []
            while self._spoken and self._spoken[0].start < certain:
                spoken.append(self._spoken.popleft())
        for lane, pieces, rate in ((hearing, heard, self._rates[0]), (speaking, spoken, self._rates[1])):
            for piece in pieces:
                lane.add(piece, rate)
            if over or (not pieces and lane.heard_until < until + BEHIND_S / 4):
                lane.end_stretch()
        return until
