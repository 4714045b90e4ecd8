"""Which peers are our own proxies, whose word about a caller counts."""

from collections.abc import Iterable
from ipaddress import ip_address

from service.settings import Network


def proxied(peer: str, proxies: Iterable[Network]) -> bool:
    """Is this one of our proxies?"""
    if not proxies or not is_address(peer):
        return False
    address = ip_address(peer)
    return any(address.version == network.version and address in network for network in proxies)


def is_address(text: str) -> bool:
    """Is this text an IP address?"""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
