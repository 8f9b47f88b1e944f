"""Streams: every reader gets everything, and none that left holds up the others."""

import asyncio
import gc

import pytest

from agent.websocket.streams import Publisher


async def test_each_reader_gets_everything_from_its_opening_on() -> None:
    """Two readers do not take each other's items."""
    publisher = Publisher[int]()
    early = publisher.open(10, drop_oldest=False)
    publisher.put(1)
    late = publisher.open(10, drop_oldest=False, first=(0,))
    publisher.put(2)
    publisher.close()
    assert [item async for item in early] == [1, 2]
    assert [item async for item in late] == [0, 2]


async def test_a_reader_that_is_behind_is_waited_for() -> None:
    """Back-pressure instead of loss, or of a buffer without an end."""
    publisher = Publisher[int]()
    stream = publisher.open(2, drop_oldest=False)
    publisher.put(1)
    await publisher.room()
    publisher.put(2)
    waiting = asyncio.create_task(publisher.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await anext(stream) == 1
    await waiting


async def test_the_oldest_goes_where_only_the_latest_matter() -> None:
    """A state that was overtaken is no loss."""
    publisher = Publisher[int]()
    stream = publisher.open(2, drop_oldest=True)
    for number in range(5):
        publisher.put(number)
        await publisher.room()
    assert [await anext(stream), await anext(stream)] == [3, 4]


@pytest.mark.parametrize("how", ["close", "with", "forget"])
async def test_a_reader_that_leaves_is_not_waited_for(how: str) -> None:
    """By closing, by leaving its block, or by dropping the stream, as a `break` does."""
    publisher = Publisher[int]()
    stream = publisher.open(1, drop_oldest=False)
    publisher.put(1)
    waiting = asyncio.create_task(publisher.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    match how:
        case "close":
            stream.close()
        case "with":
            with stream:
                pass
        case _:
            del stream
            gc.collect()
    await asyncio.wait_for(waiting, 10)


async def test_a_relaxed_stream_takes_what_comes() -> None:
    """The last items of a connection always fit, however slow the reader is."""
    publisher = Publisher[int]()
    stream = publisher.open(1, drop_oldest=False)
    publisher.put(1)
    waiting = asyncio.create_task(publisher.room())
    await asyncio.sleep(0)
    publisher.relax(True)
    await waiting
    publisher.put(2)
    await publisher.room()
    publisher.close()
    assert [item async for item in stream] == [1, 2]


async def test_a_failure_comes_after_what_was_there() -> None:
    """The reader learns why there is no more."""
    publisher = Publisher[int]()
    stream = publisher.open(5, drop_oldest=False)
    publisher.put(1)
    publisher.close(RuntimeError("broken"))
    assert await anext(stream) == 1
    with pytest.raises(RuntimeError, match="broken"):
        await anext(stream)
