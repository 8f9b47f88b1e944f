"""When the server answers typed messages itself, with a real model over HTTP, and when it leaves them to a worker."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.chat_server.conftest import ChatServer
from tests.chat_server.model_server import ModelServer


async def test_a_typed_message_is_answered(server: ChatServer, model: ModelServer) -> None:
    """Without a worker the model's answer comes into the thread, between typing and its end."""
    client = await server.visitor("c1")
    await client.action("next", message="Hello there", execution_type="chat", id="q1")
    question, answer = await client.messages(2)
    assert (answer["role"], answer["text"], answer["reply_to"]) == ("assistant", "You wrote: Hello there", "q1")
    await client.until(lambda frame: frame["event"] == "typing" and not frame["payload"]["active"])
    typing = [frame["payload"]["active"] for frame in client.seen if frame["event"] == "typing"]
    assert typing == [True, False]
    assert await server.thread("c1") == [question, answer]


async def test_quick_messages_are_answered_once_each_in_order(server: ChatServer, model: ModelServer) -> None:
    """Two messages in quick succession get one answer each; the second is asked with the first answer before it."""
    client = await server.visitor("c1")
    model.open_gate.clear()
    await client.action("next", message="one", id="q1")
    await client.action("next", message="two", id="q2")
    await client.messages(2)
    model.open_gate.set()
    first, second = await client.messages(2)
    assert [(m["text"], m["reply_to"]) for m in (first, second)] == [("You wrote: one", "q1"), ("You wrote: two", "q2")]
    contents = [[m["content"] for m in request if m["role"] != "system"] for request in model.requests]
    assert contents == [["one"], ["one", "You wrote: one", "two"]]


async def test_a_resent_question_is_answered_once(server: ChatServer, model: ModelServer) -> None:
    """A `next` with an id that is stored already is acknowledged, and not answered again."""
    client = await server.visitor("c1")
    await client.action("next", message="one", id="q1")
    await client.messages(2)
    await client.action("next", message="one", id="q1")
    assert (await client.message())["id"] == "q1"
    await client.action("next", message="two", id="q2")
    await client.messages(2)
    assert len(model.requests) == 2


async def test_the_local_model_is_told_the_channel(server: ChatServer, model: ModelServer) -> None:
    """What was said is told apart from what was typed by the `name` of the user's messages."""
    client = await server.visitor("c1")
    await client.action("append", message="spoken before", channel="voice")
    await client.action("next", message="typed now")
    await client.messages(3)
    assert [(m["content"], m["name"]) for m in model.requests[0] if m["role"] == "user"] == [
        ("spoken before", "voice"),
        ("typed now", "chat"),
    ]


async def test_other_models_are_not_sent_a_name(serve: Callable[..., Any], model: ModelServer) -> None:
    """A model elsewhere may refuse `name`, so it does not get one."""
    env = {"LLM_MODELS": "other/model-1", "OTHER_BASE_URL": model.base_url, "OTHER_API_KEY": "k"}
    client = await (await serve(env))[0].visitor("c1")
    await client.action("next", message="typed now")
    await client.messages(2)
    assert [m for m in model.requests[0] if "name" in m] == []


async def test_an_attached_worker_is_left_to_answer(server: ChatServer, model: ModelServer) -> None:
    """While a worker is attached a typed message is stored and shown, and the model is not asked."""
    page, worker = await server.visitor("c1"), await server.worker("c1")
    await page.action("next", message="Hello", id="q1")
    assert (await worker.message())["text"] == "Hello"
    await worker.action("append", message="Hello yourself", role="assistant", reply_to="q1")
    assert [m["text"] for m in await page.messages(2)] == ["Hello", "Hello yourself"]
    await worker.close()
    await page.until(lambda frame: frame["event"] == "presence" and not frame["payload"]["agent"])
    await page.action("next", message="And now?", id="q2")
    assert [m["text"] for m in await page.messages(2)] == ["And now?", "You wrote: And now?"]
    assert len(model.requests) == 1


async def test_a_worker_that_attaches_takes_over(server: ChatServer, model: ModelServer) -> None:
    """An answer that is being made is dropped when a worker attaches: it answers instead."""
    page = await server.visitor("c1")
    model.open_gate.clear()
    await page.action("next", message="Hello", id="q1")
    await model.asked.wait()
    worker = await server.worker("c1")
    await page.until(lambda frame: frame["event"] == "typing" and not frame["payload"]["active"])
    model.open_gate.set()
    await worker.action("append", message="from the worker", role="assistant", reply_to="q1")
    await page.until(lambda frame: frame["event"] == "message" and frame["payload"]["role"] == "assistant")
    assert [m["text"] for m in await server.thread("c1")] == ["Hello", "from the worker"]


async def test_a_message_typed_as_the_call_ends_is_answered(server: ChatServer, model: ModelServer) -> None:
    """What a worker left open is answered by the server after a short grace."""
    page, worker = await server.visitor("c1"), await server.worker("c1")
    await page.action("next", message="One more thing", id="q1")
    await worker.message()
    await worker.link.close()
    assert [m["text"] for m in await page.messages(2)] == ["One more thing", "You wrote: One more thing"]


async def test_a_reply_that_the_question_cut_leaves_it_open(server: ChatServer, model: ModelServer) -> None:
    """The cut reply is stored after the message that cut it, yet began before: that message still gets an answer."""
    page, worker = await server.visitor("c1"), await server.worker("c1")
    await page.action("next", message="Stop", id="q1")
    await worker.message()
    await worker.action(
        "append", message="Once upon a", role="assistant", interrupted=True, created_at="2020-01-01T00:00:00Z"
    )
    await worker.message()
    await worker.action("detach")
    assert [m["text"] for m in await page.messages(3)] == ["Stop", "Once upon a", "You wrote: Stop"]


async def test_a_worker_that_comes_back_in_time_keeps_the_question(serve: Callable[..., Any]) -> None:
    """A worker that reconnects within the grace answers; the server stays quiet."""
    server: ChatServer = (await serve(grace_s=30.0))[0]
    page, worker = await server.visitor("c1"), await server.worker("c1")
    await page.action("next", message="Hello", id="q1")
    await worker.message()
    await worker.close()
    again = await server.worker("c1")
    await again.action("append", message="I am back", role="assistant", reply_to="q1")
    assert [m["text"] for m in await page.messages(2)] == ["Hello", "I am back"]


async def test_a_model_that_fails_is_told_in_the_thread(server: ChatServer, model: ModelServer) -> None:
    """A failing model ends typing, tells the clients, and does not keep the next message from being answered."""
    client = await server.visitor("c1")
    model.status = 400
    await client.action("next", message="Hello", id="q1")
    error = (await client.event("error"))["payload"]
    assert (error["code"], error["id"]) == ("model_unavailable", "q1")
    await client.until(lambda frame: frame["event"] == "typing" and not frame["payload"]["active"])
    model.status = 200
    await client.action("next", message="Again", id="q2")
    assert [m["text"] for m in await client.messages(2)] == ["Again", "You wrote: Again"]


async def test_a_restart_keeps_the_thread_and_the_open_question(serve: Callable[..., Any], model: ModelServer) -> None:
    """After a restart the thread is there, and a message that was waiting for its answer gets it."""
    first, runner = await serve()
    client = await first.visitor("c1")
    model.open_gate.clear()
    await client.action("next", message="Hello", id="q1")
    await asyncio.wait_for(model.asked.wait(), 5)
    await runner.cleanup()
    assert client.link.close_code is None or client.link.close_code == 1001
    await client.link.wait_closed()
    assert client.link.close_code == 1001
    model.open_gate.set()
    second: ChatServer = (await serve())[0]
    again = await second.visitor("c1")
    assert (await again.message())["text"] == "You wrote: Hello"
    assert [(m["seq"], m["role"]) for m in await second.thread("c1")] == [(1, "user"), (2, "assistant")]
