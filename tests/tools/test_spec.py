"""What a profile may say about tools, and what is refused by name before any call."""

from typing import Any

import pytest
from pydantic import ValidationError

from agent.tools.spec import McpServerSpec, ToolSpec, ToolSpecs

TOOL: dict[str, Any] = {
    "name": "book_table",
    "description": "Books a table.",
    "method": "POST",
    "url": "https://crm.example.com/v1/restaurants/{restaurant}/bookings",
    "parameters": {
        "type": "object",
        "properties": {"restaurant": {"type": "string"}, "people": {"type": "integer"}},
        "required": ["restaurant"],
    },
    "headers": {"Authorization": "Bearer ${CRM_TOKEN}"},
}
SERVER: dict[str, Any] = {"name": "files", "command": "npx", "args": ["-y", "server"], "env": {"KEY": "${KEY}"}}
PARAMETERS = TOOL["parameters"]


def test_a_tool_says_what_follows_from_its_method() -> None:
    """POST writes and is not repeated, GET neither; the profile may say otherwise."""
    tool = ToolSpec.model_validate(TOOL)
    assert tool.is_writing
    assert not tool.may_be_repeated
    assert (tool.place_of("restaurant"), tool.place_of("people")) == ("path", "body")
    reading = ToolSpec.model_validate({**TOOL, "method": "GET"})
    assert not reading.is_writing
    assert reading.may_be_repeated
    assert reading.place_of("people") == "query"
    assert not ToolSpec.model_validate({**TOOL, "writes": False}).is_writing


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unknown": 1}, "unknown"),
        ({"name": "book table"}, "name"),
        ({"method": "TRACE"}, "method"),
        ({"timeout_s": "5"}, "timeout_s"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"confirm": 1}, "confirm"),
        ({"url": "ftp://crm.example.com/"}, "http:// or https://"),
        ({"url": "https://{restaurant}.example.com/"}, "not in the host"),
        ({"url": "https://crm.example.com/{restaurant}/{nobody}"}, "nobody"),
        ({"url": "https://crm.example.com/{restaurant}?key=${CRM_TOKEN}"}, "secrets are for headers"),
        ({"url": "https://user:pass@crm.example.com/{restaurant}"}, "user or a password"),
        ({"url": "https://crm.example.com/{restaurant}/{restaurant}"}, "one place"),
        ({"url": "https://crm.example.com:99999/{restaurant}"}, "no address"),
        ({"url": "https://crm.example.com/{restaurant}#x"}, "fragment"),
        ({"headers": {"Authorization": "Bearer abc"}}, "from the environment"),
        ({"headers": {"X-Api-Key": "abc"}}, "from the environment"),
        ({"headers": {"Host": "evil"}}, "transport"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "twice"),
        ({"headers": {"X-A": "${not a name}"}}, "form"),
        ({"headers": {"X-A": "a\r\nX-B: 1"}}, "headers"),
        ({"places": {"people": "header Authorization"}}, "from the environment|twice"),
        ({"places": {"nobody": "query"}}, "no property"),
        ({"places": {"restaurant": "query"}}, "place in the url already"),
        ({"places": {"people": "cookie"}}, "places"),
        ({"method": "GET", "places": {"people": "body"}}, "no body"),
        ({"allow_hosts": ["*.example.com"]}, "no host name"),
        ({"parameters": {"type": "array"}}, "type: object"),
        ({"parameters": {**PARAMETERS, "additionalProperties": 7}}, "no JSON Schema"),
        ({"parameters": {**PARAMETERS, "$ref": "http://127.0.0.1/schema"}}, "into the schema itself"),
        ({"parameters": {**PARAMETERS, "$ref": "#/$defs/nothing"}}, "points to nothing"),
        ({"auth": {"type": "refresh_command"}}, "auth"),
        (
            {"auth": {"type": "oauth2_client_credentials", "token_url": "https://a.b/", "client_id": "c"}},
            "client_secret",
        ),
        (
            {
                "auth": {
                    "type": "oauth2_client_credentials",
                    "token_url": "https://a.b/",
                    "client_id": "c",
                    "client_secret": "written out",
                },
                "headers": {},
            },
            "client_secret",
        ),
    ],
)
def test_a_tool_that_cannot_be_used_is_refused(change: dict[str, Any], words: str) -> None:
    """When the profile is read, with words that say which key and why."""
    with pytest.raises(ValidationError, match=words):
        ToolSpec.model_validate({**TOOL, **change})


def test_a_schema_that_goes_round_in_circles_does_not_end_the_call() -> None:
    """It is the arguments that are refused."""
    from agent.tools.arguments import ArgumentsError, check_schema, validate

    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"$ref": "#/$defs/a"}},
    }
    check_schema(schema)
    with pytest.raises(ArgumentsError):
        validate(schema, {"a": 1})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "https://mcp.example.com/mcp"}, "either command"),
        ({"command": None}, "either command"),
        ({"args": ["--key", "${KEY}"]}, "secrets go into env"),
        ({"headers": {"X-A": "1"}}, "headers: not used"),
        ({"command": None, "url": "https://a.b/{c}", "args": [], "env": {}}, "placeholders"),
        ({"tools": {"read": {"timeout": 1}}}, "timeout"),
        ({"env": {"1A": "x"}}, "env"),
        ({"prefix": "a b"}, "prefix"),
    ],
)
def test_a_server_that_cannot_be_used_is_refused(change: dict[str, Any], words: str) -> None:
    """As with tools."""
    assert McpServerSpec.model_validate(SERVER).options_of("anything") is not None
    with pytest.raises(ValidationError, match=words):
        McpServerSpec.model_validate({**SERVER, **change})


def test_only_the_tools_that_are_listed_are_offered() -> None:
    """Each with what the profile says of it."""
    server = McpServerSpec.model_validate({**SERVER, "tools": {"read": {"writes": False, "note": True}}})
    read = server.options_of("read")
    assert read is not None
    assert (read.writes, read.note, read.confirm) == (False, True, False)
    assert server.options_of("delete") is None


def test_two_tools_of_one_name_are_refused() -> None:
    """The model could not tell them apart."""
    with pytest.raises(ValidationError, match="'book_table' stands twice"):
        ToolSpecs.model_validate({"tools": [TOOL, TOOL]})
