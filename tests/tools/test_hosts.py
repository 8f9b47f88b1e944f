"""Which addresses count as public, and what a list of hosts permits."""

import ipaddress

import pytest

from agent.tools.hosts import allowed_hosts, is_public

NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2001:0:0:1::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_of_the_public_internet_is_known(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, multicast, and IPv4 in the clothes of IPv6."""
    parsed = ipaddress.ip_address(address)
    assert not is_public(parsed)
    assert not allowed_hosts(["api.example.com"], []).permits_address(parsed)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_known(address: str) -> None:
    """NAT64, by which some networks reach all of IPv4, included."""
    assert is_public(ipaddress.ip_address(address))


def test_a_listed_network_permits_its_addresses_alone() -> None:
    """As a host and as what a name resolves to."""
    allowed = allowed_hosts(["CRM.internal"], ["10.1.0.0/16", "fd00::/8", "api.example.com"])
    assert allowed.permits_host("crm.internal")
    assert allowed.permits_host("API.example.com")
    assert allowed.permits_host("10.1.2.3")
    assert not allowed.permits_host("10.2.0.1")
    assert not allowed.permits_host("evil-crm.internal")
    assert allowed.permits_address(ipaddress.ip_address("10.1.2.3"))
    assert allowed.permits_address(ipaddress.ip_address("fd12::1"))
    assert not allowed.permits_address(ipaddress.ip_address("10.2.0.1"))


@pytest.mark.parametrize("entry", ["", "*", "*.example.com", "http://a", "10.0.0.1/8", "a b", "a/b"])
def test_an_entry_that_is_no_host_is_refused(entry: str) -> None:
    """A pattern would permit what nobody thought of."""
    with pytest.raises(ValueError, match="no host name"):
        allowed_hosts([], [entry])
