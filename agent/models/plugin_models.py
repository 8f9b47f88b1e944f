"""Models of livekit-agents' other plugins, by the plugin's name: `deepgram/nova-3`.

No plugin is a dependency of this project: whoever names one installs it.
"""

import inspect
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from livekit.agents import llm, stt, tts
from pydantic import SecretStr

from agent.providers import load_plugin
from agent.settings import ModelRef, SettingsError

ClassName = Literal["STT", "LLM", "TTS"]
BASES: Mapping[ClassName, type] = {"STT": stt.STT, "LLM": llm.LLM, "TTS": tts.TTS}


class PluginModels:
    """Makes models of installed plugins; see `ModelSource`.

    Args:
        api_keys: the keys of the settings by variable (`DEEPGRAM_API_KEY`). A plugin looks for its own in the
            environment; a key that stands in `.env` alone is there while it looks.
    """

    def __init__(self, api_keys: Mapping[str, SecretStr]) -> None:
        self._api_keys = {name: key.get_secret_value() for name, key in api_keys.items()}

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        """See `ModelSource`."""
        made: stt.STT[Any] = self._make(ref, "STT", {"language": language, **_terms(key_terms)})
        if not made.capabilities.offline_recognize:
            raise SettingsError(f"{ref}: this model takes streams only, but here whole utterances are recognised")
        return made

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        """See `ModelSource`."""
        made: llm.LLM[Any] = self._make(ref, "LLM", {})
        return made

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        """See `ModelSource`."""
        made: tts.TTS[Any] = self._make(ref, "TTS", {"voice": voice} if voice else {})
        if made.num_channels != 1:
            raise SettingsError(f"{ref}: this voice has {made.num_channels} channels, but a call has one")
        return made

    def _make(self, ref: ModelRef, class_name: ClassName, wishes: Mapping[str, object]) -> Any:
        package = f"livekit-plugins-{ref.provider}"
        kind: Any = getattr(load_plugin(ref.provider), class_name, None)
        is_one = isinstance(kind, type) and issubclass(kind, BASES[class_name])
        if not is_one:
            raise SettingsError(f"{ref}: {package} has no {class_name}")
        accepted = inspect.signature(kind).parameters
        if "model" not in accepted:
            raise SettingsError(f"{ref}: the {class_name} of {package} cannot be told which model to use")
        if (key := self._api_keys.get(f"{ref.provider.upper()}_API_KEY")) is not None:
            wishes = {**wishes, "api_key": key}
        chosen = {name: value for name, value in wishes.items() if name in accepted}
        try:
            with _in_environment(self._api_keys):
                return kind(model=ref.model, **chosen)
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything; what it says is told
            raise SettingsError(f"{ref}: {package} cannot be used: {self._without_secrets(str(error))}") from None

    def _without_secrets(self, message: str) -> str:
        for key in filter(None, self._api_keys.values()):
            message = message.replace(key, "…")
        return message.partition("\n")[0]


def _terms(key_terms: Sequence[str]) -> dict[str, object]:
    """Under the names that plugins have for them: a model takes the one that it knows."""
    return {"keyterms": list(key_terms), "keyterm": list(key_terms)} if key_terms else {}


# The calls of a process are threads.
_environment = threading.Lock()


@contextmanager
def _in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the variables that the environment lacks, for a moment."""
    with _environment:
        missing = {name: value for name, value in variables.items() if name not in os.environ}
        os.environ.update(missing)
        try:
            yield
        finally:
            for name in missing:
                del os.environ[name]
