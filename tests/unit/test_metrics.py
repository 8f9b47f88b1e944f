"""Samples from job processes add up in the worker, without anybody waiting, and without a series from outside."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.metrics.catalogue import (
    CALLS_STARTED,
    GAUGES,
    INSTRUMENTS,
    MODEL_FAILURES,
    SAMPLES_LOST,
    TURN_LATENCY,
    TURNS,
)
from agent.metrics.exposition import exposition
from agent.metrics.instrument import Sample, send_samples_to
from agent.metrics.pipe import SOCKET_VARIABLE, SampleReceiver, SampleSender, decode, encode
from agent.metrics.registry import Registry, SampleError
from agent.metrics.worker_state import WorkerState

STATE = WorkerState(2, 0.4, 0.7, ready=True, draining=False, outbox_turns=3, outbox_age=1.5)
JOB = """
import sys, time
from agent.metrics.catalogue import CALLS_STARTED, TURNS
from agent.metrics.pipe import send_samples_to_worker
send_samples_to_worker()
CALLS_STARTED.inc()
for _ in range(100):
    TURNS.inc(speaker="user", channel="voice")
print("sent", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def samples() -> Iterator[list[Sample]]:
    """What the instruments of this process send."""
    taken: list[Sample] = []
    send_samples_to(taken.append)
    yield taken
    send_samples_to(lambda sample: None)


def test_a_value_that_a_label_does_not_know_becomes_other(samples: list[Sample]) -> None:
    """Whatever comes from outside makes no series of its own."""
    MODEL_FAILURES.inc(stage="my secret")
    assert samples == [Sample(MODEL_FAILURES.name, 1.0, {"stage": "other"})]


def test_wrong_labels_are_a_defect() -> None:
    """A label that is missing or of another instrument is found in tests."""
    with pytest.raises(ValueError, match="speaker"):
        TURNS.inc(speaker="user")


def test_every_series_is_there_from_the_start() -> None:
    """The first increase of a counter can be seen: Prometheus counts from the zero before it."""
    text = exposition(Registry(), STATE).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for instrument in INSTRUMENTS:
        family = families[instrument.name.removesuffix("_total")]
        series = {tuple(sample.labels.get(name) for name in instrument.labels) for sample in family.samples}
        for name, values in instrument.labels.items():
            assert {labels[list(instrument.labels).index(name)] for labels in series} == set(values)
    assert {gauge.name for gauge in GAUGES} <= families.keys()


def test_the_gauges_are_those_of_the_moment() -> None:
    """What the journal cannot tell is not shown at all, rather than as zero."""
    text = exposition(Registry(), WorkerState(1, 0.5, 0.7, True, True, None, None)).decode()
    assert "voice_agent_calls_running 1.0" in text
    assert "voice_agent_draining 1.0" in text
    assert "voice_agent_outbox" not in text


async def test_samples_of_several_processes_add_up_and_a_killed_call_is_counted() -> None:
    """What a process had sent counts though it is killed, and its call is over."""
    registry = Registry()
    async with SampleReceiver(registry):
        jobs = [start_job() for _ in range(2)]
        for job in jobs:
            assert job.stdout is not None
            assert await asyncio.to_thread(job.stdout.readline) == b"sent\n"
        jobs[0].send_signal(signal.SIGKILL)
        jobs[1].communicate(b"")
        jobs[0].communicate()
        async with asyncio.timeout(10):
            while registry.value("voice_agent_calls_ended_total", {"reason": "killed"}) < 2:
                await asyncio.sleep(0.02)
        assert registry.value("voice_agent_turns_total", {"speaker": "user", "channel": "voice"}) == 200
        assert registry.calls_running() == 0
        folder = Path(os.environ[SOCKET_VARIABLE]).parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert SOCKET_VARIABLE not in os.environ


def test_a_worker_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    """What does not fit is dropped at once, and counted with the next sample that does."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        sender = SampleSender(path)
        connection, _ = listening.accept()
        sample = CALLS_STARTED.sample(1, {})
        for _ in range(100_000):
            sender.send(sample)
        with connection:
            connection.settimeout(5)
            rest = read_available(connection)
            sender.send(sample)
            rest += read_available(connection)
        sender.close()
    lines = [decode(line) for line in rest.splitlines()]
    lost = [line.value for line in lines if line.metric == SAMPLES_LOST.name]
    assert len(lost) == 1
    assert lost[0] + len(lines) - 1 == 100_001


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\n",
        b"[]\n",
        b'["x",1]\n',
        b'["voice_agent_no_such_total",1,{}]\n',
        b'["voice_agent_calls_started_total",1,{"id":"42"}]\n',
        b'["voice_agent_calls_started_total",-1,{}]\n',
        b'["voice_agent_calls_started_total",NaN,{}]\n',
        b'["voice_agent_calls_started_total","1",{}]\n',
        b'["voice_agent_jobs_total",1,{"answer":"maybe"}]\n',
        b'["voice_agent_jobs_total",1,{"answer":1}]\n',
        b"[" * 3000 + b"\n",
    ],
)
def test_a_line_that_is_no_sample_is_refused(line: bytes) -> None:
    """Nothing is counted, and no unknown name or value comes in."""
    registry = Registry()
    before = generate_latest(registry.prometheus)
    with pytest.raises(SampleError):
        registry.add(decode(line))
    assert generate_latest(registry.prometheus) == before


def test_a_sample_survives_the_way() -> None:
    """What is read is what was sent."""
    sample = TURN_LATENCY.sample(0.25, {"stage": "total"})
    assert decode(encode(sample)) == sample
    assert json.loads(encode(sample)) == [TURN_LATENCY.name, 0.25, {"stage": "total"}]


def start_job() -> subprocess.Popen[bytes]:
    """A process as livekit-agents starts it, as far as metrics are concerned."""
    return subprocess.Popen([sys.executable, "-c", JOB], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def read_available(connection: socket.socket) -> bytes:
    """Everything that has arrived."""
    data = b""
    connection.setblocking(False)
    try:
        while chunk := connection.recv(1 << 20):
            data += chunk
    except BlockingIOError:
        return data
    return data
