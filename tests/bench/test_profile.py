"""Where a call's CPU goes: from threads and stacks to stages, memory by kind, the tables and the picture."""

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
from bench.profile import stages
from bench.profile.chart import draw
from bench.profile.costs import Window, cores_by_stage, shares
from bench.profile.memory import FFI_LIBRARY, FILES, INHERITED, OWN, Part, memory_by_part, memory_of, parse_smaps
from bench.profile.report import memory_table, stage_table
from bench.profile.stacks import Frame, Stack, parse_stacks
from bench.profile.summary import Profile, results
from bench.profile.threads import ThreadId, ThreadTime, parse_schedstat, parse_stat, thread_times, used_between

LOOP = (
    "thread (7): MainThread;<module> (<string>:1);_ProcClient.run (agents/ipc/proc_client.py:73);"
    "BaseEventLoop._run_once (asyncio/base_events.py:1922);"
)
RUN = LOOP + "Handle._run (asyncio/events.py:80);"
SLEEPING = Stack(7, "MainThread", (Frame("EpollSelector.select", "selectors.py"),), 10)
HEARING = Stack(7, "MainThread", (Frame("_VADStream._main_task", "agents/inference/vad.py"),), 3)
SAYING = Stack(7, "MainThread", (Frame("VoiceOutput._step", "agent/call/voice_output.py"),), 1)


VAD_TASK = "_VADStream._main_task (agents/inference/vad.py:368)"
FFI_REQUEST = "FfiClient.request (rtc/_ffi_client.py:301)"
POOL = "thread (9): asyncio_0;_WorkItem.run (concurrent/futures/thread.py:58)"


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        (f"{RUN}{VAD_TASK};ThreadPoolExecutor.submit (concurrent/futures/thread.py:175)", stages.VAD),
        (f"{RUN}{VAD_TASK};AudioResampler.push (rtc/audio_resampler.py:9);{FFI_REQUEST}", stages.AUDIO_IN),
        (f"{RUN}AudioStream._run (rtc/audio_stream.py:296);{FFI_REQUEST}", stages.AUDIO_IN),
        (f"{RUN}SpeculativeStream._drain (plugins/speculative_stt.py:9)", stages.AUDIO_IN),
        (f"{RUN}SpeculativeStream._transcribe (plugins/speculative_stt.py:9);send (httpx2/_client.py:1)", stages.WORDS),
        (f"{RUN}VoiceOutput.run (agent/call/voice_output.py:122);{FFI_REQUEST}", stages.AUDIO_OUT),
        (f"{RUN}Call.start (agent/call/call.py:1);Logger.info (logging/__init__.py:1)", stages.LOGS),
        (f"{RUN}EventLoopMonitor._on_tick (agents/telemetry/loop_monitor.py:1)", stages.MONITOR),
        (f"{RUN}Queue.put_nowait (asyncio/queues.py:1)", stages.LOOP),
        (RUN.removesuffix(";"), stages.LOOP),
        (f"{RUN}something (new/module.py:1)", stages.OTHER),
        (f"{LOOP}EpollSelector.select (selectors.py:468)", stages.LOOP),
        ("thread (8): inference.vad_0;_WorkItem.run (concurrent/futures/thread.py:58)", stages.VAD),
        (POOL, stages.TURN),
        (f"{POOL};SqliteLeases.take (agent/leases/sqlite.py:9)", stages.RECORDS),
        ("thread (10): livekit-loop-monitor-job;Event.wait (threading.py:1)", stages.MONITOR),
        ("thread (11)", stages.OTHER),
    ],
)
def test_a_stack_belongs_to_a_stage(line: str, stage: str) -> None:
    """By the innermost frame that tells what it is for, not by the library that does it."""
    (stack,) = parse_stacks([f"{line} 1"])
    assert stages.stage_of_stack(stack) == stage


def test_stacks_are_read_as_py_spy_writes_them() -> None:
    """With the thread's number, a name where it has one, and how often it was seen."""
    first, second = parse_stacks([RUN + "f (a/b.py:3) 12\n", "\n", "thread (11) 4\n"])
    assert (first.thread, first.name, first.count) == (7, "MainThread", 12)
    assert first.frames[-2:] == (Frame("Handle._run", "asyncio/events.py"), Frame("f", "a/b.py"))
    assert (second.thread, second.name, second.frames, second.count) == (11, "", (), 4)
    with pytest.raises(ValueError, match="py-spy"):
        list(parse_stacks(["py-spy> Wrote raw flamegraph data"]))


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
    assert parse_schedstat("176865829 728565971 1058\n") == pytest.approx(0.728565971)
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


def test_waiting_for_a_core_is_no_work() -> None:
    """What was seen at the place where a thread sleeps counts less by what the kernel says that it waited."""
    stacks = (SLEEPING, HEARING, SAYING)
    assert shares(stacks, ThreadTime("python", 1.4)) == pytest.approx(
        {stages.LOOP: 10 / 14, stages.VAD: 3 / 14, stages.AUDIO_OUT: 1 / 14}
    )
    waited = ThreadTime("python", 0.8, queued_s=0.6)  # 6 of the 14 times it waited for its core
    assert shares(stacks, waited) == pytest.approx({stages.LOOP: 0.5, stages.VAD: 3 / 8, stages.AUDIO_OUT: 1 / 8})
    assert shares((SLEEPING,), ThreadTime("python", 0.1, queued_s=9.9)) == {stages.LOOP: 1.0}
    assert shares((), ThreadTime("python", 1.0)) == {}


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


def test_cores_are_those_of_the_processes_in_rooms_and_what_the_main_one_has_more() -> None:
    """A process that waits for a call is none of a call's costs; a Python thread that nobody saw is not lost."""
    cores = cores_by_stage(1, IDLE, BUSY, (HEARING, SAYING), calls=2)
    assert cores == pytest.approx(
        {stages.WORKER: 0.015, stages.VAD: 0.03, stages.AUDIO_OUT: 0.01, "WebRTC: network": 0.01, stages.OTHER: 0.005}
    )


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
    profiles = [Profile(who, 1, IDLE, BUSY, (HEARING, SAYING), before, _memory()) for who in ("stock", "ours")]
    return results(profiles, 2, 10.0, {"cores": 2, "cpu": "some <processor>"})


def test_the_json_has_both_and_its_stages_are_all_of_a_call() -> None:
    """`ours` and `stock` with the same members, whoever was measured first."""
    found = _found()
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"ours", "stock", "calls", "seconds", "machine"}
    ours = found["ours"]
    assert isinstance(ours, dict)
    assert ours["cpu_per_call"] == pytest.approx(sum(ours["stages"].values()))
    assert next(iter(ours["stages"])) == stages.VAD
    assert (ours["idle_cores"], ours["samples"]) == (0.015, 4)
    assert (ours["pss_mb_per_call"], ours["idle_pss_mb"]) == (0.5, 5.0)
    assert ours["memory"][INHERITED] == {"private": 0.5, "shared": -1.0}
    assert ours["memory"][FILES] == {"private": 0.2, "shared": 0.5}


def test_the_tables_and_the_picture_have_the_figures() -> None:
    """The picture is well-formed, and every stage has its colour."""
    found = _found()
    console = Console(record=True, width=140)
    console.print(stage_table(found), memory_table(found))
    shown = console.export_text()
    assert "30.0" in shown
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
