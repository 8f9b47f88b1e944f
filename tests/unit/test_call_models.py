"""The models of a call: the job's before those of the settings, each with a voice that it has."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent.job import Job
from agent.models import CallModels, LocalEars, ModelClients, OpenAIModels, build_models
from agent.models.fallback_llm import FallbackLLM
from agent.models.fallback_tts import FallbackTTS
from agent.settings import load_settings
from plugins.turn_policy import LONGEST_S, SHORTEST_S


@asynccontextmanager
async def models_of(env: dict[str, str] | None = None, **members: Any) -> AsyncIterator[CallModels]:
    """The models of a job with these members, under these settings."""
    job = Job.model_validate({"conversation_id": "c", **members})
    settings = load_settings(env or {}, None)
    source = OpenAIModels(ModelClients(settings, ssl.create_default_context()))
    models = build_models(settings, job, LocalEars.load(), source)
    try:
        yield models
    finally:
        await models.aclose()


async def test_a_job_chooses_its_models() -> None:
    """What it does not say comes from the settings; a list of several falls back in its order."""
    async with models_of({"TTS_MODELS": "local/other"}, models={"llm": ["local/a", "local/b"]}) as models:
        assert isinstance(models.llm, FallbackLLM)
        assert [model.model for model in models.llm.stage.models] == ["a", "b"]
        assert models.tts.model == "other"
        assert models.stt.model == "moonshine-tiny-en"


async def test_a_stand_in_speaks_with_a_voice_that_it_has() -> None:
    """The wanted voice is the first model's; another one does not fail for it."""
    env = {"OPENAI_API_KEY": "k", "TTS_MODELS": "local/hibari,openai/tts-1"}
    async with models_of(env, agent={"voice": "heart"}) as models:
        assert isinstance(models.tts, FallbackTTS)
        voices = [model._opts.voice for model in models.tts.stage.models]  # type: ignore[attr-defined]
    assert voices == ["heart", "alloy"]


async def test_the_waits_of_a_job_stretch_those_of_the_policy() -> None:
    """Its shortest and longest stand for the policy's, and what is between keeps its place."""
    async with models_of(turn_taking={"shortest_wait_s": 0.5, "longest_wait_s": 4.0}) as models:
        limits = models.stt.limits
    assert (limits.stretched(SHORTEST_S), limits.stretched(LONGEST_S)) == (0.5, 4.0)
    assert limits.stretched((SHORTEST_S + LONGEST_S) / 2) == 2.25


@pytest.mark.parametrize(
    ("env", "job", "reads"),
    [
        ({}, {}, True),
        ({"STT_MODELS": "openai/whisper-1,local/moonshine-tiny-en", "OPENAI_API_KEY": "k"}, {}, True),
        ({"STT_MODELS": "openai/whisper-1", "OPENAI_API_KEY": "k"}, {}, False),
        (
            {
                "STT_MODELS": "openai/whisper-1",
                "OPENAI_API_KEY": "k",
                "SENTENCE_MODEL": "local/moonshine-tiny-en",
            },
            {},
            True,
        ),
        ({}, {"models": {"stt": ["local/other"]}}, False),
        ({"SENTENCE_MODEL": "local/moonshine-tiny-en"}, {"agent": {"language": "de"}}, False),
    ],
)
async def test_sentences_are_read_where_a_model_for_it_is(
    env: dict[str, str], job: dict[str, Any], reads: bool
) -> None:
    """The local recogniser reads, too, where it is one of the call's, or where the settings say so: English."""
    async with models_of(env, **job) as models:
        assert (models.stt.sentence_model is not None) == reads
