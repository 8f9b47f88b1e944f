"""The ports of the stack: free ones are used, taken ones are explained."""

import os
import socket

import pytest

from agent.dev.ports import PortWish, claim_ports
from agent.dev.problems import StartError


def test_a_taken_port_is_named_with_its_purpose_its_holder_and_the_way_out() -> None:
    """One line says which port, what for, held by whom, and which setting chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as caught:
            claim_ports([PortWish(port, "the page and the chat", "PAGE_PORT")])
    message = str(caught.value)
    assert f"port {port} (the page and the chat) is taken by" in message
    assert f"(process {os.getpid()})" in message
    assert f"make dev PAGE_PORT={port + 10 if port < 65000 else 0}" in message
    assert "\n" not in message


def test_a_port_taken_on_every_address_counts_as_taken() -> None:
    """A server on 0.0.0.0 holds the port of 127.0.0.1 too."""
    with socket.create_server(("0.0.0.0", 0)) as taken, pytest.raises(StartError, match="is taken"):
        claim_ports([PortWish(taken.getsockname()[1], "livekit-server", "LIVEKIT_PORT")])


def test_zero_chooses_free_ports_that_differ() -> None:
    """Two stacks, or two parts of one, never get the same port."""
    wish = PortWish(0, "anything", "PAGE_PORT")
    ports = claim_ports([wish] * 5)
    assert len(set(ports)) == 5
    assert 0 not in ports


def test_a_port_of_a_connection_that_just_ended_is_free() -> None:
    """A second start right after the first one's end does not find its port taken (TIME_WAIT)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first is the one that waits
        client.recv(1)
        client.close()
    assert claim_ports([PortWish(port, "the page and the chat", "PAGE_PORT")]) == (port,)
