"""Plays a scene in a real room: a caller with the scene for a microphone, and the whole stack at the other end.

What is witnessed is what arrives at the caller, so every time holds the transport both ways.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from livekit import rtc

from agent.job import DEFAULT_GREETING
from agent.replay.audibility import stretches
from agent.replay.loudspeaker import AUDIBLE
from agent.replay.sound import RATE
from agent.turns import from_timestamp
from tests.scenes.check import Witnessed, WitnessedTurn
from tests.scenes.play import AGENT_PAUSE_S
from tests.scenes.script import Scene
from tests.scenes.stage import Stage
from tests.support.caller import Caller, Heard
from tests.support.stack import RunningStack

# To a client in a room and back takes about 80 ms (docs/turn-taking.md), and a real machine is not always on time.
SLACK_MS = 150
FRAME = RATE // 100
SETTLED_S = 6.0
LONGEST_S = 180.0
THREAD_SETTLED_S = 2.0


async def play_in_room(stack: RunningStack, scene: Scene) -> Witnessed:
    """Play one scene; the greeting is waited for first, unless it is part of the scene."""
    conversation = f"scene_{uuid.uuid4().hex[:12]}"
    given = await stack.room_token(conversation, job=scene.job)
    stage = Stage(scene)
    async with asyncio.timeout(LONGEST_S), _joined(given["url"], given["token"]) as (caller, source):
        greeted = await caller.until_agent_speaks(0.0)
        if not scene.greet:
            await caller.until_agent_is_silent()
        begun = time.monotonic()
        typing: set[asyncio.Task[None]] = set()

        def type_text(text: str) -> None:
            task = asyncio.create_task(caller.send_text(text))
            typing.add(task)

        stage.type_text = type_text
        watching = asyncio.create_task(_give_cues(caller.heard, stage, begun))
        try:
            await _perform(stage, source, caller)
        finally:
            watching.cancel()
            await asyncio.gather(watching, *typing, return_exceptions=True)
        ended = time.monotonic()
        hung_up = caller.hung_up_at
    turns = await _turns(stack, conversation, begun)
    if not scene.greet:
        turns = [turn for turn in turns if turn.text != DEFAULT_GREETING]
    agent = _agent_stretches(caller.heard, greeted - 0.01 if scene.greet else begun, begun)
    return Witnessed(stage.moments, agent, turns, ended - begun + 0.1, None if hung_up is None else hung_up - begun)


@asynccontextmanager
async def _joined(url: str, token: str) -> AsyncIterator[tuple[Caller, rtc.AudioSource]]:
    """A caller in the room, and the source that its microphone is."""
    room = rtc.Room()
    source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
    caller = Caller(room, source)
    await room.connect(url, token)
    try:
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await room.local_participant.publish_track(track, options)
        yield caller, source
    finally:
        await caller.close()
        await source.aclose()


async def _perform(stage: Stage, source: rtc.AudioSource, caller: Caller) -> None:
    """Send what the stage gives, in real time, until everybody has been silent for a while."""
    position, exhausted_at = 0, None
    while True:
        samples = stage.read(position, FRAME)
        position += FRAME
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))
        now = time.monotonic()
        if caller.hung_up_at is not None:
            return
        if not stage.exhausted:
            continue
        exhausted_at = exhausted_at or now
        last = caller.heard.last_audible() or 0.0
        if now - max(exhausted_at, last) >= SETTLED_S:
            return


async def _give_cues(heard: Heard, stage: Stage, begun: float) -> None:
    """Tell the stage whenever the agent begins to be heard."""
    known = 0
    while True:
        starts = [start for start, _ in _agent_stretches(heard, begun, begun)]
        for start in starts[known:]:
            stage.agent_starts(start)
        known = len(starts)
        await asyncio.sleep(0.02)


def _agent_stretches(heard: Heard, since: float, begun: float) -> list[tuple[float, float]]:
    """When the agent was heard, in seconds from the beginning of the scene."""
    frames = [(at, int(np.abs(frame.astype(np.int32)).max(initial=0))) for at, frame in heard.frames if at >= since]
    if not frames:
        return []
    windows = np.zeros(int((frames[-1][0] - begun) * 100) + 2, np.bool_)
    for at, peak in frames:
        if peak > AUDIBLE:
            windows[max(0, int((at - begun) * 100))] = True
    # Frames arrive in bursts: a window without one is no silence.
    return stretches(windows, AGENT_PAUSE_S)


async def _turns(stack: RunningStack, conversation: str, begun: float) -> list[WitnessedTurn]:
    """The thread, when nothing more is added to it."""
    messages = await stack.thread(conversation)
    settled_at = time.monotonic() + THREAD_SETTLED_S
    while time.monotonic() < settled_at:
        await asyncio.sleep(0.2)
        if len(latest := await stack.thread(conversation)) != len(messages):
            messages, settled_at = latest, time.monotonic() + THREAD_SETTLED_S
    epoch = time.time() - time.monotonic() + begun
    return [
        WitnessedTurn(m["role"], m["text"], from_timestamp(m["created_at"]) - epoch, bool(m["interrupted"]))
        for m in messages
    ]
