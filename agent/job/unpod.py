"""Unpod's job metadata as it is, mapped onto ours (CHAT_PROTOCOL, job metadata)."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from agent.job.metadata import WHAT
from agent.job.problems import JobError, describe
from agent.job.texts import CONVERSATION_ID, PROFILE_NAME, ShortText, Strict, Token

KNOWN_BY = "thread_id"
IGNORED = ("space_token", "post_slug", "call_type", "contact_number", "data", "model_config")


def _text(value: Any) -> Any:
    """Unpod's ids are numbers or text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _thread_id(text: str) -> str:
    if not re.fullmatch(CONVERSATION_ID, text):
        raise ValueError("must be a whole number, or 1 to 128 letters, digits, _ and -")
    return text


class _User(Strict):
    id: Annotated[ShortText, BeforeValidator(_text)] = ""
    user_token: Token | None = None
    full_name: ShortText = ""


class _Metadata(Strict):
    thread_id: Annotated[str, BeforeValidator(_text), AfterValidator(_thread_id)]
    user: _User = Field(default_factory=_User)
    multimodality: Literal["text_audio", "text"] = "text_audio"
    agent_handle: ShortText = ""
    contact_name: ShortText = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Unpod's metadata in our terms.

    Args:
        members: of the job.
        handle: the agent's handle; with a profile of this name the call is made with it, else it is the agent's name.
    """

    members: dict[str, Any]
    handle: str

    @property
    def profile(self) -> str:
        """The name of the profile that the handle could be; "" when no profile can be called so."""
        return self.handle if re.fullmatch(PROFILE_NAME, self.handle) else ""


def from_unpod(data: dict[str, Any]) -> Mapped:
    """Map Unpod's keys; those of its own services are taken and not used.

    Raises:
        JobError: a key is unknown or wrong; it is named as Unpod has it.
    """
    try:
        given = _Metadata.model_validate({key: value for key, value in data.items() if key not in IGNORED})
    except ValidationError as error:
        raise JobError(f"{WHAT}: {describe(error, _Metadata)}") from None
    user = {"id": given.user.id, "name": given.user.full_name or given.contact_name, "token": given.user.user_token}
    members = {"conversation_id": given.thread_id, "user": user, "modality": given.multimodality}
    return Mapped(members, given.agent_handle)
