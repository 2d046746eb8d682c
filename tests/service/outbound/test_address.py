"""Every way to write an address that is not public is refused, before any connection is made."""

from __future__ import annotations

import ipaddress

import pytest

from schemas.url_errors import UrlRefused
from service.outbound.address import AddressRules, checked_address
from service.outbound.public_addresses import is_public

REFUSED = [
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/",
    "https://127.0.0.1./", "https://127.0.0.1:443/", "https://%31%32%37.0.0.1/", "https://①②⑦.0.0.1/", "https://127。0。0。1/",
    "https://0.0.0.0/", "https://0/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/", "https://0xa9fea9fe/", "https://192.0.0.192/", "https://192.88.99.1/",
    "https://198.18.0.1/", "https://203.0.113.9/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/",
    "https://[::1]/", "https://[::]/", "https://[::127.0.0.1]/", "https://[::8.8.8.8]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/", "https://[::ffff:0:8.8.8.8]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::808:808]/",
    "https://[64:ff9b:1::808:808]/", "https://[2001::808:808]/", "https://[2002:7f00:1::]/", "https://[2606:4700::5efe:8.8.8.8]/",
    "https://[2606:4700::200:5efe:8.8.8.8]/", "https://[fe80::1]/", "https://[fec0::1]/", "https://[fd00:ec2::254]/", "https://[ff02::1]/",
    "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[100::1]/", "https://[fe80::1%25eth0]/",
    "https://localhost/", "https://localhost./", "https://inside.example/", "https://both.example/", "https://none.example/",
    "https://93.184.216.34@127.0.0.1/", "https://user:secret@outside.example/", "https://user@outside.example/",
    "https://outside.example:22/", "https://outside.example:8443/", "https://outside.example./", "https://outside.example\\@127.0.0.1/",
    "http://outside.example/", "ftp://outside.example/", "file:///etc/passwd", "gopher://outside.example/", "data:,x", "//outside.example/",
    "outside.example", "https://", "https://outside.example /", "https://outside\t.example/", "https://outside.example%00.x/",
    "https://outside.example/" + "a" * 2048,
]  # fmt: skip
NAMES = {
    "inside.example": ["10.1.2.3"],
    "both.example": ["93.184.216.34", "127.0.0.1"],
    "outside.example": ["93.184.216.34", "2606:4700::1111"],
    "xn--bcher-kva.example": ["93.184.216.34"],
    "localhost": ["127.0.0.1", "::1"],
}


async def resolve(host: str) -> list[str]:
    if host.removesuffix(".") not in NAMES:
        raise OSError("no such host")
    return NAMES[host.removesuffix(".")]


@pytest.mark.parametrize("text", REFUSED)
async def test_what_is_not_public_is_refused(text: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        await checked_address(text, AddressRules(resolve), "/image/url")
    assert refused.value.pointer == "/image/url"
    for secret in ("10.1.2.3", "secret"):
        assert secret not in f"{refused.value.detail} {refused.value.got}"


def test_more_than_forty_forms_are_tried() -> None:
    assert len(set(REFUSED)) == len(REFUSED) > 40


async def test_public_addresses_are_taken_in_their_normal_form() -> None:
    rules = AddressRules(resolve)
    found = await checked_address("HTTPS://Outside.EXAMPLE:443/a%20b?q=1#part", rules, None)
    assert (found.url, found.host, found.port) == ("https://outside.example/a%20b?q=1", "outside.example", 443)
    assert (found.target, found.authority) == ("/a%20b?q=1", "outside.example")
    assert found.addresses == (ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address("2606:4700::1111"))
    assert (await checked_address("https://bücher.example", rules, None)).host == "xn--bcher-kva.example"
    literal = await checked_address("https://[2606:4700::1111]/", rules, None)
    assert (literal.host, literal.authority) == ("2606:4700::1111", "[2606:4700::1111]")


async def test_a_name_that_means_another_address_each_time_is_looked_up_once() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def rebinding(host: str) -> list[str]:
        return next(answers)

    found = await checked_address("https://rebinding.example/", AddressRules(rebinding), None)
    assert [str(each) for each in found.addresses] == ["93.184.216.34"]
    with pytest.raises(UrlRefused):
        await checked_address("https://rebinding.example/", AddressRules(rebinding), None)


def test_ordinary_addresses_are_public() -> None:
    for text in ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:82a::200e"):
        assert is_public(ipaddress.ip_address(text)), text
