"""The session of livekit-agents for one call: which of its behaviours we choose (docs/livekit-agents.md says why)."""

from livekit.agents import NOT_GIVEN, AgentSession

from agent.models import CallModels


def create_session(models: CallModels, *, with_model: bool, interruptions: bool = True) -> AgentSession[None]:
    """A session that is not started yet.

    Args:
        models: what hears, thinks and speaks.
        with_model: whether the language model answers; else nobody does but whoever calls `say`.
        interruptions: whether the agent stops when the person speaks.
    """
    return AgentSession(
        vad=models.vad,
        stt=models.stt,
        llm=models.llm if with_model else NOT_GIVEN,
        tts=models.tts,
        turn_handling={
            # The end of a turn is decided in plugins/turn_tracker.py, and its final transcript comes then.
            "turn_detection": "vad",
            "endpointing": {"min_delay": 0.0, "max_delay": 0.0},
            # "adaptive" would call LiveKit Cloud (DESIGN §7). The agent stops at the first sound, and goes on where it
            # stopped when no words to it are heard within the time-out after it.
            "interruption": {
                "enabled": interruptions,
                "mode": "vad",
                "min_duration": 0.06,  # two windows of the VAD; of coughs and doors it takes next to nothing for speech
                "false_interruption_timeout": 0.5,
            },
            "preemptive_generation": {
                "enabled": with_model,
                "preemptive_tts": with_model,
                "max_speech_duration": 120.0,
                "max_retries": 8,
            },
        },
        aec_warmup_duration=None,
        user_away_timeout=None,
    )
