"""What manners need of models: the language that was heard, what it all costs, and words that are to be known."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import rtc
from livekit.agents import NOT_GIVEN, APIConnectOptions, LanguageCode, NotGivenOr, llm, stt, tts
from livekit.agents.utils import AudioBuffer

from agent.job import Job, parse_job
from agent.manners.limits import Limit
from agent.manners.manners import SILENCE
from agent.models import CallModels, ConfiguredModels, ModelSource
from agent.phrases import Phrase, say
from agent.replay.performance import Performance, ReplayedCall
from agent.replay.sound import Recording, load_sound
from agent.replay.studio import Studio
from agent.settings import ModelRef, load_settings
from plugins.sentence_model import SentenceModel
from tests.support.recordings import RECORDINGS

SPOKEN = RECORDINGS["sense_and_sensibility_0930"]
GERMAN = "Guten Tag, ich habe eine Frage."
PRICES = """
["local/hibari"]
per_million_characters = 1000
["local/moonshine-tiny-en"]
free = true
["local/responder"]
free = true
"""


class GermanEars(stt.STT[Any]):
    """A recogniser that tells the language; whatever it hears is German."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        heard = stt.SpeechData(language=LanguageCode("de"), text=GERMAN)
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[heard])


class WithGermanEars:
    """The models of another source, but for what hears."""

    def __init__(self, source: ModelSource) -> None:
        self._source = source

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        return GermanEars()

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        return self._source.llm(ref)

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        return self._source.tts(ref, voice)

    def sentence_model(self, ref: ModelRef) -> SentenceModel:
        return self._source.sentence_model(ref)

    async def aclose(self) -> None:
        await self._source.aclose()


class GermanStudio(Studio):
    """Replays with those."""

    def _source(self) -> ModelSource:
        return WithGermanEars(super()._source())


def perform(studio: Studio, job: Job, env: dict[str, str]) -> Performance:
    """A call with one spoken turn; it ends when the agent hangs up."""
    settings = load_settings(env, env_file=None)
    recording = load_sound(SPOKEN.path)

    async def run(models: CallModels) -> Performance:
        call = ReplayedCall(settings, job, models, Quiet(recording))
        return await call.run(greet=False)

    with studio:
        return studio.perform(job, run)


class Quiet(Recording):
    """A recording with silence after it that never ends."""

    @property
    def exhausted(self) -> bool:
        return False


@pytest.mark.usefixtures("jumping_time")
def test_the_agents_own_sentences_are_in_the_language_that_was_heard() -> None:
    """The job is English, the recogniser hears German: so does the agent ask, and say goodbye."""
    job = parse_job('{"conversation_id": "c", "silence": {"prompt_after_s": 4, "prompts": 1}}')
    performance = perform(GermanStudio(load_settings({}, env_file=None), fast=True), job, {})
    texts = [turn.text for turn in performance.turns]
    assert texts[0] == GERMAN
    assert texts[-2:] == [say(Phrase.STILL_THERE, "de"), say(Phrase.NOBODY_THERE, "de")]
    assert performance.hung_up is not None
    assert performance.hung_up[1] == SILENCE


@pytest.mark.usefixtures("jumping_time")
def test_a_call_that_costs_too_much_ends(tmp_path: Path) -> None:
    """The answer was too dear: it is said to its end, and then goodbye."""
    (tmp_path / "prices.toml").write_text(PRICES)
    env = {"PRICES_FILE": str(tmp_path / "prices.toml")}
    job = parse_job('{"conversation_id": "c", "limits": {"max_cost": 0.02}}')
    performance = perform(Studio(load_settings(env, env_file=None), fast=True), job, env)
    said, answer, goodbye = (turn.text for turn in performance.turns)
    assert answer == f"You said: {said}"
    assert goodbye == say(Phrase.OUT_OF_TIME, "en")
    assert not any(turn.interrupted for turn in performance.turns)
    assert performance.hung_up is not None
    assert performance.hung_up[1] == Limit.COST.value


@asynccontextmanager
async def listening(forms: list[dict[str, str]]) -> AsyncIterator[str]:
    """A server with OpenAI's transcription that keeps the fields of each request; yields its address."""

    async def transcribe(request: web.Request) -> web.Response:
        form = await request.post()
        forms.append({name: value for name, value in form.items() if isinstance(value, str)})
        return web.json_response({"text": "hello"})

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


@pytest.mark.parametrize(("terms", "prompt"), [(("Hibari", "Dr. Nguyễn"), "Hibari, Dr. Nguyễn"), ((), None)])
async def test_key_terms_are_told_to_the_recogniser(terms: tuple[str, ...], prompt: str | None) -> None:
    """As the prompt of OpenAI's API; without terms there is none."""
    forms: list[dict[str, str]] = []
    async with listening(forms) as base_url:
        settings = load_settings({"ACME_BASE_URL": base_url, "ACME_API_KEY": "k"}, env_file=None)
        source = ConfiguredModels(settings, ssl.create_default_context())
        recogniser = source.stt(ModelRef.parse("acme/hear"), "en", terms)
        await recogniser.recognize(rtc.AudioFrame(bytes(32_000), 16_000, 1, 16_000))
        await recogniser.aclose()
        await source.aclose()
    assert [form.get("prompt") for form in forms] == [prompt]
