"""One conversation at one chat server, with the credentials to open it, without any I/O.

Source: CHAT_PROTOCOL, "Connection".
"""

from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from agent.job import Job
from agent.settings import Settings

DEFAULT_APP_TYPE = "social"


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """Where one conversation is. `app_type` may be empty: the guide's default is used then, and unpod sends none."""

    base_url: str
    conversation_id: str
    app_type: str
    token: SecretStr
    session_user: str

    @classmethod
    def for_job(cls, settings: Settings, job: Job) -> "ChatEndpoint":
        """The endpoint of a call: the job's own token, else the worker's, else an anonymous session."""
        token = job.user.token or settings.chat_token
        visitor = job.user.id or settings.agent_name
        return cls(settings.chat_api_url, job.conversation_id, settings.app_type, token, visitor)

    def websocket_base(self) -> str:
        """The address of the conversation's WebSocket, without credentials."""
        return f"{self.base_url}conversation/{quote(self.conversation_id, safe='')}/"

    def http_base(self) -> str:
        """The same over HTTP."""
        return self.websocket_base().replace("ws", "http", 1)

    def credentials(self) -> dict[str, str]:
        """The guide's query: signed-in by token, else anonymous."""
        app_type = self.app_type or DEFAULT_APP_TYPE
        if secret := self.token.get_secret_value():
            return {"token": secret, "app_type": app_type}
        return {"session_user": self.session_user, "app_type": app_type}

    def app_type_only(self) -> dict[str, str]:
        """unpod's query: credentials stand in the header there."""
        return {"app_type": self.app_type} if self.app_type else {}

    def authorization(self) -> dict[str, str]:
        """unpod's header; none when there is no token."""
        secret = self.token.get_secret_value()
        return {"Authorization": f"JWT {secret}"} if secret else {}
