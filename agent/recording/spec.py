"""What a profile or a dispatch may ask of a recording."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

# The tool's name; no tool of a profile that asks for it may have the same.
PAUSE_TOOL = "sensitive_input"
LONGEST_ANNOUNCEMENT = 500
Announcement = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_ANNOUNCEMENT, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class RecordingSpec(BaseModel):
    """Whether and how the call is recorded; docs/recording.md says what is promised about it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    enabled: bool = False
    """Whether the call is recorded."""
    announce: Announcement | None = None
    """What the agent says before anything is recorded; left out: a sentence in its language."""
    keep_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days after which the recording is deleted, not more than RECORDING_DAYS; left out: RECORDING_DAYS."""
    pause_tool: bool = False
    """Whether the language model gets the tool `sensitive_input`, which pauses the recording while something private
    is said."""

    @field_validator("announce")
    @classmethod
    def _no_template(cls, announce: str | None) -> str | None:
        if announce is not None and ("{{" in announce or not announce.strip()):
            raise ValueError("must be a sentence, and is no template")
        return announce
