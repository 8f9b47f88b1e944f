"""The job specification: what a dispatch says about one call, parsed at the border into one frozen object."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

MAX_METADATA_BYTES = 64 * 1024
CONVERSATION_ID = r"^[A-Za-z0-9_-]{1,128}$"
DEFAULT_INSTRUCTIONS = (
    "You are a helpful voice assistant. The person talks to you and types to you in one conversation. "
    "Answer in one or two short sentences that sound natural when spoken, without lists or markup."
)
DEFAULT_GREETING = "Hello! You can talk to me or type, it is all one conversation."
UNPOD_IGNORED = ("space_token", "post_slug", "call_type", "contact_number", "data", "model_config")

ShortText = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
LongText = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")]


class JobError(ValueError):
    """A job's metadata cannot be used; the message names the key and never its value."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class JobUser(_Strict):
    """The person of the call."""

    id: ShortText = ""
    name: ShortText = ""
    token: SecretStr | None = None


class JobAgent(_Strict):
    """How the agent presents itself."""

    name: ShortText = "Assistant"
    instructions: LongText = DEFAULT_INSTRUCTIONS
    greeting: LongText = DEFAULT_GREETING
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")] = "en"
    voice: ShortText = ""


class Job(_Strict):
    """Everything that a dispatch may say about one call."""

    conversation_id: Annotated[str, StringConstraints(pattern=CONVERSATION_ID)]
    user: JobUser = Field(default_factory=JobUser)
    agent: JobAgent = Field(default_factory=JobAgent)
    brain: Literal["llm"] | None = None
    modality: Literal["text_audio"] = "text_audio"


class _UnpodUser(_Strict):
    id: ShortText | int = ""
    user_token: SecretStr | None = None
    full_name: ShortText = ""


class _UnpodJob(_Strict):
    thread_id: Annotated[str, StringConstraints(pattern=CONVERSATION_ID)] | int
    user: _UnpodUser = Field(default_factory=_UnpodUser)
    multimodality: Literal["text_audio"] = "text_audio"
    agent_handle: ShortText = ""
    contact_name: ShortText = ""

    def to_job(self) -> Job:
        user = JobUser(id=str(self.user.id), name=self.user.full_name or self.contact_name, token=self.user.user_token)
        agent = JobAgent(name=self.agent_handle) if self.agent_handle else JobAgent()
        return Job(conversation_id=str(self.thread_id), user=user, agent=agent, modality=self.multimodality)


def parse_job(metadata: str) -> Job:
    """Parse the metadata of a dispatch: ours, or Unpod's keys (known by `thread_id`; CHAT_PROTOCOL, job metadata).

    Raises:
        JobError: the metadata is too large, no JSON object, or has an unknown, doubled or wrong key, which is named.
    """
    if len(metadata.encode("utf-8", "surrogatepass")) > MAX_METADATA_BYTES:
        raise JobError(f"job metadata is larger than {MAX_METADATA_BYTES} bytes")
    try:
        data = json.loads(metadata, object_pairs_hook=_without_doubled_keys)
    except JobError:
        raise
    except (ValueError, RecursionError):
        raise JobError("job metadata is not JSON") from None
    if not isinstance(data, dict):
        raise JobError("job metadata must be a JSON object")
    try:
        if "thread_id" in data:
            return _UnpodJob.model_validate({k: v for k, v in data.items() if k not in UNPOD_IGNORED}).to_job()
        return Job.model_validate(data)
    except ValidationError as error:
        raise JobError(
            "job metadata: " + "; ".join(_describe(e["loc"], e["type"], e["msg"]) for e in error.errors())
        ) from None


def _without_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise JobError(f"job metadata: key {_quoted(key)} stands twice")
        result[key] = value
    return result


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = _quoted(".".join(str(part) for part in location))
    if kind == "extra_forbidden":
        return f"unknown key {key}"
    if kind == "missing":
        return f"missing key {key}"
    return f"key {key}: {message}"


def _quoted(key: str) -> str:
    return repr(key if len(key) <= 100 else key[:100] + "…")
