"""Say which IP addresses are public. Everything else is refused, so that no caller reaches this machine or its network through the service.

The lists follow IANA's registries of special-purpose addresses (RFC 6890). For IPv6 the rule is an allow-list: global unicast
addresses without those that embed an IPv4 address or serve a special purpose.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IpAddress = IPv4Address | IPv6Address

_SPECIAL_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "192.0.0.0/24",  # protocol assignments; Python counts two of them as global
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # the former relays of 6to4
            "192.175.48.0/24",  # AS112
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, with Teredo at 2001::/32
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which embeds an IPv4 address
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # the upper half of an interface identifier that embeds an IPv4 address (RFC 5214)


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is a global unicast address that embeds no other address.

    This is False for private, loopback, link-local, shared (`100.64.0.0/10`), multicast, reserved and documentation addresses, for the
    metadata addresses of clouds, which are link-local or unique local, and for every IPv6 form that carries an IPv4 address.
    """
    if isinstance(address, IPv4Address):
        is_ordinary = address.is_global and not address.is_multicast and not address.is_reserved
        return is_ordinary and not any(address in network for network in _SPECIAL_IPV4)
    if address.scope_id is not None or address not in _GLOBAL_UNICAST or any(address in network for network in _SPECIAL_IPV6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP
