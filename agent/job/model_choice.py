"""The models and the voice of a job against what this worker has, found out before the call's first words."""

from agent.job.problems import JobError
from agent.job.spec import Job
from agent.providers import is_plugin
from agent.settings import KINDS, ModelKind, ModelRef, Settings, SettingsError
from agent.voices import is_known_voice


def models_of(job: Job, settings: Settings, kind: ModelKind) -> tuple[ModelRef, ...]:
    """The models of a call in the order in which they are tried: the job's, else those of the settings."""
    chosen: tuple[ModelRef, ...] = getattr(job.models, kind)
    return chosen or settings.models(kind)


def check_models(job: Job, settings: Settings) -> None:
    """Raise a JobError that names the key when the job asks for a provider or a voice that is not there.

    A voice is known where the first text-to-speech model is OpenAI's or the embedded one. Takes up to half a second.
    """
    for kind in KINDS:
        for number, ref in enumerate(getattr(job.models, kind), 1):
            try:
                is_plugin(settings, ref.provider)
            except SettingsError:
                there = ", ".join(sorted({"local", *settings.providers}))
                raise JobError(
                    f"job metadata: key 'models.{kind}': entry {number} names a provider that is not configured "
                    f"(there are: {there})"
                ) from None
    if job.agent.voice and not is_known_voice(settings, models_of(job, settings, "tts")[0], job.agent.voice):
        raise JobError("job metadata: key 'agent.voice': the first text-to-speech model has no such voice")
