"""The worker under each quirk of the real chat services: each turn stands in the thread once, in order."""

import asyncio
import time

import pytest

from agent.chat.bridge import Role
from agent.dev.chat.faults import (
    AnyFault,
    CollidedPlaces,
    Deaf,
    DeafInNewThread,
    DropAfterStoring,
    DropBeforeStoring,
    DropOnConnect,
    EmptyContent,
    Freeze,
    GuideOnly,
    IdsIgnored,
)
from agent.settings import SettingsError, load_settings
from agent.turns import Speaker
from tests.bridge.conftest import Chat, DialectName, make_turns

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def _soon_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """An echo is missing after a second instead of five."""
    monkeypatch.setattr("agent.chat.bridge.ECHO_TIMEOUT_S", 1.0)


BOTH = pytest.mark.parametrize("dialect", ["guide", "unpod"])


@BOTH
@pytest.mark.parametrize(
    "fault",
    [
        DropOnConnect(times=3),
        DropBeforeStoring(skip=2, times=3),
        DropAfterStoring(skip=2, times=3),
        Deaf(skip=3, times=1),
        Deaf(when="connect", times=1),
        IdsIgnored(),
    ],
    ids=lambda fault: "_".join(filter(None, (fault.kind, getattr(fault, "when", "")))),
)
async def test_each_turn_arrives_once_and_in_order(chat: Chat, dialect: DialectName, fault: AnyFault) -> None:
    """Whatever the server does to the worker's connection; and what a person types meanwhile is told once."""
    page = await chat.page()
    await page.sync()
    chat.server.go_wrong(fault.model_copy(update={"who": "agent"}))
    call, turns, typed = await chat.call(dialect), make_turns(12), []
    for number, turn in enumerate(turns):
        call.say(turn)
        if number % 4 == 3:
            typed.append(f"typed {number}")
            await page.action("append", message=typed[-1])
            await call.until(lambda: len(call.told) + len(call.read or ()) >= len(typed))
    await call.settled()
    await call.end()
    thread = await chat.texts()
    assert [text for text in thread if text.startswith("turn")] == [turn.text for turn in turns]
    assert [text for text in thread if text.startswith("typed")] == typed
    assert [message.text for message in [*(call.read or ()), *call.told]] == typed
    assert call.delivered == [turn.id for turn in turns]
    assert await chat.journal.conversations_pending() == []
    assert chat.server.faults.caused[fault.kind] >= 1


@BOTH
async def test_what_was_stored_before_1006_is_not_sent_again_to_a_server_that_ignores_ids(
    chat: Chat, dialect: DialectName
) -> None:
    """There a second frame would be a second message: history alone decides."""
    chat.server.go_wrong(IdsIgnored(), DropAfterStoring(who="agent", times=5))
    call, turns = await chat.call(dialect), make_turns(10, lambda n: "the same words")
    call.say(*turns)
    await call.settled()
    await call.end()
    assert len(await chat.texts()) == 10
    assert call.delivered == [turn.id for turn in turns]
    assert chat.server.faults.caused["drop_after_storing"] == 5


@BOTH
async def test_a_frozen_question_holds_up_neither_the_call_nor_the_turns_after_it(
    chat: Chat, dialect: DialectName
) -> None:
    """The backend's minute of silence is not waited for: the question is found in history, the rest follows."""
    chat.server.go_wrong(Freeze(who="agent", seconds=60.0, times=1))
    call, turns = await chat.call(dialect, role=Role.ASKS), make_turns(4)
    began = time.monotonic()
    call.say(*turns)
    await call.until(lambda: len(call.delivered) == len(turns), timeout=45)
    assert time.monotonic() - began < 45
    await call.settled()
    await call.end()
    assert [turn for turn in await chat.thread() if turn.startswith("turn")] == [turn.id for turn in turns]
    assert chat.server.faults.caused["freeze"] == 1


async def test_two_clients_in_a_new_thread_leave_nobody_out_in_guide(chat: Chat) -> None:
    """The worker that comes second is deaf; its own missing echo tells it."""
    chat.server.go_wrong(DeafInNewThread(window_seconds=60.0, times=1))
    page, turns = await chat.page(), make_turns(3)
    call = await chat.call("guide")
    await call.until(lambda: call.read is not None)
    call.say(*turns)
    await page.action("append", message="typed")
    await call.until(lambda: "typed" in [message.text for message in [*(call.read or ()), *call.told]])
    await call.settled()
    await call.end()
    assert chat.server.faults.caused == {"deaf_in_new_thread": 1}
    assert [turn for turn in await chat.thread() if turn.startswith("turn")] == [turn.id for turn in turns]


async def test_two_clients_in_a_new_thread_do_not_meet_in_unpod(chat: Chat) -> None:
    """The worker waits at random before it connects, longer than the service needs."""
    chat.server.go_wrong(DeafInNewThread(window_seconds=0.05))
    for number in range(5):
        conversation = f"new_{number}"
        page, call = await asyncio.gather(chat.page(conversation), chat.call("unpod", conversation))
        call.say(*make_turns(1, conversation=conversation))
        await call.settled()
        await call.end()
        await page.sync()
        assert len(await chat.thread(conversation)) == 1
    assert chat.server.faults.caused == {}


async def test_zero_null_and_false_keep_their_words_in_unpod(chat: Chat) -> None:
    """The service empties these contents: a space after them saves them, and the listener hears none of it."""
    words = ["0", "null", "false", "0"]
    chat.server.go_wrong(EmptyContent(dialect="unpod"))
    call, turns = await chat.call("unpod"), make_turns(4, lambda n: words[n])
    call.say(*turns)
    await call.settled()
    await call.end()
    assert [text.strip() for text in await chat.texts()] == words
    assert [message.text for message in call.echoes] == words
    assert chat.server.faults.caused == {}


async def test_collided_places_lose_nobodys_words_in_unpod(chat: Chat) -> None:
    """Two blocks with one `seq_number` and one `block_id` are two messages, live and after a break."""
    page = await chat.page()
    chat.server.go_wrong(CollidedPlaces(every=2))
    call, turns = await chat.call("unpod"), make_turns(20)
    typed = []
    for number, turn in enumerate(turns):
        call.say(turn)
        await call.settled()
        typed.append(f"typed {number}")
        await page.action("append", message=typed[-1])
        await page.message()
        if number % 5 == 4:
            chat.server.go_wrong(CollidedPlaces(every=2), DropAfterStoring(who="agent", times=1))
    await call.until(lambda: len(call.told) >= len(typed))
    await call.settled()
    await call.end()
    assert [message.text for message in call.told] == typed
    thread = await chat.thread()
    assert [name for name in thread if name.startswith("turn_")] == [turn.id for turn in turns]
    assert chat.server.faults.caused["collided_places"] > 10


async def test_social_is_refused_where_it_is_set_and_never_sent_in_unpod(chat: Chat) -> None:
    """With it the service drops every block: no setting allows it, and without a setting nothing is sent."""
    with pytest.raises(SettingsError, match="social"):
        load_settings({"CHAT_DIALECT": "unpod", "APP_TYPE": "social"}, env_file=None)
    call = await chat.call("unpod")
    call.say(*make_turns(1))
    await call.settled()
    await call.end()
    assert len(await chat.thread()) == 1
    assert chat.server.faults.caused == {}


async def test_a_service_that_drops_every_block_costs_no_turn(chat: Chat) -> None:
    """`social` all the same, as an old worker might send it: the turns wait in the journal, in order."""
    call, turns = await chat.call("unpod", app_type="social"), make_turns(3)
    call.say(*turns)
    async with asyncio.timeout(30):
        while chat.server.faults.caused.get("social", 0) < 3:
            await asyncio.sleep(0.05)
    await call.end(timeout=0.0)
    assert [turn.id for turn in await chat.journal.pending("c1")] == [turn.id for turn in turns]


@pytest.mark.parametrize("shape", ["event", "type"])
@pytest.mark.parametrize("bare", [False, True])
async def test_a_server_written_to_the_guide_alone(chat: Chat, shape: str, bare: bool) -> None:
    """It shows nothing but words, of everybody: ours are told from others' by them, also after a break."""
    page = await chat.page()
    plan = GuideOnly.model_validate({"who": "agent", "shape": shape, "bare": bare, "history": "texts"})
    chat.server.go_wrong(plan, DropAfterStoring(who="agent", skip=3, times=1))
    call, turns = await chat.call("guide"), make_turns(8, lambda n: f"turn {n // 2}")
    call.say(*turns[:4])
    await page.action("append", message="typed")
    call.say(*turns[4:])
    await call.settled()
    await call.end()
    texts = await chat.texts()
    assert [text for text in texts if text != "typed"] == [turn.text for turn in turns]
    assert [message.text for message in [*(call.read or ()), *call.told]] == ["typed"]
    assert call.delivered == [turn.id for turn in turns]
    assert chat.server.faults.caused["drop_after_storing"] == 1


async def test_a_server_written_to_the_guide_alone_without_history(chat: Chat) -> None:
    """As long as the connection lives, its echo of our words proves each turn."""
    chat.server.go_wrong(GuideOnly(who="agent", history="none"))
    call, turns = await chat.call("guide"), make_turns(8)
    call.say(*turns)
    await call.settled()
    await call.end()
    assert await chat.texts() == [turn.text for turn in turns]
    assert call.delivered == [turn.id for turn in turns]


async def test_without_history_what_was_on_its_way_is_sent_again_rather_than_lost(chat: Chat) -> None:
    """Nobody can know whether the server has it: it may stand twice then, and it is never missing."""
    chat.server.go_wrong(GuideOnly(who="agent", history="none"), DropAfterStoring(who="agent", skip=2, times=1))
    call, turns = await chat.call("guide"), make_turns(5)
    call.say(*turns)
    await call.settled()
    await call.end()
    assert list(dict.fromkeys(await chat.texts())) == [turn.text for turn in turns]
    assert (await chat.texts()).count(turns[2].text) == 2
    assert len(await chat.texts()) == 6


async def test_a_server_that_takes_no_append_holds_up_nothing(chat: Chat) -> None:
    """It neither stores nor shows a turn and has no history: after the first, nothing is waited for any more."""
    chat.server.go_wrong(GuideOnly(who="agent", append=False, history="none"))
    call, turns = await chat.call("guide"), make_turns(3)
    call.say(*turns)
    await call.until(lambda: len(call.delivered) == 3, timeout=30)
    await call.settled()
    await call.end()


async def test_what_stands_in_a_long_thread_of_words_alone_is_found(chat: Chat) -> None:
    """The history of a server that numbers nothing is read to its end, past the first page."""
    page = await chat.page()
    for number in range(450):
        await page.action("append", message=f"before {number}")
    await page.messages(450)
    chat.server.go_wrong(GuideOnly(who="agent", history="texts"), DropAfterStoring(who="agent", skip=1, times=1))
    call, turns = await chat.call("guide"), make_turns(3)
    call.say(*turns)
    await call.settled()
    await call.end()
    assert len(call.read or ()) == 450
    assert await chat.texts(after=450) == [turn.text for turn in turns]


@BOTH
async def test_a_turn_that_the_server_cannot_take_does_not_hold_up_the_others(chat: Chat, dialect: DialectName) -> None:
    """guide says which one it is; unpod only closes with 1003. It waits in the journal, the others arrive."""
    call = await chat.call(dialect)
    turns = make_turns(6, lambda n: "x" * 100_001 if n == 2 else f"turn {n}")
    call.say(*turns)
    await call.settled()
    await call.end()
    good = [turn.id for turn in turns if len(turn.text) < 100]
    assert await chat.thread() == good
    assert call.delivered == good
    assert [turn.id for turn in await chat.journal.pending("c1")] == [turns[2].id]


async def test_both_speakers_words_are_theirs_in_both_dialects(chat: Chat) -> None:
    """Who said a turn, how, when, and whether it was cut stands in the thread."""
    guide, unpod = await chat.call("guide", "g"), await chat.call("unpod", "u")
    for call, conversation in ((guide, "g"), (unpod, "u")):
        call.say(*make_turns(2, conversation=conversation))
        await call.settled()
        await call.end()
        thread = await chat.messages(conversation)
        assert [m["role"] for m in thread] == [Speaker.USER, Speaker.ASSISTANT]
        assert {m["channel"] for m in thread} == {"voice"}
        assert not any(m["interrupted"] for m in thread)
