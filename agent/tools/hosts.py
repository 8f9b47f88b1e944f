"""Which hosts and addresses a tool may reach. Pure.

A name is reached because it is listed; an address that is not public only because it, or a network around it, is
listed itself. So a listed name that resolves to `127.0.0.1` is refused, and `allow_hosts: [127.0.0.1]` permits it.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # the public part of IPv6 (RFC 4291, section 2.4)
# Translators send these on to the IPv4 address that is inside (RFC 6052, section 2.1).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """A host or address that the tool may not reach; the message says which kind, not which one."""


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What one tool may reach.

    Attributes:
        names: host names, in lower case.
        networks: networks whose addresses may be reached though they are not public.
    """

    names: frozenset[str]
    networks: tuple[IPNetwork, ...] = ()

    def permits_host(self, host: str) -> bool:
        """Whether a request may name this host."""
        address = parse_address(host)
        return host.lower() in self.names or (address is not None and self._is_listed(address))

    def permits_address(self, address: IPAddress) -> bool:
        """Whether a connection may be made to this address."""
        return self._is_listed(address) or is_public(address)

    def _is_listed(self, address: IPAddress) -> bool:
        return any(address in network for network in self.networks)


def allowed_hosts(url_hosts: Iterable[str], entries: Iterable[str]) -> AllowedHosts:
    """What a tool may reach.

    Args:
        url_hosts: the hosts that the tool's own addresses name.
        entries: what it lists: host names, addresses, and networks such as `10.1.0.0/16`.

    Raises:
        ValueError: an entry is none of these.
    """
    names = {host.lower() for host in url_hosts}
    networks: list[IPNetwork] = []
    for entry in entries:
        network = _parse_network(entry)
        if network is not None:
            networks.append(network)
        elif _NAME.fullmatch(entry.lower()):
            names.add(entry.lower())
        else:
            raise ValueError(f"{entry!r} is no host name, no address and no network such as 10.1.0.0/16")
    return AllowedHosts(frozenset(names), tuple(networks))


def parse_address(host: str) -> IPAddress | None:
    """The address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the public internet.

    Not so: private, loopback, link-local, shared (RFC 6598), reserved, multicast and unspecified ones, and an IPv4
    address in the clothes of IPv6 (mapped; 6to4 and NAT64 where the inner address is not public).
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None or address.teredo is not None:
            return False
        inner = address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _parse_network(entry: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None
