"""Addresses: the query encoded and merged, functions asked anew, and no credential in sight."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.websocket import Address, AddressError
from agent.websocket.address import add_query, redacted, resolve

text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(text, text | st.integers(), max_size=5))
def test_parameters_arrive_as_they_were_given(params: dict[str, str | int]) -> None:
    """Encoded, so that an & or = in a token is part of it: the JavaScript library writes them as they are."""
    query = urlsplit(add_query("ws://host/path/", params)).query
    assert parse_qsl(query, keep_blank_values=True) == [(name, str(value)) for name, value in params.items()]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://h/p?a=1", "ws://h/p?a=1&token=a%26b%20c"),
        ("ws://h/p?sig=%2f+x&b", "ws://h/p?sig=%2f+x&b&token=a%26b%20c"),
        ("ws://h/p?token=old&a=1&token=older", "ws://h/p?a=1&token=a%26b%20c"),
        ("ws://h/p?", "ws://h/p?token=a%26b%20c"),
        ("ws://h", "ws://h?token=a%26b%20c"),
    ],
)
def test_an_existing_query_is_kept_byte_for_byte_and_its_namesakes_replaced(url: str, expected: str) -> None:
    """A signed query must not be written anew; a parameter never stands twice."""
    assert add_query(url, {"token": "a&b c"}) == expected


def test_numbers_and_truth_are_written_as_in_javascript() -> None:
    """What a server that knows the page's clients expects."""
    assert add_query("ws://h/", {"n": 3, "x": 1.5, "yes": True}) == "ws://h/?n=3&x=1.5&yes=true"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (Address("wss://h:1/p/?token=hunter2"), "wss://h:1/p/?…"),
        (Address("wss://u:hunter2@h/p"), "wss://h/p"),
        (Address("ws://h/p", {"token": "hunter2"}, {"Authorization": "JWT hunter2"}), "ws://h/p?…"),
        (Address("ws://[hunter2"), "(no valid url)"),
    ],
)
def test_no_representation_shows_a_credential(address: Address, shown: str) -> None:
    """Query, user, password and headers are left out wherever an address can be printed."""
    assert str(address) == shown
    assert "hunter2" not in repr(address) + str(address) + redacted(address.url)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (Address("http://h/?token=hunter2"), "not a ws: or wss: address"),
        (Address("ws://h:port/?token=hunter2"), "not a ws: or wss: address"),
        (Address("ws:///?token=hunter2"), "not a ws: or wss: address"),
        (Address("ws://[hunter2"), "not a ws: or wss: address"),
        (Address("ws://h/#hunter2"), "not a ws: or wss: address"),
        (Address("hunter2"), "not a ws: or wss: address"),
        (Address("ws://h/", headers={"Authorization": "hunter2\r\nX: y"}), "Authorization holds control characters"),
        (Address("ws://h/", headers={"Authorization": "hunter2\ud800"}), "Authorization holds control characters"),
        (Address("ws://h/", headers={"hunter2: x": "y"}), "header's name"),
        (Address("ws://h/", protocols=["hunter2, b"]), "subprotocol's name"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_quoting_it(address: Address, message: str) -> None:
    """A header from outside cannot smuggle in another, and an error names no secret."""
    with pytest.raises(AddressError, match=message) as refusal:
        address.check()
    assert refusal.value.final
    assert "hunter2" not in str(refusal.value)


def test_what_an_address_says_itself_wins() -> None:
    """The options are for what it leaves open."""
    address = Address("ws://h/", {"a": 1}, {"A": "1"}, ["one"])
    both = address.with_defaults({"a": 2, "b": 2}, {"A": "2", "B": "2"}, ["two"])
    assert (both.query_params, both.headers, both.protocols) == ({"a": 1, "b": 2}, {"A": "1", "B": "2"}, ("one",))
    assert tuple(Address("ws://h/").with_defaults({}, {}, ["two"]).protocols) == ("two",)


async def test_a_url_may_be_a_value_or_a_function_of_either_kind() -> None:
    """Plain text, an address with headers, a function, a coroutine function."""

    async def later() -> Address:
        await asyncio.sleep(0)
        return Address("ws://h/", headers={"Authorization": "fresh"})

    assert await resolve("ws://h/", 1) == Address("ws://h/")
    assert await resolve(lambda: "ws://h/", 1) == Address("ws://h/")
    assert (await resolve(later, 1)).headers == {"Authorization": "fresh"}


async def test_a_url_function_that_fails_is_named_by_its_type_alone() -> None:
    """What it raises may quote the token."""

    def broken() -> str:
        raise KeyError("hunter2")

    with pytest.raises(AddressError, match=r"the url function failed \(KeyError\)") as failure:
        await resolve(broken, 1)
    assert not failure.value.final


async def test_a_url_function_has_a_bounded_time() -> None:
    """A token service that hangs does not hang the client."""

    async def hang() -> str:
        await asyncio.Event().wait()
        return ""

    with pytest.raises(AddressError, match=r"longer than 0\.01 s") as failure:
        await resolve(hang, 0.01)
    assert not failure.value.final


@pytest.mark.parametrize("nothing", [None, b"ws://h/", 7])
async def test_a_url_function_that_gives_no_address_is_final(nothing: Any) -> None:
    """A mistake in the program is said at once."""
    with pytest.raises(AddressError, match="gave no address") as failure:
        await resolve(lambda: nothing, 1)
    assert failure.value.final
