"""Where the models of a call come from: an endpoint that speaks the OpenAI API, or a plugin of livekit-agents."""

import ssl
from collections.abc import Sequence
from typing import Any, Protocol

from livekit.agents import NOT_GIVEN, llm, stt, tts
from livekit.plugins import openai

from agent.models.clients import ModelClients
from agent.models.plugin_models import PluginModels
from agent.models.sentence_models import RemoteSentenceModel
from agent.providers import is_plugin
from agent.settings import ModelRef, Settings, SettingsError
from agent.voices import USUAL_VOICE
from plugins.sentence_model import SentenceModel


class ModelMaker(Protocol):
    """Makes models. Each method raises SettingsError when a model cannot be had."""

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        """What hears; `language` is the language alone, such as `en`, and `key_terms` are words that may come up."""

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        """What thinks."""

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        """What speaks; an empty `voice` means the model's own."""


class ModelSource(ModelMaker, Protocol):
    """Makes the models of a call; it closes what they share."""

    def sentence_model(self, ref: ModelRef) -> SentenceModel:
        """What reads how finished a sentence is."""

    async def aclose(self) -> None:
        """Let go of connections and weights."""


class OpenAIModels:
    """Models behind the OpenAI API; see `ModelSource`.

    Args:
        clients: one for each provider.
    """

    def __init__(self, clients: ModelClients) -> None:
        self._clients = clients

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        """See `ModelSource`."""
        return openai.STT(
            model=ref.model,
            language=language,
            # The API of whole files knows no list of words: names in the prompt are spelt as they stand there.
            prompt=", ".join(key_terms) if key_terms else NOT_GIVEN,
            client=self._clients.of(ref.provider),
            use_realtime=False,
        )

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        """See `ModelSource`."""
        return openai.LLM(model=ref.model, client=self._clients.of(ref.provider))

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        """See `ModelSource`."""
        return openai.TTS(
            model=ref.model,
            voice=voice or USUAL_VOICE,
            client=self._clients.of(ref.provider),
            # PCM needs no decoder, whose first frame comes late.
            response_format="pcm",
        )

    def sentence_model(self, ref: ModelRef) -> RemoteSentenceModel:
        """See `ModelSource`."""
        return RemoteSentenceModel(self._clients.of(ref.provider), ref.model)

    async def aclose(self) -> None:
        """See `ModelSource`."""
        await self._clients.aclose()


class ConfiguredModels:
    """Models as the settings name them; see `ModelSource`.

    A provider whose address is known speaks the OpenAI API; any other is the name of an installed plugin.

    Args:
        settings: where the providers are.
        tls: see `ModelClients`.
    """

    def __init__(self, settings: Settings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._openai = OpenAIModels(ModelClients(settings, tls))
        self._plugins = PluginModels(settings.api_keys)

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        """See `ModelSource`."""
        return self._maker(ref).stt(ref, language, key_terms)

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        """See `ModelSource`."""
        return self._maker(ref).llm(ref)

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        """See `ModelSource`."""
        return self._maker(ref).tts(ref, voice)

    def sentence_model(self, ref: ModelRef) -> RemoteSentenceModel:
        """See `ModelSource`; no plugin has one."""
        if is_plugin(self._settings, ref.provider):
            raise SettingsError(f"SENTENCE_MODEL: {ref}: only the local models (agent serve models) have one")
        return self._openai.sentence_model(ref)

    async def aclose(self) -> None:
        """See `ModelSource`."""
        await self._openai.aclose()

    def _maker(self, ref: ModelRef) -> ModelMaker:
        return self._plugins if is_plugin(self._settings, ref.provider) else self._openai


async def check_models(settings: Settings, source: ModelSource) -> None:
    """Make each model that the settings name once, without asking it anything, and close the source.

    Raises:
        SettingsError: one cannot be had.
    """
    try:
        made: list[stt.STT[Any] | llm.LLM[Any] | tts.TTS[Any]] = []
        made += [source.stt(ref, "en") for ref in settings.models("stt")]
        made += [source.llm(ref) for ref in settings.models("llm")]
        made += [source.tts(ref, "") for ref in settings.models("tts")]
        for model in made:
            await model.aclose()
        if settings.sentence_model is not None:
            source.sentence_model(settings.sentence_model)
    finally:
        await source.aclose()
