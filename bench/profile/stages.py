"""What a callback, or a thread, is for in a call: its stage; pure.

A rule is the beginning of a file's path, and the beginning of a function's name. The innermost function for which there
is a rule decides, so that a request by HTTP belongs to whoever makes it. Libraries that everybody uses have no rule.
"""

from collections.abc import Sequence

from bench.profile.work import Frame

AUDIO_IN = "sound in: frames, resampling, gain"
VAD = "voice activity (VAD)"
TURN = "end of turn"
WORDS = "words (STT)"
ANSWER = "answer (LLM)"
VOICE = "voice (TTS)"
AUDIO_OUT = "sound out"
CAPTIONS = "captions"
EVENTS = "session events sent into the room"
TALK = "session, conversation, manners"
RECORDS = "journal, leases, metrics"
LOGS = "logs, traces"
MONITOR = "loop monitor"
FFI = "FFI, room events"
LOOP = "event loop: waking, sleeping, switching"
OTHER = "other callbacks"
WORKER = "worker's main process"
TOKIO = "tokio: FFI events, signalling"
OTHER_NATIVE = "other native threads"

_AGENTS, _SESSION = "livekit/agents/", "livekit/agents/voice/"
_RECOGNITION = f"{_SESSION}audio_recognition.py"
_RULES = (
    (f"{_AGENTS}telemetry/loop_monitor.py", "", MONITOR),
    (f"{_AGENTS}telemetry/", "", LOGS),
    (f"{_AGENTS}ipc/log_queue.py", "", LOGS),
    ("opentelemetry/", "", LOGS),
    ("agent/tracing/", "", LOGS),
    ("livekit/rtc/audio_stream.py", "", AUDIO_IN),
    (f"{_SESSION}room_io/_input.py", "", AUDIO_IN),
    (f"{_SESSION}agent_session.py", "AgentSession._forward_audio_task", AUDIO_IN),
    (f"{_SESSION}agent.py", "Agent.default.stt_node.<locals>._forward_input", AUDIO_IN),
    (f"{_RECOGNITION}", "_STTPipeline._audio_input", AUDIO_IN),
    (f"{_RECOGNITION}", "AudioRecognition._vad_task", VAD),
    (f"{_AGENTS}stt/stream_adapter.py", "StreamAdapterWrapper._run.<locals>._forward_input", VAD),
    (f"{_AGENTS}inference/vad.py", "", VAD),
    (f"{_AGENTS}vad.py", "", VAD),
    ("livekit/local_inference", "VAD", VAD),
    ("agent/brains/assistant.py", "Unheard", AUDIO_IN),
    # One callback takes a frame out of the native library and through the VAD, which is the most of it.
    ("agent/call/room_hearing.py", "TrackFrames._arrived", VAD),
    ("agent/call/room_hearing.py", "", AUDIO_IN),
    ("plugins/shared_vad.py", "", VAD),
    ("plugins/speech_finder.py", "", VAD),
    ("livekit/local_inference", "", TURN),
    (f"{_AGENTS}inference/eot/", "", TURN),
    (f"{_SESSION}endpointing.py", "", TURN),
    (f"{_RECOGNITION}", "AudioRecognition._run_eou_detection", TURN),
    ("plugins/voice_model.py", "", TURN),
    ("plugins/turn_", "", TURN),
    ("plugins/speculative_stt.py", "SpeculativeStream._hear_voice", TURN),
    ("plugins/speculative_stt.py", "", WORDS),
    (f"{_AGENTS}stt/", "", WORDS),
    (f"{_RECOGNITION}", "", WORDS),
    ("livekit/plugins/openai/stt.py", "", WORDS),
    ("agent/models/fallback_stt.py", "", WORDS),
    (f"{_SESSION}transcription/", "", CAPTIONS),
    (f"{_SESSION}room_io/_output.py", "_ParticipantAudioOutput", AUDIO_OUT),
    (f"{_SESSION}room_io/_output.py", "", CAPTIONS),
    ("agent/call/caption_output.py", "", CAPTIONS),
    ("agent/call/spoken_words.py", "", CAPTIONS),
    (f"{_AGENTS}tts/", "", VOICE),
    (f"{_AGENTS}tokenize/", "", VOICE),
    (f"{_SESSION}agent.py", "Agent.default.tts_node", VOICE),
    ("livekit/plugins/openai/tts.py", "", VOICE),
    ("agent/models/fallback_tts.py", "", VOICE),
    (f"{_AGENTS}llm/", "", ANSWER),
    (f"{_AGENTS}inference/llm.py", "", ANSWER),
    ("livekit/plugins/openai/llm.py", "", ANSWER),
    ("agent/models/fallback_llm.py", "", ANSWER),
    ("agent/brains/", "", ANSWER),
    ("agent/call/voice_output.py", "", AUDIO_OUT),
    ("agent/call/room_sink.py", "", AUDIO_OUT),
    ("livekit/rtc/audio_source.py", "", AUDIO_OUT),
    (f"{_SESSION}generation.py", "_audio_forwarding_task", AUDIO_OUT),
    (f"{_SESSION}io.py", "", AUDIO_OUT),
    (f"{_SESSION}remote_session.py", "", EVENTS),
    ("agent/journal/", "", RECORDS),
    ("agent/leases/", "", RECORDS),
    ("agent/metrics/", "", RECORDS),
    ("agent/usage/", "", RECORDS),
    ("agent/hosting/", "", LOOP),
    (_SESSION, "", TALK),
    (f"{_AGENTS}job.py", "", TALK),
    ("agent/", "", TALK),
    ("bench/latency/stock_worker.py", "", TALK),
    ("livekit/rtc/", "", FFI),
    (f"{_AGENTS}ipc/", "", LOOP),
    ("asyncio/", "", LOOP),
    ("concurrent/futures/", "", LOOP),
)
# Threads that do one thing, by the beginning of the name that Python gives them.
_THREADS = {
    "inference.vad": VAD,
    "lease": RECORDS,
    "journal": RECORDS,
    "livekit-loop-monitor": MONITOR,
    "ipc_log": LOGS,
    "OtelBatch": LOGS,
}
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


def stage_of_work(frames: Sequence[Frame]) -> str:
    """What a callback is for; the frames are from the outermost to the innermost."""
    general: str | None = None
    for frame in reversed(frames):
        stage = _stage_of(frame)
        if stage == FFI or (stage == LOOP and general is None):
            general = stage
        elif stage not in (None, LOOP):
            return stage
    return general or OTHER


def stage_of_thread(name: str) -> str | None:
    """What a Python thread is for that does nothing else; None for an event loop, or a pool of several purposes."""
    return next((stage for prefix, stage in _THREADS.items() if name.startswith(prefix)), None)


def stage_of_native(name: str) -> str:
    """What a thread that is not Python's does, by the name that the kernel shows."""
    return next((stage for prefix, stage in _NATIVE.items() if name.startswith(prefix)), OTHER_NATIVE)


def _stage_of(frame: Frame) -> str | None:
    for file, function, stage in _RULES:
        if frame.file.startswith(file) and frame.function.startswith(function):
            return stage
    return None
