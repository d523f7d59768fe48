"""Which addresses of the web may be fetched: scheme, host, port, what the host's name resolves to, each redirect, and size.

A manifest is somebody else's text. Its addresses, and where those redirect to, must not reach this machine, its network or a
cloud's metadata service (server-side request forgery). Nothing here opens a connection. Whoever does:

1. :func:`check_address` of the row's text, which also refuses a host that is a private number;
2. resolve the name once, :func:`check_resolved` of **all** that comes back, and connect to these numbers, never to the name
   again: a second look-up may say another thing (DNS rebinding). :mod:`lgt_assets.sources.checked_resolver` does so for aiohttp;
3. follow redirects by hand, each by :func:`next_hop` and then as from 1, with no credentials;
4. :func:`check_size` of the header Content-Length and of what has come so far, after each piece, uncompressed;
5. :func:`lgt_assets.sources.picture_types.picture_type` of the first bytes: the header Content-Type is not believed.

Messages hold no password or query of an address: they go into tables and logs.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

from lgt_assets.sources.records import RowRejected, storable

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

DEFAULT_MAX_BYTES = 64 * 2**20
# Not reachable by all according to IANA's special-purpose registries, metadata services, and IPv6 that carries any IPv4 (6to4,
# Teredo). Spelled out because ipaddress before Python 3.11.10 knows fewer (CVE-2024-4032).
_REFUSED = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
            "192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 "
            "198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
            "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
        ).split(),
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_PUBLIC_IPV6 = ip_network("2000::/3")  # all else is local, multicast, or not given out
_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
# How the C library reads numbers as hosts: 127.1, 0x7f.1, 017700000001 and 2130706433 are all 127.0.0.1.
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_PORT_AT_END = re.compile(r"[^:\]]:[0-9]{1,5}\Z")
_TEXT = re.compile(r"[\x21-\x7e\x80-\U0010ffff]+")


@dataclass(frozen=True)
class FetchPolicy:
    """What may be fetched.

    Attributes:
        schemes: ``https``, and ``http`` where it is wanted.
        hosts: names that may be asked; ``*.example.org`` stands for all below it, ``example.org:8443`` for another port than
            the scheme's. Empty: every public host, on the schemes' own ports.
        private_networks: networks that may be reached though they are not public, as an intranet's object store.
        most_bytes: size of one file.
        most_redirects: hops after the first address.
    """

    schemes: tuple[str, ...] = ("https",)
    hosts: tuple[str, ...] = ()
    private_networks: tuple[IpNetwork, ...] = ()
    most_bytes: int = DEFAULT_MAX_BYTES
    most_redirects: int = 5


@dataclass(frozen=True)
class Address:
    """An address that may be asked: ``text`` in normal form, without fragment; ``host`` in small ASCII letters."""

    text: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """The address for messages: without its query, which may hold a signature."""
        return str(URL(self.text).with_query(None))


def check_address(text: str, policy: FetchPolicy, field: str = "image") -> Address:
    """The address that ``text`` means.

    Raises:
        RowRejected: ``unsafe_address``: no absolute address of a scheme, host and port that the policy allows.
    """
    if not _TEXT.fullmatch(text) or "\\" in text:
        raise _refused(field, f"{_shown(text)} is no address: it is empty or holds blanks or control characters")
    try:
        url = URL(text).with_fragment(None)
        host, port, scheme = (url.raw_host or "").removesuffix(".").lower(), url.port, url.scheme
    except (ValueError, UnicodeError) as error:
        raise _refused(field, f"{_shown(text)} is no address ({error})") from error
    if scheme not in policy.schemes or not host or port is None:
        allowed = " or ".join(f"{name}://" for name in policy.schemes)
        raise _refused(field, f"{_shown(text)} does not begin with {allowed} and a host")
    if url.raw_user is not None or url.raw_password is not None:
        raise _refused(field, f"the address at {host} holds a user's name; give credentials by the environment")
    number = host_number(host)
    if number is None and not _NAME.fullmatch(host):
        raise _refused(field, f"{host!r} is no name of a host")
    if number is None and _NUMBER.match(host.rpartition(".")[2]):
        raise _refused(field, f"{host!r} is a number in an unusual form")
    if not _host_allowed(host, port, scheme, policy):
        named = ", ".join(policy.hosts) or "every public host on its scheme's own port"
        raise _refused(field, f"{host}:{port} is not among the hosts that may be asked ({named})")
    if number is not None:
        check_resolved(host, [number], policy, field)
    return Address(str(url.with_host(host) if number is None else url), host, port)


def check_resolved(
    host: str, addresses: Iterable[IpAddress | str], policy: FetchPolicy, field: str = "image"
) -> tuple[IpAddress, ...]:
    """All numbers that ``host`` resolved to, for the connection to be made to; one bad one refuses all.

    Raises:
        RowRejected: ``unsafe_address``: there is none, or one is private, of this machine, link-local, a metadata service's, …
    """
    numbers = tuple(ip_address(str(address).partition("%")[0]) for address in addresses)
    if not numbers:
        raise _refused(field, f"{host} resolves to nothing")
    for number in numbers:
        if not _reachable(number, policy):
            raise _refused(field, f"{host} resolves to {number}, which is not a public address")
    return numbers


def next_hop(current: Address, location: str, hops: int, policy: FetchPolicy, field: str = "image") -> Address:
    """Where a redirect leads, after ``hops`` earlier ones; to be checked like a first address, resolved anew.

    Raises:
        RowRejected: ``unsafe_address``, also for too many hops, and for one from https to http.
    """
    if hops >= policy.most_redirects:
        raise _refused(field, f"{current.shown} redirects more than {policy.most_redirects} times")
    if not _TEXT.fullmatch(location) or "\\" in location:
        raise _refused(field, f"{current.shown} redirects to no address")
    try:
        joined = str(URL(current.text).join(URL(location)))
    except (ValueError, UnicodeError) as error:
        raise _refused(field, f"{current.shown} redirects to no address ({error})") from error
    following = check_address(joined, policy, field)
    if current.text.startswith("https:") and not following.text.startswith("https:"):
        raise _refused(field, f"{current.shown} redirects from https to http")
    return following


def check_size(address: Address, size: int | str | None, policy: FetchPolicy, field: str = "image") -> None:
    """Judge a Content-Length before, or the bytes received during the transfer; a header that is missing says nothing.

    Raises:
        RowRejected: ``image_too_large``; ``unsafe_address`` where the header is no number.
    """
    if size is None:
        return
    text = str(size)
    if not (text.isascii() and text.isdigit()):
        raise _refused(field, f"{address.shown} names a size that is no number")
    if len(text) > 18 or int(text) > policy.most_bytes:
        raise RowRejected(
            "image_too_large", field, f"{address.shown} is larger than the limit of {policy.most_bytes} bytes"
        )


def host_number(host: str) -> IpAddress | None:
    """The IP address that a host is written as, in its usual form; None where it is a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _reachable(number: IpAddress, policy: FetchPolicy) -> bool:
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        number = number.ipv4_mapped
    elif number.version == 6 and number in _NAT64:  # how networks without IPv4 reach IPv4
        number = IPv4Address(int(number) & 0xFFFF_FFFF)
    if _inside(number, policy.private_networks):
        return True
    if isinstance(number, IPv6Address) and number not in _PUBLIC_IPV6:
        return False
    return not _inside(number, _REFUSED)


def _inside(number: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    return any(number.version == network.version and number in network for network in networks)


def _host_allowed(host: str, port: int, scheme: str, policy: FetchPolicy) -> bool:
    if not policy.hosts:
        return port == _PORTS[scheme]
    for allowed in policy.hosts:
        name, _, its_port = (
            allowed.lower().rpartition(":") if _PORT_AT_END.search(allowed) else (allowed.lower(), "", "")
        )
        if port != (int(its_port) if its_port else _PORTS[scheme]):
            continue
        if host == name.removesuffix(".") or name.startswith("*.") and host.endswith(name[1:]):
            return True
    return False


def _shown(text: str) -> str:
    """An address of any kind for messages, without a user's name, password or query."""
    return storable(repr(re.sub(r"//[^/]*@", "//", text.partition("?")[0])[:80]))


def _refused(field: str, problem: str) -> RowRejected:
    return RowRejected(
        "unsafe_address", field, f"{problem}; copy the picture beside the manifest, or allow it in the options"
    )
