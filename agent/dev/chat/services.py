"""What the request handlers share, and the keys under which the application holds it."""

from dataclasses import dataclass

from aiohttp import web

from agent.dev.chat.answers.answering import Answering
from agent.dev.chat.credentials import Principal, authenticate
from agent.dev.chat.fault_switch import Faults
from agent.dev.chat.thread.posting import Posting
from agent.dev.chat.thread.store import ChatStore
from agent.dev.chat.wire.hub import ThreadHub
from agent.dev.secrets import DevSecrets
from agent.settings import Settings


@dataclass
class Services:
    """The parts of one running server. `stopping` is true once no new connection is taken."""

    settings: Settings
    secrets: DevSecrets
    store: ChatStore
    hub: ThreadHub
    posting: Posting
    answering: Answering
    faults: Faults
    embedded_chat: bool = True
    stopping: bool = False


SERVICES = web.AppKey("services", Services)


def who_asks(request: web.Request) -> Principal:
    """Who sent a request; raises Unauthorized when its credentials are missing or bad."""
    return authenticate(request.app[SERVICES].secrets, request.headers, request.query)
