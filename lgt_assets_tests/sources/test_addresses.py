"""Addresses in manifests reach the public web alone: by their text, by what they resolve to, and by where they redirect."""

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.sources.addresses import FetchPolicy, check_address, check_resolved, check_size, next_hop
from lgt_assets.sources.checked_resolver import CheckedResolver
from lgt_assets.sources.records import RowRejected

PUBLIC = FetchPolicy(schemes=("https", "http"))
LISTED = FetchPolicy(hosts=("pictures.example.org", "*.example.net", "store.example.com:9000"))


@pytest.mark.parametrize(
    ("text", "host", "port", "normal"),
    [
        ("https://example.org/a.png", "example.org", 443, "https://example.org/a.png"),
        ("HTTPS://EXAMPLE.org:443/a%20b.png?x=1#part", "example.org", 443, "https://example.org/a%20b.png?x=1"),
        ("http://example.org./a", "example.org", 80, "http://example.org/a"),
        ("https://bücher.example/ü.png", "xn--bcher-kva.example", 443, "https://xn--bcher-kva.example/%C3%BC.png"),
        ("https://93.184.216.34/a", "93.184.216.34", 443, "https://93.184.216.34/a"),
        ("https://[2606:2800:220:1::1]/a", "2606:2800:220:1::1", 443, "https://[2606:2800:220:1::1]/a"),
    ],
)
def test_public_addresses_come_in_normal_form(text: str, host: str, port: int, normal: str) -> None:
    address = check_address(text, PUBLIC)
    assert (address.text, address.host, address.port) == (normal, host, port)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a.png", "//example.org/a", "file:///etc/passwd", "ftp://example.org/a", "gopher://example.org/",
        "data:image/png;base64,AA", "javascript:1", "https:///a", "https://", "https://example.org:99999/", "https://[::1/a",
        "https://example.org/a\nb", "https://example.org/a b", "https://example.org\\@evil.example/", "https://example.org/\0",
        "https://user@example.org/a", "https://user:secret@example.org/a", "https://:secret@example.org/a",
        "https://127.0.0.1/", "https://127.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://2130706433/",
        "https://017700000001/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://１２７.0.0.1/", "https://0/",
        "https://10.1.2.3/", "https://172.31.255.255/", "https://192.168.0.1/", "https://169.254.169.254/latest/meta-data/",
        "https://168.63.129.16/", "https://100.100.100.200/", "https://0.0.0.0/", "https://255.255.255.255/", "https://224.0.0.1/",
        "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/", "https://[2001:0:7f00:1::]/", "https://[::127.0.0.1]/", "https://[ff02::1]/",
        "https://example.org:22/", "https://example.org:8443/", "https://exa%0dmple.org/", "https://-a.example/", "\ud800",
        "https://" + "a" * 300 + ".example/",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_without_their_secrets(text: str) -> None:
    with pytest.raises(RowRejected) as caught:
        check_address(text, PUBLIC)
    assert (caught.value.reason, caught.value.field) == ("unsafe_address", "image")
    assert "secret" not in caught.value.detail and caught.value.detail.isprintable()
    caught.value.detail.encode()


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("https://pictures.example.org/a", True),
        ("https://pictures.example.org:8443/a", False),
        ("http://pictures.example.org/a", False),
        ("https://pictures.example.org.evil.example/a", False),
        ("https://evilpictures.example.org/a", False),
        ("https://a.b.example.net/a", True),
        ("https://example.net/a", False),
        ("https://notexample.net/a", False),
        ("https://store.example.com:9000/a", True),
        ("https://store.example.com/a", False),
        ("https://93.184.216.34/a", False),
    ],
)
def test_a_list_of_hosts_means_these_alone(text: str, allowed: bool) -> None:
    if allowed:
        assert check_address(text, LISTED).text == text
    else:
        with pytest.raises(RowRejected, match="pictures.example.org"):
            check_address(text, LISTED)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_no_number_that_python_calls_private_is_reached(number: object) -> None:
    try:
        check_resolved("example.org", [str(number)], PUBLIC)
    except RowRejected:
        return
    assert ip_address(str(number)).is_global and not ip_address(str(number)).is_multicast


def test_one_bad_number_among_good_ones_refuses_the_name() -> None:
    assert check_resolved("a.example", ["93.184.216.34", "2606:2800::1"], PUBLIC)
    for bad in ("127.0.0.1", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"):
        with pytest.raises(RowRejected, match="a.example resolves to"):
            check_resolved("a.example", ["93.184.216.34", bad], PUBLIC)
    with pytest.raises(RowRejected, match="to nothing"):
        check_resolved("a.example", [], PUBLIC)


def test_a_private_network_is_reached_where_it_is_named() -> None:
    policy = FetchPolicy(private_networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    assert check_resolved("store", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"], policy)
    with pytest.raises(RowRejected):
        check_resolved("store", ["10.2.0.1"], policy)


@pytest.mark.parametrize(
    ("location", "follows"),
    [
        ("/b.png", "https://example.org/b.png"),
        ("c.png?x=1", "https://example.org/folder/c.png?x=1"),
        ("//other.example/c", "https://other.example/c"),
        ("http://other.example/c", None),  # no longer encrypted
        ("https://169.254.169.254/latest", None),
        ("//127.0.0.1/", None),
        ("file:///etc/passwd", None),
        ("https://user:secret@other.example/", None),
        ("https://other.example/\r\nSet-Cookie: a", None),
        ("", "https://example.org/folder/a.png"),
    ],
)
def test_redirects_are_judged_like_first_addresses(location: str, follows: str | None) -> None:
    first = check_address("https://example.org/folder/a.png", PUBLIC)
    if follows is None or not location:
        with pytest.raises(RowRejected) as caught:
            next_hop(first, location, 0, PUBLIC)
        assert caught.value.reason == "unsafe_address"
    else:
        assert next_hop(first, location, 0, PUBLIC).text == follows


def test_redirects_end() -> None:
    first = check_address("https://example.org/a?signature=secret", PUBLIC)
    assert next_hop(first, "/a", 4, PUBLIC)
    with pytest.raises(RowRejected, match="more than 5 times") as caught:
        next_hop(first, "/a", 5, PUBLIC)
    assert "secret" not in caught.value.detail


def test_sizes_have_a_limit() -> None:
    address, policy = check_address("https://example.org/a", PUBLIC), FetchPolicy(most_bytes=100)
    for fits in (None, 0, 100, "100"):
        check_size(address, fits, policy)
    for size, reason in ((101, "image_too_large"), ("9" * 5000, "image_too_large"), ("-1", "unsafe_address"),
                         ("1e2", "unsafe_address"), ("²", "unsafe_address")):  # fmt: skip
        with pytest.raises(RowRejected) as caught:
            check_size(address, size, policy)
        assert caught.value.reason == reason


class Answers(AbstractResolver):
    """A name server that gives another number each time it is asked."""

    def __init__(self, *numbers: str):
        self.numbers: Iterator[str] = iter(numbers)

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list:
        number = next(self.numbers)
        return [{"hostname": host, "host": number, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


def fetched(policy: FetchPolicy, *numbers: str) -> tuple[str, list[str]]:
    """What aiohttp gets from a server of this machine under a name that resolves to ``numbers``, and who was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.host)
        return web.Response(text="a picture")

    async def fetch() -> str:
        application = web.Application()
        application.router.add_get("/a", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        connector = aiohttp.TCPConnector(resolver=CheckedResolver(policy, Answers(*numbers)), use_dns_cache=False)
        try:
            async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
                async with session.get(f"http://pictures.example:{port}/a", allow_redirects=False) as response:
                    return await response.text()
        finally:
            await runner.cleanup()

    return asyncio.run(fetch()), asked


def test_the_connection_goes_to_the_number_that_was_checked() -> None:
    policy = FetchPolicy(private_networks=(ip_network("127.0.0.0/8"),))
    text, asked = fetched(policy, "127.0.0.1", "169.254.169.254")  # the second answer is never asked for
    assert text == "a picture" and asked[0].startswith("pictures.example:")
    with pytest.raises(RowRejected, match="resolves to 127.0.0.1"):
        fetched(PUBLIC, "127.0.0.1")
