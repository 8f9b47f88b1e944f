"""One recording on the disk: who is where, when, and what becomes of it when something breaks."""

import asyncio
import signal
import stat
import sys
from pathlib import Path

import pytest

from agent.recording import recorder as module
from agent.recording.recorder import TOO_SLOW, Recorder
from tests.recording.sound import audible, channels, span, tone
from tests.support.stack import ROOT

HEARING, SPEAKING = 16_000, 24_000


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Studio:
    """A recorder in time that the test moves."""

    def __init__(self, path: Path) -> None:
        self.failures: list[str] = []
        self.clock = Clock()
        self.path = path
        self.recorder = Recorder(path, HEARING, SPEAKING, self.failures.append, self.clock)
        self.recorder.start()

    def hear(self, hertz: int, seconds: float) -> None:
        """The caller is heard for so long, in frames."""
        sound = tone(hertz, seconds, HEARING) if hertz else tone(1, seconds, HEARING) * 0
        for start in range(0, len(sound), HEARING // 50):
            self.clock.now += 0.02
            self.recorder.heard(sound[start : start + HEARING // 50])


async def test_the_caller_is_left_and_the_agent_right_at_their_times(tmp_path: Path) -> None:
    """Both as they were heard, and the recording as long as the call; readable by its owner alone."""
    studio = Studio(tmp_path / "30-days" / "AJ_1.ogg")
    studio.hear(0, 1.0)
    studio.hear(440, 1.0)
    studio.recorder.spoken(0.1, tone(880, 0.5, SPEAKING))
    studio.hear(0, 2.0)
    written = await studio.recorder.finish()
    left, right, rate = channels(studio.path)
    assert written is not None
    assert written.seconds == pytest.approx(4.0, abs=0.01)
    assert len(left) / rate == pytest.approx(4.0, abs=0.02)
    assert written.size == studio.path.stat().st_size
    assert span(left, rate) == pytest.approx((1.0, 2.0), abs=0.03)
    assert span(right, rate) == pytest.approx((2.1, 2.6), abs=0.03)
    assert stat.S_IMODE(studio.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(studio.path.parent.stat().st_mode) == 0o700
    assert studio.failures == []


async def test_what_the_agent_took_back_was_not_heard(tmp_path: Path) -> None:
    """A reply that is cut is in the recording as far as it was played."""
    studio = Studio(tmp_path / "a.ogg")
    for _ in range(5):
        studio.recorder.spoken(0.1, tone(880, 0.1, SPEAKING))
        studio.hear(0, 0.1)
    studio.recorder.taken_back(round(0.15 * SPEAKING))
    studio.hear(0, 1.0)
    await studio.recorder.finish()
    _, right, rate = channels(studio.path)
    assert span(right, rate) == pytest.approx((0.1, 0.45), abs=0.03)


async def test_a_pause_is_silent_on_both_sides_and_the_length_stays_true(tmp_path: Path) -> None:
    """What is said in it is not there, what comes after it is where it was."""
    studio = Studio(tmp_path / "a.ogg")
    studio.hear(440, 1.0)
    studio.recorder.pause()
    studio.recorder.spoken(0.0, tone(880, 0.5, SPEAKING))
    studio.hear(440, 2.0)
    studio.recorder.resume()
    studio.hear(440, 1.0)
    written = await studio.recorder.finish()
    left, right, rate = channels(studio.path)
    assert written is not None
    assert written.paused_seconds == pytest.approx(2.0, abs=0.01)
    heard = audible(left, rate)
    assert heard[: int(0.98 / 0.02)].all()
    assert not heard[int(1.04 / 0.02) : int(2.98 / 0.02)].any()
    assert heard[int(3.04 / 0.02) : int(3.96 / 0.02)].all()
    assert not audible(right, rate).any()


async def test_a_recording_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    """The call goes on: everything can be called as before, and nothing comes of it."""
    (tmp_path / "30-days").write_text("not a folder")
    studio = Studio(tmp_path / "30-days" / "a.ogg")
    async with asyncio.timeout(30):
        while not studio.failures:
            await asyncio.sleep(0.01)
    studio.hear(440, 1.0)
    studio.recorder.spoken(0.0, tone(880, 0.5, SPEAKING))
    studio.recorder.pause()
    assert await studio.recorder.finish() is None
    assert studio.failures == ["File exists"]


async def test_a_call_is_never_recorded_over_another(tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    (tmp_path / "a.ogg").write_bytes(b"precious")
    studio = Studio(tmp_path / "a.ogg")
    async with asyncio.timeout(30):
        while not studio.failures:
            await asyncio.sleep(0.01)
    await studio.recorder.finish()
    assert (tmp_path / "a.ogg").read_bytes() == b"precious"


async def test_a_disk_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits to be written does not fill the memory."""
    monkeypatch.setattr(module, "WRITE_EVERY_S", 3600.0)
    studio = Studio(tmp_path / "a.ogg")
    studio.hear(440, module.MOST_BEHIND_S + 1)
    assert studio.failures == [TOO_SLOW]
    assert await studio.recorder.finish() is None


async def process(path: Path, limit: int = 0) -> asyncio.subprocess.Process:
    """A process that records."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.recording.recording_process", str(path), str(limit),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_a_killed_process_leaves_what_can_be_played(tmp_path: Path) -> None:
    """Both channels, up to about two seconds before its end."""
    recording = await process(tmp_path / "a.ogg")
    async with asyncio.timeout(60):
        while not (tmp_path / "a.ogg").exists() or (tmp_path / "a.ogg").stat().st_size < 15_000:
            await asyncio.sleep(0.05)
    recording.send_signal(signal.SIGKILL)
    await recording.communicate()
    left, right, rate = channels(tmp_path / "a.ogg")
    assert len(left) / rate > 1.5
    assert audible(left, rate)[5:-5].all()
    assert audible(right, rate)[5:-5].all()


async def test_a_full_disk_ends_the_recording_and_leaves_what_can_be_played(tmp_path: Path) -> None:
    """It is said once, with the reason; what was written before can be heard."""
    recording = await process(tmp_path / "a.ogg", limit=12_000)
    async with asyncio.timeout(60):
        printed, _ = await recording.communicate()
    assert printed.decode().splitlines() == ["failed File too large", "None"]
    assert recording.returncode == 0
    left, _, rate = channels(tmp_path / "a.ogg")
    assert len(left) / rate > 0.8
