"""Every metric of the worker. docs/operations.md says what each means and what to do about it."""

from dataclasses import dataclass

from agent.metrics.instrument import Counter, Histogram

# People notice 100 ms, and call more than a second slow.
VOICE_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
DELIVERY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
DISK_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
CALL_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)

MODEL_STAGES = ("stt", "llm", "tts")

# calls
CALLS_STARTED = Counter("voice_agent_calls_started_total", "Calls that began.", {})
CALLS_ENDED = Counter(
    "voice_agent_calls_ended_total",
    "Calls that ended, by reason.",
    {
        "reason": (
            "hung up",
            "connection lost",
            "room disconnected",
            "worker stopped",
            "error",
            "crashed",
            "killed",
            "taken over",
            "another agent is in the room",
        )
    },
)
CALL_SECONDS = Histogram("voice_agent_call_seconds", "How long calls lasted.", {}, CALL_BUCKETS)
CALL_START_SECONDS = Histogram(
    "voice_agent_call_start_seconds", "From the job in its process to the agent ready to speak.", {}, VOICE_BUCKETS
)
JOBS = Counter(
    "voice_agent_jobs_total", "Jobs that LiveKit offered, by answer.", {"answer": ("accepted", "refused", "full")}
)
TAKEOVERS = Counter(
    "voice_agent_takeovers_total",
    "Calls whose agent died and was replaced, or given up.",
    {"outcome": ("taken over", "given up")},
)
WITHOUT_AGENT_SECONDS = Histogram(
    "voice_agent_without_agent_seconds",
    "From the moment when an agent's death was noticed to the next one in the room.",
    {},
    VOICE_BUCKETS,
)
CRASHED_PARTS = Counter("voice_agent_crashed_parts_total", "Parts of calls that crashed: defects.", {})

# turns
TURNS = Counter(
    "voice_agent_turns_total",
    "Utterances, by speaker and channel.",
    {"speaker": ("user", "assistant"), "channel": ("voice", "room", "chat")},
)
INTERRUPTIONS = Counter("voice_agent_interruptions_total", "Replies that were cut off by the person.", {})
TURN_LATENCY = Histogram(
    "voice_agent_turn_latency_seconds",
    "How long the stages before a reply took; total is from the end of speech to the first audio sent.",
    {"stage": ("transcription", "end_of_turn", "silence", "llm_first_token", "tts_first_byte", "total")},
    VOICE_BUCKETS,
)

# models
MODEL_FAILURES = Counter("voice_agent_model_failures_total", "Requests that a model failed.", {"stage": MODEL_STAGES})
FALLBACKS = Counter("voice_agent_fallbacks_total", "Requests that another model took over.", {"stage": MODEL_STAGES})

MODEL_OUTAGES = Counter(
    "voice_agent_model_outages_total", "Requests that no model of a stage could do.", {"stage": MODEL_STAGES}
)

# journal and thread
JOURNAL_WRITE_SECONDS = Histogram(
    "voice_agent_journal_write_seconds", "How long a turn took to be on the disk.", {}, DISK_BUCKETS
)
JOURNAL_FAILURES = Counter("voice_agent_journal_failures_total", "Reads and writes of the journal that failed.", {})
DELIVERIES = Counter(
    "voice_agent_deliveries_total",
    "Turns that the thread acknowledged, by who carried them.",
    {"carrier": ("call", "worker")},
)
DELIVERY_SECONDS = Histogram(
    "voice_agent_delivery_seconds",
    "From a turn on the disk to the thread's acknowledgement, during a call.",
    {},
    DELIVERY_BUCKETS,
)
CHAT_LINKS = Counter(
    "voice_agent_chat_links_total", "Connections to the chat, by event.", {"event": ("opened", "closed", "given up")}
)
TURNS_REFUSED = Counter(
    "voice_agent_turns_refused_total", "Turns that the chat server does not take; they stay in the journal.", {}
)

# limits
INPUTS_REFUSED = Counter(
    "voice_agent_inputs_refused_total",
    "What came from outside and was over a limit.",
    {
        "input": (
            "room text rate",
            "room text length",
            "room text incomplete",
            "typed text rate",
            "typed text length",
            "chat frame",
        )
    },
)

# of the metrics themselves
SAMPLES_LOST = Counter(
    "voice_agent_samples_lost_total", "Samples that did not reach the worker.", {"why": ("full", "unreadable")}
)

INSTRUMENTS: tuple[Counter | Histogram, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Counter | Histogram)
)


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the worker knows of itself at the moment when it is asked."""

    name: str
    help: str


CALLS_RUNNING = Gauge("voice_agent_calls_running", "Calls that run now.")
LOAD = Gauge("voice_agent_load", "Share of the CPU that is used or spoken for by calls just accepted.")
LOAD_LIMIT = Gauge("voice_agent_load_limit", "Share of the CPU from which on no new call is taken.")
READY = Gauge("voice_agent_ready", "1 while LiveKit may send calls here.")
DRAINING = Gauge("voice_agent_draining", "1 after SIGTERM.")
OUTBOX_TURNS = Gauge("voice_agent_outbox_turns", "Turns that the thread has not acknowledged.")
OUTBOX_AGE = Gauge("voice_agent_outbox_age_seconds", "How long the oldest of them has waited.")

GAUGES: tuple[Gauge, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Gauge))
