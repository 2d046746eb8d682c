"""The commands `convscope keys add`, `list` and `revoke`."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import typer
from pydantic import ValidationError

from cli.access import with_store
from cli.failure import CommandFailed
from jobstore.settings import StoreSettings
from processes.embedded_redis import EmbeddedRedis
from processes.redis_address import running_redis_url
from processes.redis_program import EmbeddedRedisError
from schemas.access import ApiKey, ApiKeyRequest

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_key(owner: str, scopes: str, expires: str | None) -> None:
    """Make a key and print it. The key alone goes to stdout, so that a script can take it.

    Args:
        owner: the owner of what is made with the key.
        scopes: names of scopes with commas between, for example `read,submit`.
        expires: a duration (`30d`, `12h`) or a time (`2027-01-31`, in UTC if it names no zone); None for a key that does not expire.

    Raises:
        CommandFailed: a value is wrong, or Redis does not answer.
    """
    expires_at = None if expires is None else _time(expires, datetime.now(UTC))
    try:
        names = [name.strip() for name in scopes.split(",") if name.strip()]
        order = ApiKeyRequest.model_validate({"owner": owner, "scopes": names, "expires_at": expires_at})
    except ValidationError as error:
        raise CommandFailed(_wrong(error)) from error
    settings = StoreSettings()
    with _redis(settings) as url:
        made = with_store(url, settings, lambda store: store.api_keys.add(order))
    until = "until it is revoked" if made.expires_at is None else f"until {made.expires_at:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"The key {made.id} of {made.owner} is valid {until} for {', '.join(made.scopes)}. It is shown this once:", err=True)
    typer.echo(made.key)


def list_keys() -> None:
    """Print every valid key without its secret part, the newest first.

    Raises:
        CommandFailed: Redis does not answer.
    """
    settings = StoreSettings()
    with _redis(settings) as url:
        keys = with_store(url, settings, lambda store: store.api_keys.all())
    for row in [("id", "owner", "scopes", "created", "expires", "last used"), *map(_row, keys)]:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, (12, 20, 18, 10, 10, 16), strict=True)).rstrip())


def revoke_key(key_id: str) -> None:
    """Revoke a key.

    Raises:
        CommandFailed: there is no such key, or Redis does not answer.
    """
    settings = StoreSettings()
    with _redis(settings) as url:
        revoked = with_store(url, settings, lambda store: store.api_keys.revoke(key_id))
    if not revoked:
        raise CommandFailed(f"There is no key '{key_id}'. `convscope keys list` shows the ids.")
    typer.echo(f"The key {key_id} is revoked. Every service refuses it within two seconds.", err=True)


@contextmanager
def _redis(settings: StoreSettings) -> Generator[str]:
    """Yield the URL of the Redis in use. If none runs, the embedded one runs for the duration of the block."""
    if url := settings.redis_url or running_redis_url(settings.data_dir):
        yield url
        return
    try:
        with EmbeddedRedis.start(settings.data_dir, appendfsync="always") as server:
            yield server.url
    except EmbeddedRedisError as error:
        raise CommandFailed(str(error)) from error


def _row(key: ApiKey) -> tuple[str, ...]:
    expires = "never" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d}"
    used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}"
    return key.id, key.owner, ",".join(key.scopes), f"{key.created_at:%Y-%m-%d}", expires, used


def _time(text: str, now: datetime) -> datetime:
    if found := re.fullmatch(r"(\d{1,5})([mhd])", text):
        return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"--expires takes a duration such as 30d, 12h or 45m, or a time such as 2027-01-31; got '{text}'.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _wrong(error: ValidationError) -> str:
    """Return what is wrong, field by field."""
    lines = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']} (got {each['input']!r})." for each in error.errors()]
    return " ".join(["The key cannot be made.", *lines])
