"""The models of a call, and how the next takes over when one fails.

`call_models` builds them from the settings; `source` makes each, over the OpenAI API or from a plugin. A `stage` gives
each request to the first model that can do it, by its `roster`; `fallback_stt`, `fallback_llm` and `fallback_tts` make
one model of several for the session. docs/providers.md says what happens on which failure.
"""

from agent.models.call_models import CallModels, LocalEars, build_models, describe_models
from agent.models.clients import ModelClients
from agent.models.failure import NoApiAnswer
from agent.models.source import ConfiguredModels, ModelSource, OpenAIModels

__all__ = [
    "CallModels",
    "ConfiguredModels",
    "LocalEars",
    "ModelClients",
    "ModelSource",
    "NoApiAnswer",
    "OpenAIModels",
    "build_models",
    "describe_models",
]
