"""What a thread does in a call: from its stack, or from its name alone, to a stage; pure.

A rule is a file, or the beginning of its path, and the beginning of a function's name. The innermost frame for which
there is a rule decides, so that a request to the FFI belongs to whoever makes it, and a line of the log to the logs.
Frames of the libraries that everybody uses (asyncio, httpx, numpy, …) have no rule.
"""

from collections.abc import Sequence

from bench.profile.stacks import Frame, Stack

AUDIO_IN = "audio in: frames, resampling, gain"
VAD = "voice activity (VAD)"
TURN = "end of turn"
WORDS = "words (STT)"
ANSWER = "answer (LLM)"
VOICE = "voice (TTS)"
AUDIO_OUT = "audio out"
CAPTIONS = "captions"
EVENTS = "session events sent into the room"
TALK = "session, conversation, manners"
RECORDS = "journal, leases, metrics"
LOGS = "logs, traces"
MONITOR = "loop monitor"
FFI = "FFI, room events"
LOOP = "event loop"
OTHER = "other Python"
WORKER = "worker's main process"
TOKIO = "tokio: FFI events, signalling"
OTHER_NATIVE = "other native threads"

_RULES = (
    ("agents/telemetry/loop_monitor.py", "", MONITOR),
    ("agents/telemetry/", "", LOGS),
    ("logging/", "", LOGS),
    ("agent/logs.py", "", LOGS),
    ("agent/tracing/", "", LOGS),
    ("opentelemetry/", "", LOGS),
    ("agents/ipc/log_queue.py", "", LOGS),
    ("rtc/apm.py", "", AUDIO_IN),
    ("rtc/audio_resampler.py", "", AUDIO_IN),
    ("rtc/audio_stream.py", "", AUDIO_IN),
    ("agents/voice/room_io/_input.py", "", AUDIO_IN),
    ("agents/voice/agent_session.py", "AgentSession._forward_audio_task", AUDIO_IN),
    ("agents/voice/agent_activity.py", "AgentActivity.push_audio", AUDIO_IN),
    ("agents/voice/audio_recognition.py", "AudioRecognition._push_audio", AUDIO_IN),
    ("agents/voice/audio_recognition.py", "AudioRecognition.push_audio", AUDIO_IN),
    ("agents/voice/audio_recognition.py", "_STTPipeline._audio_input", AUDIO_IN),
    ("agent/brains/assistant.py", "Unheard", AUDIO_IN),
    ("agents/voice/agent.py", "Agent.default.stt_node.<locals>._forward_input", AUDIO_IN),
    ("agents/stt/stt.py", "RecognizeStream.push_frame", AUDIO_IN),
    ("plugins/speculative_stt.py", "SpeculativeStream._drain", AUDIO_IN),
    ("agents/inference/vad.py", "", VAD),
    ("agents/vad.py", "", VAD),
    ("plugins/shared_vad.py", "", VAD),
    ("plugins/speech_finder.py", "", VAD),
    ("plugins/windows.py", "", VAD),
    ("agents/voice/audio_recognition.py", "AudioRecognition._vad_task", VAD),
    ("agents/voice/audio_recognition.py", "AudioRecognition._on_vad_event", VAD),
    ("agents/voice/agent_activity.py", "AgentActivity.on_vad_inference_done", VAD),
    ("agents/stt/stream_adapter.py", "StreamAdapterWrapper._run.<locals>._forward_input", VAD),
    ("agents/inference/eot/", "", TURN),
    ("plugins/turn_", "", TURN),
    ("plugins/voice_model.py", "", TURN),
    ("agents/voice/endpointing.py", "", TURN),
    ("agents/voice/audio_recognition.py", "AudioRecognition._run_eou_detection", TURN),
    ("plugins/speculative_stt.py", "", WORDS),
    ("agents/stt/", "", WORDS),
    ("openai/stt.py", "", WORDS),
    ("agent/models/fallback_stt.py", "", WORDS),
    ("agents/voice/audio_recognition.py", "", WORDS),
    ("agents/voice/transcription/", "", CAPTIONS),
    ("agents/voice/room_io/_output.py", "_ParticipantAudioOutput", AUDIO_OUT),
    ("agents/voice/room_io/_output.py", "", CAPTIONS),
    ("agent/call/caption_output.py", "", CAPTIONS),
    ("agents/tts/", "", VOICE),
    ("openai/tts.py", "", VOICE),
    ("agent/models/fallback_tts.py", "", VOICE),
    ("agents/tokenize/", "", VOICE),
    ("agents/voice/agent.py", "Agent.default.tts_node", VOICE),
    ("agents/llm/", "", ANSWER),
    ("agents/inference/llm.py", "", ANSWER),
    ("openai/llm.py", "", ANSWER),
    ("agent/models/fallback_llm.py", "", ANSWER),
    ("agent/brains/", "", ANSWER),
    ("agent/call/voice_output.py", "", AUDIO_OUT),
    ("agent/call/room_sink.py", "", AUDIO_OUT),
    ("rtc/audio_source.py", "", AUDIO_OUT),
    ("agents/voice/generation.py", "_audio_forwarding_task", AUDIO_OUT),
    ("agents/voice/io.py", "", AUDIO_OUT),
    ("agents/voice/remote_session.py", "", EVENTS),
    ("agent/journal/", "", RECORDS),
    ("agent/leases/", "", RECORDS),
    ("agent/metrics/", "", RECORDS),
    ("agent/usage/", "", RECORDS),
    ("agents/metrics/", "", RECORDS),
    ("agent/hosting/ffi_routing.py", "", FFI),
    ("agents/voice/", "", TALK),
    ("agents/job.py", "", TALK),
    ("agent/", "", TALK),
    ("bench/latency/stock_worker.py", "", TALK),
    ("rtc/", "", FFI),
    ("agents/ipc/", "", LOOP),
    ("asyncio/", "", LOOP),
    ("selectors.py", "", LOOP),
    ("concurrent/futures/", "", LOOP),
    ("threading.py", "", LOOP),
)
# Threads that do one thing, by the beginning of the name that Python gives them.
_THREADS = {
    "inference.vad": VAD,
    "lease": RECORDS,
    "journal": RECORDS,
    "livekit-loop-monitor": MONITOR,
    "ipc_log": LOGS,
}
# The pool of `asyncio.to_thread`: where it shows a function that is not Python's, that is the model of the turn's end.
_POOL, _IN_POOL = "asyncio_", "_WorkItem.run"
# What a callback of the event loop does stands inside of this frame.
_CALLBACK = Frame("Handle._run", "asyncio/events.py")
# Where threads sleep.
_WAITING = (
    Frame("EpollSelector.select", "selectors.py"),
    Frame("Condition.wait", "threading.py"),
    Frame("_worker", "concurrent/futures/thread.py"),
)
# Threads of liblivekit_ffi and of WebRTC in it, by the beginning of the name that the kernel shows.
_NATIVE = {
    "tokio-rt-worker": TOKIO,
    "network_thread": "WebRTC: network",
    "worker_thread": "WebRTC: worker",
    "signaling_threa": "WebRTC: signalling",
    "AudioEncoderQue": "WebRTC: encoder",
    "AudioSourceCapt": "WebRTC: audio source, 100 a second",
    "SyntheticAudioD": "WebRTC: audio device and decoder, 100 a second",
    "rtc-low-prio": "WebRTC: other",
}
WEBRTC = tuple(stage for stage in _NATIVE.values() if stage != TOKIO)


def stage_of_stack(stack: Stack) -> str:
    """What the thread was doing."""
    for name, stage in _THREADS.items():
        if stack.name.startswith(name):
            return stage
    frames = list(stack.frames)
    if frames and stack.name.startswith(_POOL) and frames[-1].function == _IN_POOL:
        return TURN
    if _CALLBACK in frames:
        inner = frames[len(frames) - frames[::-1].index(_CALLBACK) :]
        return _innermost(inner) or _whose(inner)
    return _innermost(frames) or OTHER


def waits(stack: Stack) -> bool:
    """Whether the thread had nothing to do: it was about to sleep, or had been woken and had not run yet."""
    return bool(stack.frames) and stack.frames[-1] in _WAITING


def stage_of_native(name: str) -> str:
    """What a thread that is not Python's does, by the name that the kernel shows."""
    return next((stage for prefix, stage in _NATIVE.items() if name.startswith(prefix)), OTHER_NATIVE)


def _innermost(frames: Sequence[Frame]) -> str | None:
    generic = None
    for frame in reversed(frames):
        stage = _stage_of(frame)
        if stage in (FFI, LOOP):
            generic = generic or stage
        elif stage is not None:
            return stage
    return generic


def _stage_of(frame: Frame) -> str | None:
    for file, function, stage in _RULES:
        if frame.file.startswith(file) and frame.function.startswith(function):
            return stage
    return None


def _whose(frames: Sequence[Frame]) -> str:
    """A callback of nobody we know; an empty one is the switch to it."""
    return OTHER if frames else LOOP
