"""A client may go away at any moment: nothing fails, nothing stays behind, and the next one is served."""

import json
import socket
import struct

import pytest
from openai import OpenAI

from tests.models.models_process import ModelsProcess
from tests.models.plain_http import unfinished_request
from tests.models.talk import MODEL, reply, user

NO_GOODBYE = struct.pack("ii", 1, 0)  # the connection is reset at once, as when a program is killed


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/speech", "/v1/chat/completions"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_leaves_in_the_middle_of_its_request(
    server: ModelsProcess, client: OpenAI, path: str, reset: bool
) -> None:
    """Half an upload is no error of the server: its log has none."""
    with unfinished_request(server.port, path) as connection:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_GOODBYE)
    assert reply(client, user("Tea.")) == "You said: Tea."


def test_a_client_leaves_before_the_answer_comes(server: ModelsProcess, client: OpenAI) -> None:
    """A connection that breaks while the answer is written is no error of the server either."""
    body = json.dumps({"model": MODEL, "messages": [user("Who are you?")], "stream": True, "n": 8}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_GOODBYE)
            connection.sendall(head + body)
            connection.recv(1)
    assert reply(client, user("Tea.")) == "You said: Tea."


def test_a_client_leaves_in_the_middle_of_speech(client: OpenAI) -> None:
    """Hanging up while the agent speaks is what people do."""
    with client.audio.speech.with_streaming_response.create(
        model="hibari", voice="alloy", input="This goes on and on. " * 100, response_format="pcm"
    ) as response:
        assert next(iter(response.iter_bytes()))
    assert client.audio.speech.create(model="hibari", voice="alloy", input="Yes.").content


def test_a_client_leaves_in_the_middle_of_a_chat_completion(client: OpenAI) -> None:
    """An interrupted reply is left unread."""
    with client.chat.completions.create(model=MODEL, messages=[user("Who are you?")], stream=True) as stream:
        assert next(iter(stream))
    assert reply(client, user("Tea.")) == "You said: Tea."
