"""Plain HTTP, for what the stock client would never send."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        """The error in the body, which must have OpenAI's shape."""
        content = self.json()
        assert set(content) == {"error"}
        assert set(content["error"]) == {"message", "type", "param", "code"}
        assert content["error"]["message"]
        error: dict[str, Any] = content["error"]
        return error


def send(
    port: int, method: str, path: str, body: bytes | Iterator[bytes] = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request and read the whole answer; a body that is an iterator is sent in chunks."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
        chunked = not isinstance(body, bytes)
        transfer = {"Transfer-Encoding": "chunked"} if chunked else {}
        connection.request(method, path, body=body, headers={**transfer, **(headers or {})}, encode_chunked=chunked)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


def post_json(port: int, path: str, body: bytes) -> Answer:
    """Post a body that says to be JSON."""
    return send(port, "POST", path, body, {"Content-Type": "application/json"})


def send_raw(port: int, data: bytes) -> bytes:
    """Send bytes as they are, and read what comes back up to a refusal."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            if b" 400 " in answer:
                break
        return answer


@contextmanager
def unfinished_request(port: int, path: str) -> Iterator[socket.socket]:
    """A request that the server has begun to serve, and whose body never comes to its end; leaving gives it up."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        head = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: multipart/form-data; boundary=edge",
            "Content-Length: 1000",
            "Expect: 100-continue",
        ]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"--edge\r\n")
        yield connection
