"""`POST /v1/chat/completions`: the responder behind the OpenAI API."""

from datetime import datetime

from aiohttp import web

from agent.dev.models.capacity import Capacity
from agent.dev.models.chat_request import ChatRequest
from agent.dev.models.chat_response import Completion
from agent.dev.models.errors import unknown_model
from agent.dev.models.requests import read_json
from agent.dev.models.responder import MODEL_ID, respond
from agent.dev.models.server_sent_events import EventStream


class ChatEndpoint:
    """Serves chat completions.

    Args:
        capacity: how many requests it takes on.
    """

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer whole, or with events when `stream` is true."""
        with self._capacity.place():
            wanted = await read_json(request, ChatRequest)
            if wanted.model != MODEL_ID:
                raise unknown_model(wanted.model, MODEL_ID)
            completion = _complete(wanted)
            if not wanted.stream:
                return web.json_response(completion.body())
            async with EventStream(request) as events:
                for chunk in completion.chunks(include_usage=wanted.include_usage):
                    await events.send(chunk)
                await events.done()
            return events.response


def _complete(wanted: ChatRequest) -> Completion:
    conversation = wanted.conversation()
    reply = respond(conversation, wanted.offered(), datetime.now().astimezone(), must_call=wanted.forced())
    return Completion(MODEL_ID, reply, conversation, max_words=wanted.max_words, choices=wanted.n or 1)
