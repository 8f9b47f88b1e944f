"""Secrets of tools are in no prompt, no log, no thread, no journal and no error, whatever a server does with them."""

from pathlib import Path

import pytest

from agent.tools.preflight import check_secrets
from agent.tools.secrets import ToolConfigError, redact
from agent.tools.spec import ToolSpecs
from tests.tools.http_server import tool_server
from tests.tools.model_session import Calls, follow, talking
from tests.tools.specs import tool_spec

SECRET = "planted-s3cret-0451"


async def test_a_planted_secret_is_found_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server gets it, and says it back in an answer and in an error; the result becomes a note, too."""
    caplog.set_level("DEBUG")
    async with tool_server() as server:
        headers = {"Authorization": "Bearer ${CRM_TOKEN}"}
        specs = ToolSpecs(
            tools=[
                tool_spec(server.url("/echo"), headers=headers, note=True),
                tool_spec(server.url("/echo?status=500"), name="get_error", headers=headers, note=True),
                tool_spec(server.url("/redirect?to=http://10.0.0.1/"), name="get_lost", headers=headers),
            ]
        )
        script = follow(Calls("get_weather"), "a", Calls("get_error"), "b", Calls("get_lost"), "c")
        environment = {"CRM_TOKEN": SECRET}
        async with talking(script, specs, tmp_path / "j.db", environment=environment) as call:
            for number in range(3):
                await call.user(str(number))
            told = repr(call.model.told)
            thread = repr([turn.text for turn in call.conversation.turns])
        assert [got.headers["Authorization"] for got in server.received] == [f"Bearer {SECRET}"] * 3
    assert "[secret]" in told
    assert "[secret]" in thread
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"get_error" in written
    for place in (told, thread, caplog.text, written.decode(errors="replace"), repr(specs)):
        assert SECRET not in place


def test_the_longest_secret_is_hidden_first() -> None:
    """One that holds another leaves nothing of itself; one of a few letters would be found in every word."""
    assert redact("token-1-extended and token-1, a", {"token-1", "token-1-extended", "a"}) == "[secret] and [secret], a"


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ({"tools": [{"headers": {"X-Key": "${A}"}}]}, "tool 'find': header X-Key needs the environment variable A"),
        ({"mcp": [{"name": "files", "command": "x", "env": {"K": "${B}"}}]}, "mcp server 'files': env K .* variable B"),
        (
            {"mcp": [{"name": "web", "url": "https://a.example/", "headers": {"X-Key": "${C}"}}]},
            "mcp server 'web': header X-Key .* variable C",
        ),
        (
            {
                "tools": [
                    {
                        "auth": {
                            "type": "oauth2_client_credentials",
                            "token_url": "https://a.example/token",
                            "client_id": "me",
                            "client_secret": "${D}",
                        }
                    }
                ]
            },
            "tool 'find': auth.client_secret .* variable D",
        ),
    ],
)
def test_a_missing_secret_is_found_before_a_call(specs: dict[str, list[dict[str, object]]], words: str) -> None:
    """Each with its tool, its key and its name."""
    tool = {"name": "find", "description": "Finds.", "url": "https://a.example/"}
    whole = {**specs, "tools": [{**tool, **more} for more in specs.get("tools", [])]}
    checked = ToolSpecs.model_validate(whole)
    with pytest.raises(ToolConfigError, match=words):
        check_secrets(checked, {})
    check_secrets(checked, dict.fromkeys("ABCD", "value"))
