"""Read the address of a Redis: one server, a server that Sentinels watch, or a Redis Cluster, each with or without TLS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

RedisKind = Literal["server", "sentinel", "cluster"]

EXAMPLES = (
    "redis://host:6379/0, unix:///path/redis.sock, redis+sentinel://host1:26379,host2:26379/name/0 or "
    "redis+cluster://host1:7000,host2:7001 (with TLS: rediss instead of redis)"
)
_KINDS: Mapping[str, RedisKind] = {"": "server", "+sentinel": "sentinel", "+cluster": "cluster"}
_PORTS: Mapping[RedisKind, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_FILE_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHOICE_OPTIONS: Mapping[str, tuple[str, ...]] = {"ssl_cert_reqs": ("required", "none"), "ssl_check_hostname": ("true", "false")}
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


@dataclass(frozen=True)
class RedisAddress:
    """An address that has been checked.

    `hosts` are the server, the Sentinels, or some nodes of the cluster. `path` is that of a Unix socket, and `hosts` is empty then.
    `service` is the name by which the Sentinels know the server. `tls_options` are those of redis-py, for example `ssl_ca_certs`.
    """

    kind: RedisKind
    hosts: tuple[tuple[str, int], ...]
    path: str | None
    service: str | None
    database: int
    credentials: Mapping[str, str]
    sentinel_credentials: Mapping[str, str]
    tls: bool
    tls_options: Mapping[str, str | bool]

    def __str__(self) -> str:
        """Return the address as people may see it: without the password."""
        return self.path or ",".join(f"{host}:{port}" for host, port in self.hosts)


def read_address(url: str) -> RedisAddress:
    """Return what an address says, for example `rediss://:secret@redis.example.org:6379/0?ssl_ca_certs=/etc/ca.pem`.

    Raises:
        ValueError: The address is wrong. The message says what was got and what is allowed; it never shows a password.
    """
    try:
        split = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"The address is not a URL ({error}). Allowed are: {EXAMPLES}") from None
    found = re.fullmatch(r"(rediss?)(|\+sentinel|\+cluster)|unix", split.scheme)
    if found is None:
        raise ValueError(f"The address begins with '{split.scheme or url.partition('@')[0]}'. Allowed are: {EXAMPLES}")
    kind = _KINDS[found[2] or ""]
    tls = found[1] == "rediss"
    if split.scheme == "unix":
        return _read_socket(split)
    options = _read_options(split.query, _SENTINEL_OPTIONS if kind == "sentinel" else (), tls=tls)
    service, database = _read_path(kind, split.path)
    return RedisAddress(
        kind=kind,
        hosts=_read_hosts(split, _PORTS[kind]),
        path=None,
        service=service,
        database=_read_database(kind, database),
        credentials=_read_credentials(split.netloc),
        sentinel_credentials={name.removeprefix("sentinel_"): options.pop(name) for name in _SENTINEL_OPTIONS if name in options},
        tls=tls,
        tls_options={name: value == "true" if name == "ssl_check_hostname" else value for name, value in options.items()},
    )


def _read_socket(split: SplitResult) -> RedisAddress:
    if not split.path:
        raise ValueError("The address names no socket. An example is unix:///run/redis.sock.")
    database = _read_options(split.query, ("db",), tls=False).get("db", "0")
    path, credentials = unquote(split.path), _read_credentials(split.netloc)
    return RedisAddress("server", (), path, None, _read_database("server", database), credentials, {}, tls=False, tls_options={})


def _read_options(query: str, allowed: tuple[str, ...], *, tls: bool) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    allowed = (*allowed, *_FILE_OPTIONS, *_CHOICE_OPTIONS) if tls else allowed
    for name, value in options.items():
        if name not in allowed:
            hint = " TLS options need an address that begins with rediss." if name.startswith("ssl_") else ""
            raise ValueError(f"The address has the option '{name}'. Allowed here are: {', '.join(allowed) or 'none'}.{hint}")
        if name in _FILE_OPTIONS and not Path(value).is_file():
            raise ValueError(f"The address names the file '{value}' for {name}, but there is no such file.")
        if value not in (choices := _CHOICE_OPTIONS.get(name, (value,))):
            raise ValueError(f"The option {name} of the address is '{value}'. Allowed are: {', '.join(choices)}.")
    return options


def _read_hosts(split: SplitResult, default_port: int) -> tuple[tuple[str, int], ...]:
    texts = split.netloc.rpartition("@")[2].split(",")
    if len(texts) > 1 and "+" not in split.scheme:
        raise ValueError(
            f"The address names {len(texts)} servers, but {split.scheme}:// names one. "
            f"For several, it begins with {split.scheme}+cluster:// or {split.scheme}+sentinel://."
        )
    return tuple(_read_host(text, default_port) for text in texts)


def _read_host(text: str, default_port: int) -> tuple[str, int]:
    try:
        host = urlsplit(f"//{text}")
        name, port = host.hostname, host.port
    except ValueError:
        name, port = None, None
    if not name or (text.endswith(":") or port == 0):
        raise ValueError(f"The address names the server '{text}'. A server is named as host or host:port, with a port from 1 to 65535.")
    return name, port or default_port


def _read_path(kind: RedisKind, path: str) -> tuple[str | None, str]:
    """Return the name of the Sentinels' service, and the text that numbers the database."""
    parts = [unquote(part) for part in path.split("/") if part]
    if kind == "sentinel" and len(parts) not in (1, 2):
        raise ValueError(
            f"The address has the path '{path}'. With Sentinels, the path names the server that they watch, and perhaps its database: "
            "redis+sentinel://host1:26379,host2:26379/mymaster/0."
        )
    if kind == "sentinel":
        return parts[0], parts[1] if len(parts) == 2 else "0"
    return None, "/".join(parts) or "0"


def _read_database(kind: RedisKind, text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text) or (kind == "cluster" and int(text)):
        allowed = "A cluster has only the database 0." if kind == "cluster" else "Allowed is a number, 0 unless your Redis has several."
        raise ValueError(f"The address names the database '{text}'. {allowed}")
    return int(text)


def _read_credentials(netloc: str) -> dict[str, str]:
    name, _, password = netloc.rpartition("@")[0].partition(":")
    return {key: unquote(text) for key, text in (("username", name), ("password", password)) if text}
