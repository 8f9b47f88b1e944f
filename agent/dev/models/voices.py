"""The voices that can be asked for: Hibari's that are on this machine, and OpenAI's names for the default one."""

from pathlib import Path

from hibari.voices import DEFAULT, VOICES, voice_path

from agent.dev.models.errors import ApiError
from agent.voices import OPENAI_VOICES


def installed_voices() -> dict[str, Path]:
    """Voices by name, each with its weights. One is in the wheel; others only if their owner put them in the cache.

    Nothing is downloaded here, as Hibari itself would do.
    """
    found: dict[str, Path] = {}
    for name in VOICES:
        try:
            found[name] = Path(voice_path(name, download_missing=False))
        except FileNotFoundError:
            continue
    return found


def resolve_voice(name: str, installed: frozenset[str]) -> str:
    """The voice to speak with; raises ApiError naming those that there are."""
    wanted = name.strip().lower()
    if wanted in installed:
        return wanted
    if wanted in OPENAI_VOICES:
        return str(DEFAULT)
    known = f"{', '.join(sorted(installed))}; these OpenAI names mean {DEFAULT!r}: {', '.join(sorted(OPENAI_VOICES))}"
    raise ApiError(
        f"voice {name[:50]!r} is not installed here. There are: {known}", param="voice", code="unknown_voice"
    )
