"""The job specification: what may be said about one call, by its dispatch and by the profile that it names.

The texts under the members are the documentation: the JSON Schemas and docs/configuration.md are made of them by
`python -m agent schema --write`.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from agent.job.texts import (
    ConversationId,
    Language,
    ProfileName,
    ShortText,
    Strict,
    Template,
    Token,
    Variable,
    VariableName,
)
from agent.recording.spec import PAUSE_TOOL, RecordingSpec
from agent.settings import ModelRef
from agent.summary.spec import SummarySpec
from agent.tools.spec import McpServerSpec, ToolSpec, ToolSpecs
from agent.webhook.spec import WebhookSpec
from plugins.turn_policy import LONGEST_S, SHORTEST_S

DEFAULT_INSTRUCTIONS = (
    "You are a helpful voice assistant. The person talks to you and types to you in one conversation. "
    "Answer in one or two short sentences that sound natural when spoken, without lists or markup."
)
DEFAULT_GREETING = "Hello! You can talk to me or type, it is all one conversation."
MOST_MODELS = 8
MOST_KEY_TERMS = 100
MOST_VARIABLES = 50
LONGEST_REF = 200


def _parse_refs(value: object) -> object:
    """A list of `provider/model`; what is no text is left for pydantic to refuse."""
    if not isinstance(value, list):
        return value
    refs = []
    for number, text in enumerate(value, 1):
        try:
            refs.append(ModelRef.parse(text if isinstance(text, str) and len(text) <= LONGEST_REF else ""))
        except ValueError:
            raise ValueError(
                f"entry {number} is not provider/model, such as local/responder or openai/gpt-4.1-mini"
            ) from None
    return tuple(refs)


ModelList = Annotated[
    tuple[ModelRef, ...],
    Field(min_length=1, max_length=MOST_MODELS),
    BeforeValidator(_parse_refs),
    PlainSerializer(lambda refs: [str(ref) for ref in refs]),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-z][a-z0-9_]*/.+$", "maxLength": LONGEST_REF},
            "minItems": 1,
            "maxItems": MOST_MODELS,
        }
    ),
]


class JobUser(Strict):
    """The person of the call."""

    id: ShortText = ""
    """Who it is in your system. Without a token, the chat knows an anonymous person by it."""
    name: ShortText = ""
    """How the agent may call the person; a template finds it as `{{user.name}}`."""
    token: Token | None = None
    """The person's own token for the chat; without it the worker's CHAT_TOKEN is used. Never shown or logged."""


class JobAgent(Strict):
    """How the agent presents itself."""

    name: ShortText = "Assistant"
    """Its name, shown in the room."""
    instructions: Template = DEFAULT_INSTRUCTIONS
    """What the language model is told first. A template."""
    greeting: Template = DEFAULT_GREETING
    """What the agent says first; empty: it waits for the person. A template."""
    language: Language = "en"
    """The language of the call, as a tag such as `de` or `pt-BR`: what is heard, and what the agent says by itself."""
    voice: ShortText = ""
    """The voice of the first text-to-speech model; empty: TTS_VOICE, else that model's usual one."""
    may_end_call: bool = True
    """Whether the language model may say goodbye and hang up by itself."""
    key_terms: Annotated[tuple[ShortText, ...], Field(strict=False, max_length=MOST_KEY_TERMS)] = ()
    """Names and words that recognition should know, where its model can be told (docs/manners.md says which can)."""

    @property
    def primary_language(self) -> str:
        """The language without its region, as recognisers want it: `pt` of `pt-BR`."""
        return self.language.partition("-")[0]


class JobModels(Strict):
    """The models of the call, each an ordered list of `provider/model`: the next takes over when one fails."""

    stt: ModelList = ()
    """Speech to text; left out: STT_MODELS."""
    llm: ModelList = ()
    """The language model; left out: LLM_MODELS."""
    tts: ModelList = ()
    """Text to speech; left out: TTS_MODELS."""


class TurnTaking(Strict):
    """When the person's turn is over, and whether they may interrupt."""

    shortest_wait_s: Annotated[float, Field(ge=SHORTEST_S, le=5.0)] = SHORTEST_S
    """Seconds of silence after which a sentence is answered that sounds finished."""
    longest_wait_s: Annotated[float, Field(ge=SHORTEST_S, le=15.0)] = LONGEST_S
    """Seconds of silence after which any turn is over, however unfinished it sounds; doubt waits in between."""
    interruptions: bool = True
    """Whether the agent stops when the person speaks; if not, it answers them afterwards. Typing stops it anyway."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.shortest_wait_s > self.longest_wait_s:
            raise ValueError("shortest_wait_s must not be more than longest_wait_s")
        return self


class Limits(Strict):
    """When the agent ends the call by itself; left out: no limit. It says so before (docs/manners.md)."""

    max_duration_s: Annotated[float, Field(ge=10, le=86_400)] | None = None
    """Seconds that the call may last."""
    max_turns: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Turns that the person may take; the last one is answered."""
    max_cost: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """What the models of the call may cost, in US dollars (or the currency of PRICES_FILE); unknown prices count 0."""


class Silence(Strict):
    """What the agent does when the person says and types nothing (docs/manners.md)."""

    prompt_after_s: Annotated[float, Field(ge=3, le=600)] = 20.0
    """Seconds of silence after which the agent asks whether the person is still there."""
    prompts: Annotated[int, Field(ge=0, le=10)] = 2
    """How often it asks; after as much silence again it says goodbye and ends the call. 0: it waits for ever."""


class CallSpec(Strict):
    """What a dispatch and a profile can both say."""

    agent: JobAgent = Field(default_factory=JobAgent)
    brain: Literal["llm", "chat"] | None = None
    """Who answers: `llm`, the language model, or `chat`, the chat backend; left out: BRAIN."""
    modality: Literal["text_audio", "text"] = "text_audio"
    """`text_audio`: the call is spoken and written; `text`: written alone, without audio."""
    models: JobModels = Field(default_factory=JobModels)
    turn_taking: TurnTaking = Field(default_factory=TurnTaking)
    limits: Limits = Field(default_factory=Limits)
    silence: Silence = Field(default_factory=Silence)
    recording: RecordingSpec = Field(default_factory=RecordingSpec)
    """Whether the call is recorded; docs/recording.md says what is promised about it."""
    summary: SummarySpec | None = None
    """A summary of the call, made once it is over (docs/webhooks.md); left out: none."""
    variables: dict[VariableName, Variable] = Field(default_factory=dict, max_length=MOST_VARIABLES)
    """Values for templates: `order_id` is found as `{{variables.order_id}}`. Text, numbers, true and false."""


class Profile(CallSpec):
    """How a team wants one kind of call: a file of their own, which a dispatch names and may override.

    What only a team may say is declared here and nowhere else: a dispatch that says it is refused.
    """

    description: ShortText = ""
    """What the profile is for; for people."""
    tools: Annotated[list[ToolSpec], Field(max_length=128)] = Field(default_factory=list)
    """HTTP requests that the language model can make; docs/tools.md explains every key."""
    mcp: Annotated[list[McpServerSpec], Field(max_length=16)] = Field(default_factory=list)
    """Servers of the Model Context Protocol whose tools it can call; docs/tools.md explains every key."""

    webhook: WebhookSpec | None = None
    """Where the calls are reported to, instead of WEBHOOK_URL; docs/webhooks.md explains every key."""

    @model_validator(mode="after")
    def _tools_fit_together(self) -> Self:
        specs = self.tool_specs()
        if self.recording.pause_tool and any(tool.name == PAUSE_TOOL for tool in specs.tools):
            raise ValueError(f"tools: {PAUSE_TOOL!r} is the name of the tool that recording.pause_tool offers")
        return self

    def tool_specs(self) -> ToolSpecs:
        """All tools; raises ValueError when two have the same name."""
        return ToolSpecs(tools=self.tools, mcp=self.mcp)


class Job(CallSpec):
    """Everything that is known about one call before it begins: the dispatch over its profile, templates filled in."""

    conversation_id: ConversationId
    """The conversation that the call belongs to: its thread."""
    user: JobUser = Field(default_factory=JobUser)
    profile: ProfileName | None = None
    """The profile that the call is made with; `"agent": "reception"` says the same. Its members are the defaults."""
    # Not a member that a dispatch could say: it could name addresses and programs.
    _tools: ToolSpecs = PrivateAttr(default_factory=ToolSpecs)
    _webhook: WebhookSpec | None = PrivateAttr(default=None)

    @property
    def tools(self) -> ToolSpecs:
        """What the language model can call: the profile says it, and nobody else."""
        return self._tools

    @property
    def webhook(self) -> WebhookSpec | None:
        """Where the call is reported to, if not where the settings say."""
        return self._webhook

    def of_team(self, tools: ToolSpecs, webhook: WebhookSpec | None = None) -> "Job":
        """The same job with what only its profile can say."""
        job = self.model_copy()
        job._tools = tools
        job._webhook = webhook
        return job

    @property
    def spoken(self) -> bool:
        """Whether there is audio, both ways."""
        return self.modality == "text_audio"
