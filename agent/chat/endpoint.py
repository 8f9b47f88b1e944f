"""Where and how the chat is reached for one conversation: addresses, queries and headers, without any I/O.

Source: CHAT_PROTOCOL, "Connection". The query is encoded (react-use-websocket's is not), and no address with its query
is ever logged.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from agent.job import Job
from agent.settings import Settings


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """One conversation at one chat server, with the credentials to open it."""

    base_url: str
    conversation_id: str
    app_type: str
    token: SecretStr
    session_user: str

    @classmethod
    def for_job(cls, settings: Settings, job: Job) -> "ChatEndpoint":
        """The endpoint of a call: the job's own token, else the worker's, else an anonymous session."""
        token = job.user.token or settings.chat_token
        return cls(
            settings.chat_api_url, job.conversation_id, settings.app_type, token, job.user.id or settings.agent_name
        )

    def websocket_url(self) -> str:
        """The address of the conversation's WebSocket, credentials included: never log it."""
        return f"{self._conversation(self.base_url)}?{urlencode(self._credentials())}"

    def history_url(self) -> str:
        """The address of the conversation's messages, without credentials (see `history_params`)."""
        return self._conversation(self.base_url.replace("ws", "http", 1)) + "messages/"

    def history_params(self, *, after: int, limit: int) -> dict[str, str]:
        """The query of one page of history: messages after this `seq`, at most so many."""
        return {**self._credentials(), "after": str(after), "limit": str(limit)}

    def _conversation(self, base_url: str) -> str:
        return f"{base_url}conversation/{quote(self.conversation_id, safe='')}/"

    def _credentials(self) -> dict[str, str]:
        if secret := self.token.get_secret_value():
            return {"token": secret, "app_type": self.app_type}
        return {"session_user": self.session_user, "app_type": self.app_type}
