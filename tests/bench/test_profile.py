"""Where a call's CPU goes: from threads and callbacks to stages, memory by kind, the tables and the picture."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from bench.__main__ import app
from bench.density.processes import usage
from bench.latency.servers import BenchError
from bench.profile import stages
from bench.profile.chart import draw
from bench.profile.costs import Window, cost_by_stage, share_out
from bench.profile.memory import FFI_LIBRARY, FILES, INHERITED, OWN, Part, memory_by_part, memory_of, parse_smaps
from bench.profile.report import memory_table, stage_table
from bench.profile.run import metered
from bench.profile.summary import Profile, results
from bench.profile.threads import ThreadId, ThreadTime, parse_stat, thread_times, used_between
from bench.profile.work import Frame, Spent, ThreadWork, parse_snapshot, work_of, worked_between

AGENTS = "livekit/agents/"
HTTP = "AsyncClient.send (httpx2/_client.py)"
WAITS = "Queue.get (asyncio/queues.py)"


@pytest.mark.parametrize(
    ("frames", "stage"),
    [
        ([f"VADStream._metrics_monitor_task ({AGENTS}vad.py)", WAITS], stages.VAD),
        (["AudioStream._run (livekit/rtc/audio_stream.py)", WAITS], stages.AUDIO_IN),
        (["SpeculativeStream._transcribe (plugins/speculative_stt.py)", HTTP], stages.WORDS),
        (["VoiceModel.probability (plugins/voice_model.py)"], stages.TURN),
        (["EOT.predict (livekit/local_inference/_native)"], stages.TURN),
        (["VAD.predict (livekit/local_inference/_native)"], stages.VAD),
        (["VoiceOutput.run (agent/call/voice_output.py)", WAITS], stages.AUDIO_OUT),
        (["Call.start (agent/call/call.py)", "SqliteJournal.record (agent/journal/sqlite.py)"], stages.RECORDS),
        ([f"EventLoopMonitor._on_tick ({AGENTS}telemetry/loop_monitor.py)"], stages.MONITOR),
        (["Room._listen_task (livekit/rtc/room.py)", WAITS], stages.FFI),
        ([WAITS], stages.LOOP),
        (["BaseSelectorEventLoop._read_from_self (asyncio/selector_events.py)"], stages.LOOP),
        (["something (new/module.py)"], stages.OTHER),
        ([], stages.OTHER),
    ],
)  # fmt: skip
def test_a_callback_belongs_to_a_stage(frames: list[str], stage: str) -> None:
    """By the innermost function that tells what it is for, not by the library that waits."""
    assert stages.stage_of_work([Frame.parse(text) for text in frames]) == stage


def test_a_thread_with_one_purpose_is_known_by_its_name() -> None:
    """Whatever it runs; an event loop and the pool of all are not."""
    assert stages.stage_of_thread("inference.vad_0") == stages.VAD
    assert stages.stage_of_thread("journal_0") == stages.RECORDS
    assert stages.stage_of_thread("MainThread") is None
    assert stages.stage_of_thread("asyncio_0") is None


def test_native_threads_are_known_by_their_names() -> None:
    """As the kernel cuts them; one that is new is shown, too."""
    assert stages.stage_of_native("SyntheticAudioD") == "WebRTC: audio device and decoder, 100 a second"
    assert stages.stage_of_native("worker_thread 0") == "WebRTC: worker"
    assert stages.stage_of_native("tokio-rt-worker") == stages.TOKIO
    assert stages.stage_of_native("brand-new") == stages.OTHER_NATIVE


def test_a_thread_is_read_from_its_stat_whatever_it_is_called() -> None:
    """Its name may hold blanks and parentheses."""
    ticks = os.sysconf("SC_CLK_TCK")
    line = f"42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 {3 * ticks} {ticks} 0 0 20 0 5 0"
    assert parse_stat(line) == ThreadTime("a (b) c", 4.0)
    with pytest.raises(ValueError, match="stat"):
        parse_stat("42 nothing")


@contextmanager
def _burning(seconds: float) -> Iterator[int]:
    """A thread that has used so much CPU, and lives; gives its number."""
    burnt, over = threading.Event(), threading.Event()

    def burn() -> None:
        while time.thread_time() < seconds:
            pass
        burnt.set()
        over.wait()

    thread = threading.Thread(target=burn)
    thread.start()
    try:
        assert burnt.wait(60)
        assert thread.native_id is not None
        yield thread.native_id
    finally:
        over.set()
        thread.join()


def test_what_a_thread_used_is_seen() -> None:
    """In this process, between two looks; a thread that is new counts from its beginning."""
    before = thread_times(os.getpid())
    with _burning(0.1) as thread:
        used = used_between(before, thread_times(os.getpid()))
    key = ThreadId(os.getpid(), thread)
    assert key not in before
    assert used[key].cpu_s >= 0.08


VAD = (Frame("_VADStream._main_task", "livekit/agents/inference/vad.py"), Frame("Queue.get", "asyncio/queues.py"))
SOUND = (Frame("VoiceOutput.run", "agent/call/voice_output.py"),)
SWITCH = (Frame("Queue.put_nowait", "asyncio/queues.py"),)


def test_what_a_loop_did_beside_its_callbacks_is_the_loops() -> None:
    """Metering is nobody's; a thread with one purpose serves that with all that it used."""
    work = {VAD: Spent(0.3, 30), SOUND: Spent(0.1, 10), SWITCH: Spent(0.05, 20)}
    shared = share_out(ThreadWork("call", work, metering_s=0.05), 0.8)
    assert {stage: spent.times for stage, spent in shared.items()} == {
        stages.VAD: 30,
        stages.AUDIO_OUT: 10,
        stages.LOOP: 20,
    }
    assert shared[stages.LOOP].cpu_s == pytest.approx(0.05 + 0.3)
    assert share_out(ThreadWork("journal_0", {SWITCH: Spent(0.1, 5)}), 0.2) == {stages.RECORDS: Spent(0.2, 5)}
    assert share_out(ThreadWork("call", {VAD: Spent(0.3, 1)}), 0.2)[stages.LOOP].cpu_s == 0.0  # clocks differ a little


def test_snapshots_are_subtracted_by_what_ran() -> None:
    """What did not run in between is not there; a thread that is new counts in full."""
    row = [str(frame) for frame in VAD]
    first = {"metering_ns": 1000, "threads": [{"thread": 7, "name": "call", "work": [[row, 2_000_000, 4], [[], 5, 1]]}]}
    second = {
        "metering_ns": 1000,
        "threads": [
            {"thread": 7, "name": "call", "work": [[row, 5_000_000, 10], [[], 5, 1]]},
            {"thread": 8, "name": "journal_0", "work": [[[str(SWITCH[0])], 1_000_000, 1]]},
        ],
    }
    worked = worked_between(parse_snapshot(first), parse_snapshot(second))
    assert list(worked[7].work) == [VAD]
    assert worked[7].work[VAD].cpu_s == pytest.approx(0.003)
    assert worked[7].work[VAD].times == 6
    assert worked[7].metering_s == pytest.approx(6e-6)
    assert worked[8].work == {SWITCH: Spent(0.001, 1)}


IDLE = Window(10.0, {ThreadId(1, 1): ThreadTime("python", 0.1), ThreadId(5, 5): ThreadTime("python", 0.05)})
BUSY = Window(
    10.0,
    {
        ThreadId(1, 1): ThreadTime("python", 0.3),
        ThreadId(1, 2): ThreadTime("tokio-rt-worker", 0.1),
        ThreadId(5, 5): ThreadTime("python", 0.05),
        ThreadId(7, 7): ThreadTime("python", 0.8),
        ThreadId(7, 8): ThreadTime("network_thread ", 0.2),
        ThreadId(7, 9): ThreadTime("python", 0.1),
    },
)


WORKED = {7: ThreadWork("MainThread", {VAD: Spent(0.5, 50), SOUND: Spent(0.2, 10)})}


def test_cores_are_those_of_the_processes_in_rooms_and_what_the_main_one_has_more() -> None:
    """A process that waits for a call is none of a call's costs; a Python thread that tells nothing is not lost."""
    costs = cost_by_stage(1, IDLE, BUSY, WORKED, calls=2)
    assert {stage: round(cost.cores, 6) for stage, cost in costs.items()} == {
        stages.WORKER: 0.015,
        stages.VAD: 0.025,
        stages.AUDIO_OUT: 0.01,
        "WebRTC: network": 0.01,
        stages.LOOP: 0.01,
    }
    assert costs[stages.VAD].times == pytest.approx(2.5)


METERED = """
import asyncio, functools, os, sys, time
sys.path.insert(0, os.getcwd())

def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass

async def short():
    for _ in range(10):
        await asyncio.sleep(0)
        burn(0.01)

async def main():
    task = asyncio.create_task(short())
    await asyncio.to_thread(functools.partial(burn, 0.1))
    await task
    print(os.getpid(), flush=True)
    await asyncio.to_thread(input)

if os.fork() == 0:  # as the processes of calls are
    asyncio.run(main())
else:
    os.wait()
"""


async def test_a_process_tells_what_its_callbacks_and_pools_took(tmp_path: Path) -> None:
    """Also one that was forked, to the hundredth of a second; of a task all steps, of a pool what it ran."""
    program = tmp_path / "busy.py"
    program.write_text(METERED)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        env={**os.environ, **metered(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    forked = int(await process.stdout.readline())
    worked = await work_of(tmp_path, [forked])
    await process.communicate(b"\n")
    spent = {frames[0].function: spent for work in worked.values() for frames, spent in work.work.items()}
    assert spent["short"].cpu_s == pytest.approx(0.1, abs=0.05)
    assert spent["short"].times >= 10
    assert spent["burn"].cpu_s == pytest.approx(0.1, abs=0.05)
    assert {work.name for work in worked.values()} >= {"MainThread", "asyncio_0"}
    with pytest.raises(BenchError, match=str(forked)):
        await work_of(tmp_path, [forked])


SMAPS = """
55d0-55d8 rw-p 00000000 00:00 0                          [heap]
Pss:                3072 kB
Private_Clean:         0 kB
Private_Dirty:      2048 kB
7f00-7f80 rw-p 00000000 00:00 0
Pss:                1024 kB
Private_Dirty:      1024 kB
7f80-7f90 r-xp 00000000 08:01 77 /venv/livekit/rtc/resources/liblivekit_ffi.so
Pss:                 512 kB
Private_Dirty:         0 kB
7f90-7fa0 r-xp 00000000 08:01 78                         /usr/lib/libc.so.6
Pss:                 512 kB
Private_Clean:       512 kB
7fa0-7fb0 r--p 00000000 08:01 79                         /usr/share/some words.dat
Pss:                1024 kB
"""
# It has less of the heap, and where the process has new memory it has a file.
PARENTS = """
55d0-55d4 rw-p 00000000 00:00 0                          [heap]
7f00-7f10 r--p 00000000 08:01 79                         /usr/share/some words.dat
"""


def _memory() -> dict[str, Part]:
    return memory_by_part(parse_smaps(SMAPS.splitlines()), parse_smaps(PARENTS.splitlines()))


def test_memory_is_told_by_kind() -> None:
    """What a process has written to since the fork or got since then, and its share of what it has in common."""
    assert _memory() == {
        INHERITED: Part(2.0, 1.0),
        OWN: Part(1.0, 0.0),
        FFI_LIBRARY: Part(0.0, 0.5),
        FILES: Part(0.5, 1.0),
    }


def test_memory_of_a_real_process_is_all_of_it() -> None:
    """Of a child that shares nothing but files with this process, as the kernel sums it up."""
    program = [sys.executable, "-c", "print('ready', flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        parts = memory_of([child.pid])
        whole = usage(child.pid).pss_mb
        child.communicate("\n")
    assert sum(part.private + part.shared for part in parts.values()) == pytest.approx(whole, rel=0.1)
    assert memory_of([child.pid]) == {}


def _found() -> dict[str, object]:
    before = {INHERITED: Part(1.0, 3.0), OWN: Part(1.0, 0.0)}
    profiles = [Profile(who, 1, IDLE, BUSY, WORKED, before, _memory()) for who in ("stock", "ours")]
    return results(profiles, 2, 10.0, {"cores": 2, "cpu": "some <processor>"})


def test_the_json_has_both_and_its_stages_are_all_of_a_call() -> None:
    """`ours` and `stock` with the same members, whoever was measured first."""
    found = _found()
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"ours", "stock", "calls", "seconds", "machine"}
    ours = found["ours"]
    assert isinstance(ours, dict)
    assert ours["cpu_per_call"] == pytest.approx(sum(stage["cores"] for stage in ours["stages"].values()))
    assert next(iter(ours["stages"])) == stages.VAD
    assert ours["stages"][stages.VAD] == {"cores": 0.025, "times": 2.5}
    assert ours["idle_cores"] == 0.015
    assert (ours["pss_mb_per_call"], ours["idle_pss_mb"]) == (0.5, 5.0)
    assert ours["memory"][INHERITED] == {"private": 0.5, "shared": -1.0}
    assert ours["memory"][FILES] == {"private": 0.2, "shared": 0.5}


def test_the_tables_and_the_picture_have_the_figures() -> None:
    """The picture is well-formed, and every stage has its colour."""
    found = _found()
    console = Console(record=True, width=140)
    console.print(stage_table(found), memory_table(found))
    shown = console.export_text()
    assert "25.0 (2)" in shown
    assert "0.5 -1.0" in shown
    picture = ElementTree.fromstring(draw(found))
    words = " ".join(picture.itertext())
    assert "7.0 %" in words
    assert "some <processor>" in words
    assert "the rest" in words


def test_a_chart_can_be_drawn_from_earlier_results(tmp_path: Path) -> None:
    """`--results FILE --chart FILE` measures nothing; a file that holds no results is named."""
    earlier, chart, other = tmp_path / "earlier.json", tmp_path / "chart.svg", tmp_path / "other.json"
    earlier.write_text(json.dumps(_found()))
    other.write_text("{}")
    runner = CliRunner()
    drawn = runner.invoke(app, ["profile", "--results", str(earlier), "--chart", str(chart)])
    assert drawn.exit_code == 0, drawn.output
    assert ElementTree.parse(chart).getroot().tag.endswith("svg")
    refused = runner.invoke(app, ["profile", "--results", str(other), "--chart", str(chart)])
    assert refused.exit_code == 1
    assert "other.json" in refused.stderr
