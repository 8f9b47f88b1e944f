"""The voices that are known without asking: those of OpenAI and of the local speech model, which takes OpenAI's too."""

from agent.providers import is_plugin
from agent.settings import WELL_KNOWN_BASE_URLS, ModelRef, Settings

# Source: `openai.types.audio.speech_create_params`, openai 3.
OPENAI_VOICES = frozenset(
    ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse")
)
USUAL_VOICE = "alloy"


def is_known_voice(settings: Settings, ref: ModelRef, voice: str) -> bool:
    """Whether a model may have a voice; where nobody can tell, it may. Takes up to half a second the first time.

    Raises:
        SettingsError: the model's provider is not configured.
    """
    if voice in OPENAI_VOICES:
        return True
    if is_plugin(settings, ref.provider):
        return True
    base_url = settings.provider(ref.provider).base_url
    if base_url == WELL_KNOWN_BASE_URLS["openai"]:
        return False
    if ref.provider == "local" and "local" not in settings.providers:
        try:
            from agent.dev.models.voices import installed_voices
        except ImportError:  # a worker alone has no embedded models
            return True
        return voice.strip().lower() in installed_voices()
    return True
