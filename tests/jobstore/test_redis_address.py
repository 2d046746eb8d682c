"""Addresses of Redis: what each part means, and the words for one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from jobstore.redis_address import read_address
from jobstore.settings import StoreSettings, setting_problems


def test_one_server():
    address = read_address("redis://ann:p%40ss@redis.example:6380/2")
    assert (address.kind, address.hosts, address.database, address.tls) == ("server", (("redis.example", 6380),), 2, False)
    assert address.credentials == {"username": "ann", "password": "p@ss"}
    assert str(address) == "redis.example:6380"
    assert read_address("redis://[::1]").hosts == (("::1", 6379),)
    assert read_address("redis://:secret@h/").credentials == {"password": "secret"}


def test_a_socket():
    address = read_address("unix:///run/redis%20one.sock?db=3")
    assert (address.kind, address.path, address.hosts, address.database) == ("server", "/run/redis one.sock", (), 3)


def test_a_cluster():
    address = read_address("rediss+cluster://:secret@one:7000,two,[fe80::1]:7002/0?ssl_check_hostname=false")
    assert (address.kind, address.tls, address.database) == ("cluster", True, 0)
    assert address.hosts == (("one", 7000), ("two", 6379), ("fe80::1", 7002))
    assert address.tls_options == {"ssl_check_hostname": False}


def test_sentinels(tmp_path: Path):
    authority = tmp_path / "ca.pem"
    authority.touch()
    url = f"rediss+sentinel://ann:one@s1,s2:26380/my%20master/1?sentinel_username=s&sentinel_password=two&ssl_ca_certs={authority}"
    address = read_address(url)
    assert (address.kind, address.hosts) == ("sentinel", (("s1", 26379), ("s2", 26380)))
    assert (address.service, address.database) == ("my master", 1)
    assert address.credentials == {"username": "ann", "password": "one"}
    assert address.sentinel_credentials == {"username": "s", "password": "two"}
    assert address.tls_options == {"ssl_ca_certs": str(authority)}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "begins with 'localhost'.*Allowed are: redis://host:6379/0, "),
        ("http://:hunter2@host", r"begins with 'http'.*redis\+cluster://"),
        ("redis://:hunter2@one:7000,two:7001", r"names 2 servers.*redis\+cluster://"),
        ("redis://:hunter2@host:0", "the server 'host:0'.*port from 1 to 65535"),
        ("redis://:hunter2@host:99999", "the server 'host:99999'"),
        ("redis+cluster://one:7000,:7001", "the server ':7001'.*host:port"),
        ("redis+cluster://one:7000/3", "the database '3'. A cluster has only the database 0"),
        ("redis://:hunter2@host/jobs", "the database 'jobs'. Allowed is a number"),
        ("redis+sentinel://:hunter2@host:26379", "path ''.*mymaster/0"),
        ("redis+sentinel://host/mymaster/one", "the database 'one'"),
        ("redis://:hunter2@host?socket_timeout=3", "the option 'socket_timeout'. Allowed here are: none"),
        ("redis://host?ssl_ca_certs=/etc/ca.pem", "'ssl_ca_certs'.*TLS options need an address that begins with rediss"),
        ("rediss://host?protocol=3", "the option 'protocol'. Allowed here are: ssl_ca_certs, "),
        ("rediss://host?ssl_ca_certs=/no/ca.pem", "the file '/no/ca.pem' for ssl_ca_certs, but there is no such file"),
        ("rediss://host?ssl_cert_reqs=maybe", "ssl_cert_reqs of the address is 'maybe'. Allowed are: required, none"),
        ("unix://", "names no socket"),
        ("redis://[host", "not a URL"),
    ],
)
def test_a_wrong_address_is_refused_in_words(url: str, words: str):
    with pytest.raises(ValidationError, match=words) as raised:
        StoreSettings(redis_url=url)
    (problem,) = setting_problems(raised.value)
    assert problem.startswith("CONVSCOPE_REDIS_URL: ")
    assert "hunter2" not in problem
