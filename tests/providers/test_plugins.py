"""Models of livekit-agents' other plugins, by name; the plugin is a small package that a test puts on the path."""

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models import ConfiguredModels
from agent.models.source import check_models
from agent.settings import Settings, SettingsError, load_settings
from tests.providers.conftest import Build
from tests.providers.server import Provider

TLS = ssl.create_default_context()
PLUGIN = '''
"""A plugin as others write them: its own key, its own voice, its own way to fail."""

import os

import numpy as np
from livekit.agents import Plugin, llm, stt, tts

Plugin.register_plugin(Plugin("Acme", "1", __name__))
made = []
failing = False


def key(api_key):
    api_key = api_key or os.environ.get("ACME_API_KEY")
    if not api_key:
        raise ValueError("an API key is required: set ACME_API_KEY")
    if api_key == "wrong-key":
        raise ValueError(f"{api_key} is no key")
    return api_key


class STT(stt.STT):
    def __init__(self, *, model="small", language="fr", api_key=None):
        capabilities = stt.STTCapabilities(False, False, offline_recognize=model != "streams")
        super().__init__(capabilities=capabilities)
        made.append((model, language, key(api_key)))

    async def _recognize_impl(self, buffer, *, language=None, conn_options):
        if failing:
            raise KeyError("results")
        return stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[stt.SpeechData("en", "Acme hears.")])


class TTS(tts.TTS):
    def __init__(self, *, model="small", api_key=None):
        channels = 2 if model == "stereo" else 1
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=16000, num_channels=channels)
        made.append((model, key(api_key)))

    def synthesize(self, text, *, conn_options):
        return Speech(tts=self, input_text=text, conn_options=conn_options)


class Speech(tts.ChunkedStream):
    async def _run(self, output_emitter):
        output_emitter.initialize(request_id="a", sample_rate=16000, num_channels=1, mime_type="audio/pcm")
        output_emitter.push((8000 * np.sin(np.arange(32000) * 2 * np.pi * 600 / 16000)).astype("<i2").tobytes())
'''


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """livekit-plugins-acme is installed: it hears and speaks, and does not think. Returns a folder for a `.env`."""
    package = tmp_path / "packages" / "livekit" / "plugins" / "acme"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.delenv("ACME_API_KEY", raising=False)
    yield tmp_path
    sys.modules.pop("livekit.plugins.acme", None)


def made() -> list[tuple[str, ...]]:
    """The models that the plugin has made."""
    return list(sys.modules["livekit.plugins.acme"].made)


async def test_a_plugin_takes_its_place_in_the_list(
    acme: Path, build: Build, first: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears, in the agent's language, and whoever is next takes over, whatever error the plugin raises."""
    monkeypatch.setenv("ACME_API_KEY", "acme-key")
    stages = await build("acme", first, LLM_MODELS="first/m", language="de")
    assert await stages.hear() == "Acme hears."
    assert ("m", "de", "acme-key") in made()
    sys.modules["livekit.plugins.acme"].failing = True  # type: ignore[attr-defined]
    assert await stages.hear() == first.transcript
    assert stages.failures == [("acme/m", "KeyError")]


async def test_a_plugins_voice_of_another_rate_takes_over(
    acme: Path, build: Build, first: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says has the pitch and the length that it should have."""
    monkeypatch.setenv("ACME_API_KEY", "acme-key")
    first.base_url = "http://127.0.0.1:1/v1"
    stages = await build(first, "acme", LLM_MODELS="first/m")
    [(tone, seconds)] = await stages.speak("Yes, of course.")
    assert tone == 600
    assert seconds == pytest.approx(2.0, abs=0.1)


async def test_the_key_may_stand_in_the_env_file_alone(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin looks into the environment, where `.env` is not; it is there as long as the plugin looks."""
    (acme / ".env").write_text("STT_MODELS=acme/large\nACME_API_KEY=file-key\n")
    await check(load_settings({}, acme / ".env"))
    assert made() == [("large", "en", "file-key")]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"STT_MODELS": "nosuch/m"}, "'nosuch'.* NOSUCH_BASE_URL is not set.* install livekit-plugins-nosuch"),
        ({"LLM_MODELS": "acme/m", "ACME_API_KEY": "k"}, "acme/m: livekit-plugins-acme has no LLM"),
        (
            {"STT_MODELS": "acme/m"},
            "acme/m: livekit-plugins-acme cannot be used: an API key is required: set ACME_API_",
        ),
        ({"STT_MODELS": "acme/m", "ACME_API_KEY": "wrong-key"}, "acme/m: livekit-plugins-acme cannot be used: … is no"),
        ({"STT_MODELS": "acme/streams", "ACME_API_KEY": "k"}, "acme/streams: this model takes streams only"),
        ({"TTS_MODELS": "acme/stereo", "ACME_API_KEY": "k"}, "acme/stereo: this voice has 2 channels"),
        ({"LLM_MODELS": "openai/gpt-4.1"}, "OPENAI_API_KEY is not set$"),
    ],
)
async def test_a_model_that_cannot_be_had_is_an_error_before_any_call(
    acme: Path, env: dict[str, str], message: str
) -> None:
    """The worker does not start; the message names the model and what to do, and no key."""
    with pytest.raises(SettingsError, match=message) as caught:
        await check(load_settings(env, None))
    assert "wrong-key" not in str(caught.value)


async def check(settings: Settings) -> None:
    """What the worker does first."""
    await check_models(settings, ConfiguredModels(settings, TLS))
