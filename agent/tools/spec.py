"""The tools of an agent as its profile describes them: HTTP requests, and servers of the Model Context Protocol.

Everything here is checked when the profile is read. Secrets stand here by name alone (`${CRM_TOKEN}`), so a
specification can be shown; `secrets.resolve` fills them in when a call begins.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from agent.tools.arguments import check_schema, properties
from agent.tools.hosts import allowed_hosts
from agent.tools.secrets import REFERENCE, references
from agent.tools.url_template import check_template, host_of, placeholders

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
HeaderValue = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00-\x1f\x7f]*$")]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
Description = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
Reference = Annotated[str, StringConstraints(pattern=rf"^{REFERENCE.pattern}$")]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
# `query`, `body`, or `header X-Name`; what the address has a place for needs none.
Place = Annotated[str, StringConstraints(pattern=r"^(query|body|header [A-Za-z0-9!#$%&'*+.^_`|~-]{1,100})$")]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Seconds = Annotated[float, Field(gt=0, le=120)]

READING = frozenset({"GET", "HEAD"})
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# A value that is written out there is a secret in a file.
CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"})
# What the transport itself decides.
RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade"})


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse headers that the transport sets, that stand twice, or that hold a written-out credential."""
    if (doubled := _first_doubled(headers)) is not None:
        raise ValueError(f"{doubled!r} stands twice")
    for name, value in headers.items():
        if name.lower() in RESERVED:
            raise ValueError(f"{name!r} is set by the transport")
        if name.lower() in CREDENTIALS and not references(value):
            raise ValueError(f"{name!r} must take its value from the environment, such as ${{CRM_TOKEN}}")
        if "${" in REFERENCE.sub("", value):
            raise ValueError(f"{name!r} has a reference that is not of the form ${{NAME}}")
    return headers


def _check_hosts(entries: list[str]) -> list[str]:
    allowed_hosts((), entries)
    return entries


# What HTTP tools and servers of tools have in common.
Headers = Annotated[dict[HeaderName, HeaderValue], AfterValidator(check_headers)]
Hosts = Annotated[list[str], Field(max_length=50), AfterValidator(_check_hosts)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ClientCredentials(_Strict):
    """OAuth 2 client credentials (RFC 6749, section 4.4): a token is fetched when one is needed, and after a 401."""

    type: Literal["oauth2_client_credentials"]
    token_url: str
    client_id: HeaderValue
    client_secret: Reference
    scope: HeaderValue = ""

    @field_validator("token_url")
    @classmethod
    def _address(cls, url: str) -> str:
        check_template(url)
        if placeholders(url):
            raise ValueError("has no placeholders")
        return url


class ToolSpec(_Strict):
    """A tool that is an HTTP request."""

    name: Name
    description: Description
    method: Method = "GET"
    url: str
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    places: dict[str, Place] = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    auth: ClientCredentials | None = None
    allow_hosts: Hosts = Field(default_factory=list)
    timeout_s: Seconds = 10.0
    retries: Annotated[int, Field(ge=0, le=5)] = 2
    idempotency_header: HeaderName | None = None
    max_bytes: Annotated[int, Field(ge=1, le=20_000_000)] = 1_000_000
    max_characters: Annotated[int, Field(ge=1, le=100_000)] = 4_000
    confirm: bool = False
    writes: bool | None = None
    note: bool = False
    sensitive: bool = False

    @property
    def is_writing(self) -> bool:
        """Whether a call may change something: as the profile says, else every method but GET and HEAD."""
        return self.method not in READING if self.writes is None else self.writes

    @property
    def may_be_repeated(self) -> bool:
        """Whether a request that failed may be sent again: the method allows it, or the server knows repetitions."""
        return self.method in IDEMPOTENT or self.idempotency_header is not None

    def place_of(self, argument: str) -> str:
        """Where an argument goes: `path`, or a `Place`."""
        if argument in placeholders(self.url):
            return "path"
        return self.places.get(argument, "body" if self.method in WITH_BODY else "query")

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        check_template(url)
        return url

    @field_validator("parameters")
    @classmethod
    def _parameters(cls, schema: dict[str, Any]) -> dict[str, Any]:
        check_schema(schema)
        return schema

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        arguments = properties(self.parameters)
        required = self.parameters.get("required", [])
        for name in placeholders(self.url):
            if name not in required:
                raise ValueError(f"url: {{{name}}} must be a required property of parameters")
        for name, place in self.places.items():
            if name not in arguments:
                raise ValueError(f"places: {name!r} is no property of parameters")
            if name in placeholders(self.url):
                raise ValueError(f"places: {name!r} has its place in the url already")
            if place == "body" and self.method not in WITH_BODY:
                raise ValueError(f"places: a {self.method} request has no body for {name!r}")
        named = [place.partition(" ")[2] for place in self.places.values() if place.startswith("header ")]
        check_headers(dict.fromkeys(named, "${ARGUMENT}"))
        taken = [*self.headers, *filter(None, [self.idempotency_header]), *(["Authorization"] if self.auth else [])]
        doubled = _first_doubled([*named, *taken])
        if doubled is not None:
            raise ValueError(f"headers: {doubled!r} is set twice")
        return self


class McpToolOptions(_Strict):
    """What is to be known of one tool of a server: nothing that the server says of it is trusted."""

    confirm: bool = False
    writes: bool = True
    note: bool = False
    sensitive: bool = False
    timeout_s: Seconds | None = None


class McpServerSpec(_Strict):
    """A server of the Model Context Protocol: a program that is started (`command`), or an address (`url`)."""

    name: Name
    command: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")] | None = None
    args: list[Text] = Field(default_factory=list, max_length=100)
    env: dict[EnvironmentName, Text] = Field(default_factory=dict)
    cwd: Text | None = None
    url: str | None = None
    headers: Headers = Field(default_factory=dict)
    allow_hosts: Hosts = Field(default_factory=list)
    # Only these tools are offered; without it all are, each with the defaults of `McpToolOptions`.
    tools: dict[str, McpToolOptions] | None = None
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,30}$")] = ""
    timeout_s: Seconds = 15.0
    max_bytes: Annotated[int, Field(ge=1, le=20_000_000)] = 1_000_000
    max_characters: Annotated[int, Field(ge=1, le=100_000)] = 4_000

    def options_of(self, tool: str) -> McpToolOptions | None:
        """What is to be known of a tool; None when it is not offered."""
        return McpToolOptions() if self.tools is None else self.tools.get(tool)

    @field_validator("url")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        if url is not None:
            check_template(url)
            if placeholders(url):
                raise ValueError("has no placeholders")
        return url

    @field_validator("args")
    @classmethod
    def _no_secret(cls, args: list[str]) -> list[str]:
        for argument in args:
            if references(argument):
                raise ValueError("secrets go into env: everybody on the machine can read a process's arguments")
        return args

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("either command (a program to start) or url (a server that runs) is needed")
        wrong = ("headers", "allow_hosts") if self.command is not None else ("args", "env", "cwd")
        for key in wrong:
            if getattr(self, key):
                raise ValueError(f"{key}: not used with {'command' if self.command is not None else 'url'}")
        return self


class ToolSpecs(_Strict):
    """All tools of an agent; no two have the same name."""

    tools: list[ToolSpec] = Field(default_factory=list, max_length=128)
    mcp: list[McpServerSpec] = Field(default_factory=list, max_length=16)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for key, names in (("tools", [tool.name for tool in self.tools]), ("mcp", [s.name for s in self.mcp])):
            if (doubled := _first_doubled(names)) is not None:
                raise ValueError(f"{key}: the name {doubled!r} stands twice")
        return self


def hosts_of(spec: ToolSpec) -> list[str]:
    """The hosts that a tool's own addresses name."""
    urls = [spec.url, *([spec.auth.token_url] if spec.auth is not None else [])]
    return [host_of(url) for url in urls]


def _first_doubled(names: object) -> str | None:
    seen: set[str] = set()
    for name in names if isinstance(names, list | dict) else ():
        if name.lower() in seen:
            return str(name)
        seen.add(name.lower())
    return None
